package io.envd

import com.cloudbees.groovy.cps.NonCPS
import groovy.json.JsonSlurperClassic

/** Command lines of envctl, and what it answers. Nothing here runs a step, so nothing here is transformed. */
class Envctl implements Serializable {
    private static final long serialVersionUID = 1L

    /** One word for sh, whatever is in it. */
    @NonCPS
    static String quote(Object word) {
        return "'" + word.toString().replace("'", "'\\''") + "'"
    }

    @NonCPS
    static String line(List<?> words) {
        List<String> quoted = []
        for (Object word : words) {
            quoted.add(quote(word))
        }
        return quoted.join(' ')
    }

    /** A mistyped option would be ignored, and somebody would wonder for an hour. */
    @NonCPS
    static void checkOptions(String step, Map<?, ?> options, List<String> known) {
        for (Object name : options.keySet()) {
            if (!known.contains(name.toString())) {
                throw new IllegalArgumentException("${step}: unknown option \"${name}\" (expected one of: ${known.join(', ')})".toString())
            }
        }
    }

    @NonCPS
    static List<String> createWords(Map<?, ?> options, String mark) {
        List<String> words = ['create', options.template.toString(), '--label', 'envd-action=' + mark, '-o', 'json']
        for (String name : ['name', 'ttl', 'timeout']) {
            if (options[name]) {
                words.addAll(['--' + name, options[name].toString()])
            }
        }
        if (options.timeout) {
            words.addAll(['--on-timeout', 'destroy'])
        }
        addPairs(words, '--pin', options.pins)
        addPairs(words, '--param', options.parameters)
        addPairs(words, '--label', options.labels)
        return words
    }

    @NonCPS
    private static void addPairs(List<String> words, String flag, Object pairs) {
        for (Map.Entry<?, ?> pair : ((pairs ?: [:]) as Map<?, ?>).entrySet()) {
            words.addAll([flag, pair.key.toString() + '=' + pair.value])
        }
    }

    /** The environment as plain, serializable maps: it lives across steps and restarts of the controller. */
    @NonCPS
    static Map<String, Object> parse(String text) {
        return new HashMap<String, Object>(new JsonSlurperClassic().parseText(text) as Map<String, Object>)
    }

    /** NAME=VALUE for withEnv, from `envctl env NAME -o json`. */
    @NonCPS
    static List<String> variables(String text) {
        List<String> found = []
        for (Map.Entry<?, ?> pair : (new JsonSlurperClassic().parseText(text) as Map<?, ?>).entrySet()) {
            found.add(pair.key.toString() + '=' + pair.value)
        }
        return found
    }

    @NonCPS
    static String newMark() {
        return UUID.randomUUID().toString().replace('-', '').substring(0, 24)
    }

    @NonCPS
    static String meaning(int status) {
        switch (status) {
            case 2: return 'the request is wrong'
            case 3: return 'not allowed'
            case 4: return 'the environment failed to build, or a check could not judge'
            case 5: return 'refused by a quota or a limit'
            case 6: return 'there is no such environment or template'
            case 7: return 'a check judged the product bad'
            case 8: return 'it was ended on the server'
            case 9: return 'it did not become ready in time'
            case 10: return 'the server cannot be reached or is busy'
            default: return 'envctl failed'
        }
    }
}
