/*
 * container_exec.h - running a command inside a container.
 *
 * Three calls in a row (make, run, ask how it ended) that look like one: begin it, turn the
 * runtime's calls until `is_done`. Many can be on their way at once.
 */
#ifndef ENVD_ENGINE_CONTAINER_CONTAINER_EXEC_H
#define ENVD_ENGINE_CONTAINER_CONTAINER_EXEC_H

#include "engine/container/container_runtime.h"

#define EXEC_OUTPUT_BYTES_MAX ((size_t)64 * 1024)

struct exec_run {
	struct docker *docker;
	char *id; /* of the exec, once it is made */
	struct docker_call *call;
	int64_t time_limit_ms;
	int64_t begun_mono_ms;
	struct text frames;

	bool is_done;
	struct error err; /* code ERR_NONE: it ran and ended, and the next two are valid */
	int status;
	char *output; /* stdout and stderr, at most EXEC_OUTPUT_BYTES_MAX */
};

/* `argv` is borrowed until this returns. ERR_TIMEOUT, slug "exec_timeout", when it takes longer:
 * what was started then goes on in the container, because no runtime can end it. */
void exec_begin(struct exec_run *run, struct docker *docker, const char *container, json_t *argv,
		int64_t time_limit_ms);

/* Also in the middle; may be called on a zeroed one, and begun again after. */
void exec_release(struct exec_run *run);

static inline void auto_exec_release(struct exec_run *run)
{
	exec_release(run);
}

bool container_exec(const struct engine_request *request, const char *service,
		    const char *const *argv, int64_t time_limit_ms,
		    struct engine_exec_result *result, struct error *err);

#endif
