package io.envd

import static com.lesfurets.jenkins.unit.global.lib.LibraryConfiguration.library
import static com.lesfurets.jenkins.unit.global.lib.LocalSource.localSource

import com.lesfurets.jenkins.unit.BasePipelineTest
import groovy.json.JsonSlurperClassic
import java.nio.file.Files
import org.junit.After
import org.junit.Before
import org.junit.Test

/** The steps as a Jenkinsfile calls them; envctl, envd and the container runtime are the real ones. */
class LibraryTest extends BasePipelineTest {
    static final String SECRET = System.getenv('ENVD_TEST_TOKEN')
    static final String ENVCTL = System.getenv('ENVCTL')
    static final String SERVER = System.getenv('ENVCTL_SERVER')

    Agent agent
    String result
    List<String> said

    @Before
    @Override
    void setUp() throws Exception {
        super.setUp()
        agent = new Agent()
        agent.variables = [ENVCTL_SERVER: SERVER]
        result = 'SUCCESS'
        said = []
        File libraries = new File(agent.workspace, 'libraries')
        libraries.mkdirs()
        Files.createSymbolicLink(new File(libraries, 'envd@main').toPath(), new File('../../../ci/jenkins').canonicalFile.toPath())
        helper.registerSharedLibrary(library().name('envd').defaultVersion('main').allowOverride(true).implicit(true)
            .targetPath(libraries.path).retriever(localSource(libraries.path)).build())
        registerSteps()
    }

    private void registerSteps() {
        helper.registerAllowedMethod('sh', [Map]) { Map step -> agent.run(step.script) }
        helper.registerAllowedMethod('sh', [String]) { String line ->
            int status = agent.run(line)
            if (status != 0) {
                throw new IllegalStateException('script returned exit code ' + status)
            }
        }
        helper.registerAllowedMethod('withEnv', [List, Closure]) { List pairs, Closure body ->
            Map<String, String> outside = agent.variables
            agent.variables = outside + pairs.collectEntries { it.toString().split('=', 2) as List }
            try { body() } finally { agent.variables = outside }
        }
        helper.registerAllowedMethod('string', [Map]) { Map credentials -> credentials }
        helper.registerAllowedMethod('withCredentials', [List, Closure]) { List credentials, Closure body ->
            Map<String, String> outside = agent.variables
            agent.variables = outside + credentials.collectEntries { [(it.variable): SECRET] }
            try { body() } finally { agent.variables = outside }
        }
        helper.registerAllowedMethod('timeout', [Map, Closure]) { Map limit, Closure body -> body() }
        helper.registerAllowedMethod('retry', [Integer, Closure]) { Integer times, Closure body ->
            for (int attempt = 1; ; attempt++) {
                try { return body() } catch (IllegalStateException failure) { if (attempt == times) { throw failure } }
            }
        }
        helper.registerAllowedMethod('error', [String]) { String message -> throw new IllegalStateException(message) }
        helper.registerAllowedMethod('unstable', [String]) { String message -> result = 'UNSTABLE'; said.add(message) }
        helper.registerAllowedMethod('echo', [String]) { String message -> said.add(message) }
        helper.registerAllowedMethod('readFile', [String]) { String path -> new File(agent.workspace, path).text }
    }

    private Script pipeline(String body) {
        File file = new File(agent.workspace, 'Jenkinsfile.groovy')
        file.text = "@Library('envd@main') _\ndef run(Map given) {\n${body}\n}\nreturn this\n"
        return loadScript(file.path)
    }

    private def run(String body) {
        return pipeline(body).run([envctl: ENVCTL, template: 'small', ttl: '5m'])
    }

    private Throwable failure(String body) {
        try {
            run(body)
        } catch (Throwable thrown) {
            return thrown
        }
        throw new AssertionError('it did not fail')
    }

    private static List<Map> environments() {
        Process process = new ProcessBuilder(ENVCTL, 'list', '-o', 'json').start()
        return new JsonSlurperClassic().parseText(process.inputStream.text).items
    }

    /** Destroying was asked for and not waited for: the server finishes it. */
    private static void assertNothingLeft() {
        long until = System.currentTimeMillis() + 30000
        while (environments() && System.currentTimeMillis() < until) {
            Thread.sleep(50) // between two looks at the condition
        }
        assert environments() == []
    }

    @After
    void clear() {
        new ProcessBuilder(ENVCTL, 'destroy', '--all', '--yes').inheritIO().start().waitFor()
    }

    @Test
    void 'the body gets an environment, and nothing is left afterwards'() {
        run('''withEnvironment(given) { e ->
            sh 'test "$ENV_URL" && test "$ENV_NAME" = "' + e.name + '" && curl -sf "$ENV_URL/" >/dev/null'
        }''')
        assert result == 'SUCCESS'
        assertNothingLeft()
    }

    @Test
    void 'a body that throws loses its environment and keeps its exception'() {
        Throwable thrown = failure("withEnvironment(given) { e -> throw new ArithmeticException('the tests are red') }")
        assert thrown.message == 'the tests are red'
        assertNothingLeft()
    }

    @Test
    void 'an abort in the body destroys the environment'() {
        agent.abortedLine = 'sleep 600'
        agent.abortWhen = { true }
        assert failure("withEnvironment(given) { e -> sh 'exec sleep 600' }") instanceof FlowInterruptedException
        assertNothingLeft()
    }

    @Test
    void 'an abort while it is still being built destroys what there is of it'() {
        agent.abortedLine = "'create'"
        agent.abortWhen = { environments().any { it.state in ['provisioning', 'checking', 'ready'] } }
        assert failure('withEnvironment(given) { e -> }') instanceof FlowInterruptedException
        assertNothingLeft()
    }

    /** The real envctl, told to look for its server where nobody is, for as long as the script says. */
    private String envctlWithoutServerWhile(String condition) {
        File script = new File(agent.workspace, 'envctl')
        script.text = "#!/bin/sh\nif ${condition}; then export ENVCTL_SERVER=unix:${agent.workspace}/nobody.sock; fi\nexec ${ENVCTL} \"\$@\"\n"
        script.setExecutable(true)
        return script.path
    }

    @Test
    void 'a destroy that fails hides neither success nor the exception of the body'() {
        String envctl = envctlWithoutServerWhile('[ "$1" = destroy ]')
        run("given.envctl = '${envctl}'; withEnvironment(given) { e -> }")
        assert result == 'SUCCESS'
        assert said.any { it.contains('could not be destroyed now') }
        Throwable thrown = failure("given.envctl = '${envctl}'; withEnvironment(given) { e -> throw new ArithmeticException('red') }")
        assert thrown.message == 'red'
        assert environments().size() == 2 // their leases end them
    }

    @Test
    void 'exit 4, a build that fails, is an error that says so'() {
        Throwable thrown = failure("given.pins = [web: '404']; withEnvironment(given) { e -> }")
        assert thrown.message.contains('status 4') && thrown.message.contains('failed to build')
        assertNothingLeft()
    }

    @Test
    void 'exit 7, a bad verdict, is an error, or UNSTABLE on request, and the body does not run'() {
        assert failure("given.template = 'bad'; withEnvironment(given) { e -> }").message.contains('status 7')
        run("given.template = 'bad'; given.onCheckFailure = 'unstable'; withEnvironment(given) { e -> sh 'touch ran' }")
        assert result == 'UNSTABLE'
        assert !new File(agent.workspace, 'ran').exists()
        assertNothingLeft()
    }

    @Test
    void 'exit 9, not ready in time, is an error and destroys it'() {
        assert failure("given.timeout = '1ms'; withEnvironment(given) { e -> }").message.contains('status 9')
        assertNothingLeft()
    }

    @Test
    void 'exit 10, no server, is tried again and may still succeed'() {
        String envctl = envctlWithoutServerWhile('[ "$1" = create ] && ! [ -e tried ] && touch tried')
        run("given.envctl = '${envctl}'; withEnvironment(given) { e -> sh 'touch ran' }")
        assert agent.lines.count { it.contains("'create'") } == 2
        assert new File(agent.workspace, 'ran').exists()
        assertNothingLeft()
        assert failure("given.server = 'unix:/nowhere/envd.sock'; withEnvironment(given) { e -> }").message.contains('status 10')
    }

    @Test
    void 'a check with a bad verdict is UNSTABLE on request, and its report is written'() {
        File plan = new File(agent.workspace, 'out/smoke.xml')
        run("withEnvironment(given) { e -> envCheck name: e.name, suite: 'smoke', junit: 'out/smoke.xml', envctl: given.envctl }")
        assert plan.text.contains('<testsuites')
        assert result == 'SUCCESS'
        assert failure("withEnvironment(given) { e -> envCheck name: 'nobody', envctl: given.envctl }").message.contains('status 6')
        assertNothingLeft()
    }

    @Test
    void 'the secret is in no command line and in no log'() {
        run("given.credentialsId = 'envd-token'; withEnvironment(given) { e -> }")
        assert !agent.lines.any { it.contains(SECRET) }
        assert !agent.output.any { it.contains(SECRET) }
        assertNothingLeft()
    }

    @Test
    void 'a mistyped option is an error that names the right ones'() {
        assert failure("given.tll = '1h'; withEnvironment(given) { e -> }").message.contains('unknown option "tll"')
        assert environments() == []
    }

    @Test
    void 'whatever is in a value arrives as it is'() {
        run('''given.labels = [note: 'it\\'s $(touch pwned) `x` "y"']; withEnvironment(given) { e -> }''')
        assert !new File(agent.workspace, 'pwned').exists()
        assertNothingLeft()
    }
}
