/*
 * run_child.h - a program of somebody else's in our place: it has the terminal, it gets the
 * signals, and its ending is ours.
 *
 * It leads a process group of its own. Where we were in the foreground of a terminal, that group is
 * now, so Ctrl-C reaches the program and not us; Ctrl-Z stops both. A pipeline (`envctl run ... |
 * less`) keeps the terminal where it is. It dies with us (PR_SET_PDEATHSIG).
 */
#ifndef CLI_RUN_CHILD_H
#define CLI_RUN_CHILD_H

#include <jansson.h>
#include <sys/types.h>
#include <termios.h>

#include "base/error.h"

struct run_child {
	pid_t pid;
	int signal_fd;   /* readable when run_child_look() has something to see */
	int terminal_fd; /* -1: it has none from us */
	bool has_ended;
	int status; /* as waitpid() gives it, once it has ended */
	struct termios modes;
};

#define RUN_CHILD_NONE { .signal_fd = -1, .terminal_fd = -1 }

/* `argv` ends with NULL and is looked up in PATH; `variables` (strings) are added to ours.
 * ERR_NOT_FOUND with SLUG_NO_COMMAND or ERR_INVALID with SLUG_NOT_EXECUTABLE. */
NODISCARD bool run_child_start(const char *const *argv, const json_t *variables,
			       struct run_child *child, struct error *err);

/* Notes that it ended, or stops us with it. When it ended, the terminal is ours again. */
void run_child_look(struct run_child *child);

/* What a shell would make of its status: 128 + N when signal N ended it. */
int run_child_exit_status(const struct run_child *child);

void run_child_release(struct run_child *child);

#endif
