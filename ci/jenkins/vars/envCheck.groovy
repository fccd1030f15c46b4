import io.envd.Envctl

/**
 * Run checks: suite 'smoke', 'load' or 'all'. A bad verdict (7) fails the build, or makes it UNSTABLE with
 * onCheckFailure: 'unstable'; everything else that goes wrong is an error, because nothing was judged. Returns the status.
 */
int call(Map options = [:]) {
    Envctl.checkOptions('envCheck', options, ['name', 'suite', 'junit', 'onCheckFailure', 'server', 'credentialsId', 'envctl'])
    String envctl = options.envctl ?: 'envctl'
    String name = options.name ?: env.ENV_NAME
    if (!name) {
        error('envCheck: name is missing, and this is not inside withEnvironment')
    }
    int status = envctlRun(options, "${envctl} ${Envctl.line(['check', name, '--suite', options.suite ?: 'smoke'])}".toString())
    if (options.junit) {
        envctlRun(options, "mkdir -p \"\$(dirname ${Envctl.quote(options.junit)})\" && ${envctl} ${Envctl.line(['report', name, '-o', 'junit'])} >${Envctl.quote(options.junit)}".toString())
    }
    if (status == 7 && options.onCheckFailure == 'unstable') {
        unstable("envd: the ${options.suite ?: 'smoke'} checks judged the product bad")
    } else if (status != 0) {
        error("envd: check ended with status ${status}: ${Envctl.meaning(status)}")
    }
    return status
}
