/*
 * child.h - run a program, see every line it writes, learn how it ended.
 *
 * For short work whose end belongs to us (a log stream, a one-shot listing). Slow work that must
 * outlive this process is a job (jobs/job.h).
 *
 * A child is over when both have happened, in either order: its process was reaped and its pipes
 * reached end of file. Only then is on_end called, once, from the end of a loop turn, never from
 * inside child_start() or child_stop(). No line comes after it.
 *
 * Each child leads its own process group, so that stopping it also stops what it started. It
 * inherits no descriptor but the three streams (and the extra one), and gets SIGTERM when this
 * process dies.
 */
#ifndef ENVD_LOOP_CHILD_H
#define ENVD_LOOP_CHILD_H

#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "loop/loop.h"

struct child; /* freed by child.c after on_end returned */

enum child_ending {
	CHILD_EXITED,    /* `status` is its exit status */
	CHILD_SIGNALLED, /* `status` is the signal, and we did not send it */
	CHILD_STOPPED,   /* we ended it: child_stop() or the time limit */
};

struct child_end {
	enum child_ending ending;
	int status;
	int64_t ran_ms;
};

struct child_spec {
	const char *const *argv;      /* argv[0] is an absolute path */
	const char *const *variables; /* the whole environment of the process */
	const char *directory;        /* NULL: ours */
	int extra_fd;                 /* its descriptor 3, stays the caller's; 0: none */
	const char *input;     /* at most 64 KiB, written to its stdin, then closed; may be NULL */
	int64_t time_limit_ms; /* then as child_stop(); 0: none */
	int64_t grace_ms;      /* between SIGTERM and SIGKILL */
	size_t line_bytes_max; /* longer lines are cut; 0: 64 KiB */

	/* `stream` is 1 or 2. The line has no newline and is NUL-terminated. */
	void (*on_line)(void *arg, int stream, const char *line, size_t length);
	void (*on_end)(void *arg, const struct child_end *end);
	void *arg;
};

/* Strings in `spec` are copied. On failure nothing was started and no callback will come.
 * Error: ERR_EXTERNAL "program_not_found". */
NODISCARD bool child_start(struct loop *loop, const struct child_spec *spec, struct child **child,
			   struct error *err);

/* Ask it to end; on_end follows. Asking twice is fine. */
void child_stop(struct child *child);

/* Read no more for now, so that the child blocks when its pipe is full; lines that were read
 * already still come (64 KiB at most). And go on. */
void child_pause(struct child *child);
void child_resume(struct child *child);

/* Kill it and forget it: no callback comes any more (a client that left). loop_free() does this to
 * every child that is left. */
void child_drop(struct child *child);

#endif
