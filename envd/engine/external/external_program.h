/*
 * external_program.h - one run of an engine's program, from its request to its result.
 */
#ifndef ENVD_ENGINE_EXTERNAL_EXTERNAL_PROGRAM_H
#define ENVD_ENGINE_EXTERNAL_EXTERNAL_PROGRAM_H

#include "base/json_read.h"
#include "wire/worker_lines.h"

struct external_run {
	const char *program;   /* absolute */
	const char *directory; /* where it runs */
	const json_t *request;
	struct worker_lines
	    *lines; /* where its lines go on to, but for hello and the result; or NULL */
};

/*
 * Blocks until the program has ended. SIGTERM to this process is passed on. `data` is the result's
 * data or NULL, also when the result says that it failed. Errors: what its result says;
 * ERR_EXTERNAL "program_not_found", "worker_protocol" (no hello, another protocol, not a line, two
 * results), "no_result" (it ended without one, or badly after one that said ok).
 */
NODISCARD bool external_program_run(const struct external_run *run, json_t **data,
				    struct error *err);

#endif
