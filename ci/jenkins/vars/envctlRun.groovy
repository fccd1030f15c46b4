/** Run one line of sh with the server and the token in its environment, never on the line: sh -x prints lines. */
int call(Map options, String command) {
    int status = 0
    List variables = options.server ? ['ENVCTL_SERVER=' + options.server] : []
    withEnv(variables) {
        if (options.credentialsId) {
            withCredentials([string(credentialsId: options.credentialsId, variable: 'ENVCTL_TOKEN')]) {
                status = sh(script: command, returnStatus: true)
            }
        } else {
            status = sh(script: command, returnStatus: true)
        }
    }
    return status
}
