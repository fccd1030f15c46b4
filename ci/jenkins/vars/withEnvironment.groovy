import io.envd.Envctl

/**
 * An environment for the body: withEnvironment(template: 'mara-local', ttl: '2h', credentialsId: 'envd') { e -> ... }
 * Inside, ENV_NAME, ENV_URL and ENV_<OUTPUT> are set. It is destroyed afterwards, also when the body throws or the build
 * is aborted, even while it is still being built: what to destroy is found by a label that was chosen before.
 */
def call(Map options, Closure body) {
    String mark = Envctl.newMark()
    Map access = [server: options.server, credentialsId: options.credentialsId, envctl: options.envctl]
    boolean kept = options.keep == 'always'
    Map wanted = [:]
    wanted.putAll(options)
    wanted.remove('keep')
    wanted.mark = mark
    if (options.keep && !(options.keep in ['never', 'always'])) {
        error("withEnvironment: keep must be 'never' or 'always', not '${options.keep}'")
    }
    try {
        def environment = envCreate(wanted)
        if (environment != null) {
            String file = ".envd-${mark}-variables.json".toString()
            int status = envctlRun(access, "${options.envctl ?: 'envctl'} ${Envctl.line(['env', environment.id, '-o', 'json'])} >${file}".toString())
            if (status != 0) {
                error("envd: env ended with status ${status}: ${Envctl.meaning(status)}")
            }
            withEnv(Envctl.variables(readFile(file))) {
                body(environment)
            }
        }
    } finally {
        if (kept) {
            echo('envd: kept as asked; its lease ends it')
        } else {
            envDestroy(access + [mark: mark])
        }
    }
}
