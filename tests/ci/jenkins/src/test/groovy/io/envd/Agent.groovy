package io.envd

import java.util.concurrent.TimeUnit

/** What an abort throws inside a step; the real class of this name is in no public repository. */
class FlowInterruptedException extends Exception {
    FlowInterruptedException() { super('aborted') }
}

/** The machine that runs sh steps: as Jenkins does, by sh -xe, with the variables of the blocks around it. */
class Agent {
    final File workspace = File.createTempDir('jenkins-', '')
    final List<String> lines = []
    final List<String> output = []
    Map<String, String> variables = [:]
    /** A line with this in it is aborted as soon as the condition holds: SIGTERM to all its processes. */
    String abortedLine
    Closure<Boolean> abortWhen

    int run(String line) {
        lines.add(line)
        File log = new File(workspace, 'log-' + lines.size())
        ProcessBuilder builder = new ProcessBuilder('setsid', 'sh', '-xe', '-c', line).directory(workspace)
        builder.environment().putAll(variables)
        builder.redirectErrorStream(true).redirectOutput(log)
        Process process = builder.start()
        if (abortedLine && line.contains(abortedLine)) {
            abort(process)
        }
        int status = process.waitFor()
        output.add(log.text)
        return status
    }

    private void abort(Process process) {
        long until = System.currentTimeMillis() + 60000
        while (!abortWhen() && System.currentTimeMillis() < until) {
            Thread.sleep(20) // between two looks at the condition
        }
        // It may not have made its session yet.
        while (new ProcessBuilder('kill', '-TERM', '--', '-' + process.pid()).start().waitFor() != 0 && System.currentTimeMillis() < until) {
            Thread.sleep(20)
        }
        if (!process.waitFor(20, TimeUnit.SECONDS)) {
            throw new IllegalStateException('what was aborted did not end within 20 s')
        }
        throw new FlowInterruptedException()
    }
}
