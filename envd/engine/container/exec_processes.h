/*
 * exec_processes.h - the processes of one exec: to signal them, which no runtime's API can.
 *
 * Each exec has a variable with a random value, EXEC_MARK=..., which whatever it starts inherits. A
 * process is the exec's when it has that variable, or is in the session of its first process and in
 * its container's control group. What clears its variables and leaves the session and lives on is
 * not found; it ends with the environment.
 */
#ifndef ENVD_ENGINE_CONTAINER_EXEC_PROCESSES_H
#define ENVD_ENGINE_CONTAINER_EXEC_PROCESSES_H

#include "engine/container/container_runtime.h"

#define EXEC_MARK "ENVD_EXEC"

struct exec_mark {
	char value[33];
	char *container; /* its name */
	char *id;        /* of the exec */
};

/* What the runtime says of it now. */
struct exec_state {
	bool is_running;
	int status;
};
NODISCARD bool exec_look(struct docker *docker, const struct exec_mark *mark,
			 struct exec_state *state, struct error *err);

/* To all of them: through /proc where they are on our machine and ours to signal, else by a shell
 * inside the container (which it may not have). */
void exec_signal(struct runtime *runtime, const struct exec_mark *mark, int signal_number);

#endif
