import io.envd.Envctl

/**
 * Create an environment and wait until it is ready. Returns its description, or null when its checks judged the
 * product bad and onCheckFailure is 'unstable'. Whoever calls this directly destroys it, too: withEnvironment does both.
 */
def call(Map options) {
    Envctl.checkOptions('envCreate', options, ['template', 'name', 'ttl', 'timeout', 'pins', 'parameters', 'labels', 'server',
                                               'credentialsId', 'onCheckFailure', 'mark', 'envctl'])
    if (!options.template) {
        error('envCreate: template is missing')
    }
    String mark = options.mark ?: Envctl.newMark()
    String file = ".envd-${mark}.json".toString()
    String command = "${options.envctl ?: 'envctl'} ${Envctl.line(Envctl.createWords(options, mark))} >${file}".toString()
    int status = 10
    // 10 means that nothing was done: the same request has the same key, so it never makes two.
    for (int attempt = 0; attempt < 3 && status == 10; attempt++) {
        status = envctlRun(options, command)
    }
    if (status == 7 && options.onCheckFailure == 'unstable') {
        unstable('envd: the checks of the new environment judged the product bad')
        return null
    }
    if (status != 0) {
        error("envd: create ended with status ${status}: ${Envctl.meaning(status)}")
    }
    return Envctl.parse(readFile(file))
}
