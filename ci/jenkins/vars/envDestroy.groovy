import io.envd.Envctl

/**
 * Ask for an environment to be destroyed: `name`, or everything that carries `mark`. Accepted in seconds; the server
 * finishes it. Never throws: whatever ended the build is what people must see, and the lease is the backstop.
 */
boolean call(Map options) {
    Envctl.checkOptions('envDestroy', options, ['name', 'mark', 'server', 'credentialsId', 'envctl'])
    List words = options.mark ? ['destroy', '--label', 'envd-action=' + options.mark, '--yes', '--no-wait']
                              : ['destroy', options.name, '--ignore-not-found', '--no-wait']
    int status = -1
    String problem = ''
    try {
        timeout(time: 2, unit: 'MINUTES') {
            retry(3) {
                status = envctlRun(options, "${options.envctl ?: 'envctl'} ${Envctl.line(words)}".toString())
                if (status != 0) {
                    error("envd: destroy ended with status ${status}: ${Envctl.meaning(status)}")
                }
            }
        }
    } catch (Exception failure) {
        problem = failure.message ?: failure.class.name
    }
    if (status != 0) {
        echo("envd: the environment could not be destroyed now (${problem}); the reaper destroys it when its lease ends")
    }
    return status == 0
}
