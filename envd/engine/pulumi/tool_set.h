/*
 * tool_set.h - tools (the CLI, hooks, pip) run several at once, seen to their ends by one blocking
 * loop.
 *
 * SIGTERM to this process (a task gets it once) is passed on once to each that runs: Pulumi takes
 * the first as "finish what is under way", a second as "leave it". From the first set on it is
 * blocked, and whoever starts tools looks at tools_are_stopping() before the next one. A
 * program that is over its limit gets SIGTERM, a minute later another, and then SIGKILL.
 */
#ifndef ENVD_ENGINE_PULUMI_TOOL_SET_H
#define ENVD_ENGINE_PULUMI_TOOL_SET_H

#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/line_reader.h"

#define TOOL_OUT 1
#define TOOL_ERR 2

struct tool_spec {
	const char *const *argv; /* argv[0] absolute; ends with NULL */
	char *const *variables;  /* its whole environment; ends with NULL */
	const char *directory;
	const char *input; /* its stdin; NULL: none. Never written to disk */
	int64_t limit_ms;  /* 0: none */
	size_t line_bytes_max;

	/* A line without its newline; `stream` TOOL_OUT or TOOL_ERR. May be NULL. */
	void (*on_line)(void *arg, int stream, const char *line, size_t length, bool was_cut);
	void *arg;
};

struct tool; /* lives until tool_free() */

struct tool_end {
	int wait_status;
	bool was_over_limit;
	int64_t ran_ms;
};

struct tool_set {
	struct tool **running;
	size_t count;
};

/* SIGTERM has come. */
bool tools_are_stopping(void);

/* ERR_UNAVAILABLE "job_stopped" when it has. */
NODISCARD bool tools_may_start(struct error *err);

/* Start with an empty one. Kills what still runs. */
void tool_set_close(struct tool_set *set);

static inline void auto_tool_set_close(struct tool_set *set)
{
	tool_set_close(set);
}

/* Strings of `spec` are needed only during the call. ERR_EXTERNAL "program_not_found". */
NODISCARD bool tool_start(struct tool_set *set, const struct tool_spec *spec, struct tool **program,
			  struct error *err);

/* Blocks until one has ended and everything that it wrote was told; NULL when none runs. It is out
 * of the set then. */
struct tool *tool_set_wait(struct tool_set *set, struct tool_end *end);
void tool_free(struct tool *tool);

/* Start and wait, in a set of its own; `output` (may be NULL) gets stdout up to `output_max`, the
 * caller frees. `end` is filled in. False only when it could not be run. */
NODISCARD bool tool_run(const struct tool_spec *spec, size_t output_max, char **output,
			struct tool_end *end, struct error *err);

/* "exit status 3", "signal 9 (Killed)"; the caller frees. */
char *tool_end_words(const struct tool_end *end);
bool tool_ended_well(const struct tool_end *end);

#endif
