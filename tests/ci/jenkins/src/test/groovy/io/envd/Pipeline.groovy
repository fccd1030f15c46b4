package io.envd

import com.cloudbees.groovy.cps.Continuable
import com.cloudbees.groovy.cps.SerializableScript

/** The base of every script: what the library calls and is no step with a body. */
abstract class Pipeline extends SerializableScript {
    static Map<String, Object> globals = [:]

    Object suspended(String step, Object argument) { return Continuable.suspend([step: step, argument: argument]) }

    @Override
    Object invokeMethod(String name, Object arguments) {
        Object[] list = arguments as Object[]
        if (globals.containsKey(name)) {
            return globals[name].invokeMethod('call', arguments)
        }
        if (name in ['sh', 'readFile', 'unstable', 'echo', 'string']) {
            return suspended(name, list.length ? list[0] : null)
        }
        if (name == 'error') {
            throw new IllegalStateException(list[0].toString())
        }
        if (name in ['withEnv', 'withCredentials', 'timeout', 'retry'] && !globals.steps.is(this)) {
            return globals.steps.invokeMethod(name, arguments)
        }
        return super.invokeMethod(name, arguments)
    }
}
