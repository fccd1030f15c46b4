package io.envd

import com.cloudbees.groovy.cps.Continuable
import com.cloudbees.groovy.cps.CpsTransformer
import com.cloudbees.groovy.cps.ObjectInputStreamWithLoader
import com.cloudbees.groovy.cps.Outcome
import org.codehaus.groovy.control.CompilerConfiguration
import org.junit.After
import org.junit.Before
import org.junit.Test

/**
 * The same steps under the transformation that Jenkins applies to pipelines. At every step the whole program is
 * written out, thrown away and read back, as when the controller restarts there.
 */
class CpsTest {
    static final String LIBRARY = new File('../../../ci/jenkins').canonicalPath

    /** Steps that end by themselves suspend; steps with a body are transformed like the library. */
    static final String STEPS = '''
        def withEnv(List pairs, Closure body) { return body() }
        def withCredentials(List bindings, Closure body) { return body() }
        def timeout(Map limit, Closure body) { return body() }
        def retry(int times, Closure body) {
            for (int attempt = 1; true; attempt++) {
                try { return body() } catch (IllegalStateException failure) { if (attempt == times) { throw failure } }
            }
        }
    '''

    GroovyClassLoader loader
    List<Map> steps = []

    @Before
    void load() {
        CompilerConfiguration configuration = new CompilerConfiguration()
        configuration.addCompilationCustomizers(new CpsTransformer())
        configuration.scriptBaseClass = Pipeline.name
        loader = new GroovyClassLoader(getClass().classLoader, configuration)
        loader.addClasspath(LIBRARY + '/src')
        Pipeline.globals.clear()
        new File(LIBRARY + '/vars').eachFileMatch(~/.*\.groovy/) { File file ->
            Pipeline.globals[file.name - '.groovy'] = loader.parseClass(file).getDeclaredConstructor().newInstance()
        }
        Pipeline.globals.steps = loader.parseClass(STEPS, 'Steps.groovy').getDeclaredConstructor().newInstance()
    }

    @After
    void unload() {
        Pipeline.globals.clear()
    }

    private Continuable restart(Continuable program) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream()
        new ObjectOutputStream(bytes).withCloseable { it.writeObject(program) }
        return new ObjectInputStreamWithLoader(new ByteArrayInputStream(bytes.toByteArray()), loader).withCloseable { it.readObject() } as Continuable
    }

    /** Runs to the end; `answer` gives each step's value, or throws what the step throws. */
    private Outcome run(String script, Closure answer) {
        Continuable program = new Continuable(loader.parseClass(script, "Pipeline${System.nanoTime()}.groovy").getDeclaredConstructor().newInstance() as Script)
        Outcome outcome = program.run0(new Outcome(null, null))
        while (program.isResumable()) {
            Map step = outcome.replay() as Map
            steps.add(step)
            program = restart(program)
            Outcome next
            try {
                next = new Outcome(answer(step), null)
            } catch (Exception failure) {
                next = new Outcome(null, failure)
            }
            outcome = program.run0(next)
        }
        return outcome
    }

    private static Object good(Map step) {
        switch (step.step) {
            case 'sh': return step.argument instanceof Map ? 0 : null
            case 'readFile': return step.argument.contains('variables') ? '{"ENV_NAME": "e1", "ENV_URL": "http://e1"}' : '{"id": "e1", "name": "e1", "outputs": {"url": "http://e1"}}'
            default: return null
        }
    }

    private List<String> lines() {
        return steps.findAll { it.step == 'sh' }.collect { (it.argument instanceof Map ? it.argument.script : it.argument).toString() }
    }

    @Test
    void 'every step may be where the controller restarts'() {
        Outcome outcome = run('''withEnvironment(template: 'small', credentialsId: 'token') { e ->
            sh 'make e2e'
            envCheck name: e.name, suite: 'load', junit: 'out.xml'
            return e.outputs.url
        }''') { good(it) }
        assert outcome.isSuccess() : outcome.abnormal
        assert lines().any { it == 'make e2e' }
        assert lines().last().contains("'destroy' '--label' 'envd-action=")
        assert steps.size() >= 8
    }

    @Test
    void 'an abort goes through finally and is what the build ends with'() {
        Outcome outcome = run("withEnvironment(template: 'small') { e -> sh 'make e2e' }") { Map step ->
            if (step.argument == 'make e2e') {
                throw new FlowInterruptedException()
            }
            return good(step)
        }
        assert outcome.abnormal instanceof FlowInterruptedException
        assert lines().last().contains("'destroy'")
    }

    @Test
    void 'an abort of the create is destroyed by its mark'() {
        String mark = null
        Outcome outcome = run("withEnvironment(template: 'small') { e -> sh 'make e2e' }") { Map step ->
            if (step.argument instanceof Map && step.argument.script?.contains("'create'")) {
                mark = (step.argument.script =~ /envd-action=([0-9a-f]{24})/)[0][1]
                throw new FlowInterruptedException()
            }
            return good(step)
        }
        assert outcome.abnormal instanceof FlowInterruptedException
        assert lines().last().contains("envd-action=${mark}")
        assert !lines().contains('make e2e')
    }

    @Test
    void 'a destroy that never works ends after three tries and hides nothing'() {
        Outcome outcome = run("withEnvironment(template: 'small') { e -> throw new ArithmeticException('red') }") { Map step ->
            step.argument instanceof Map && step.argument.script?.contains("'destroy'") ? 10 : good(step)
        }
        assert outcome.abnormal.message == 'red'
        assert lines().count { it.contains("'destroy'") } == 3
        assert steps.last().step == 'echo'
    }
}
