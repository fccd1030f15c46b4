/*
 * guard.h - run a function in a process of its own and leave nothing of it behind.
 *
 *	we ── guard ── the task ── whatever it starts
 *
 * The guard is the init of a pid namespace where that is allowed (as root), and a subreaper
 * everywhere. It does nothing but wait, so there is nothing in it that could hang or crash. It ends
 * everything and then itself when the task is over, when it is told to, and when we die, however we
 * die: the pipe from us reaches end of file then. If it is killed itself, the kernel ends the whole
 * namespace; without one, the task dies with it (PR_SET_PDEATHSIG) and we, a subreaper too, inherit
 * the rest.
 */
#ifndef ENVD_WORKER_GUARD_H
#define ENVD_WORKER_GUARD_H

#include <sys/types.h>

#include "base/error.h"

struct guard {
	pid_t pid;      /* 0 once reaped */
	int control_fd; /* to it */
	int report_fd;  /* from it: readable when the task is over and nothing of it is left */
};

struct guard_spec {
	/* Runs in the task's process; its value is the exit status. */
	int (*task)(void *arg);
	void *arg;
	int stdout_fd, stderr_fd; /* the task's; stdin is /dev/null */
	int keep_fd;              /* held by the guard, not by the task; -1: none */
};

struct guard_report {
	bool has_status; /* false: the guard itself was killed */
	int wait_status; /* of the task */
	int leftover_processes;
};

NODISCARD bool guard_start(struct guard *guard, const struct guard_spec *spec, struct error *err);

/* SIGTERM for the task and its process group. */
void guard_ask_task_to_end(struct guard *guard);

/* SIGKILL for the task and everything that it started. */
void guard_end_everything(struct guard *guard);

/* Waits for the end of the guard, takes its report and ends what it may have left to us. */
void guard_finish(struct guard *guard, struct guard_report *report);

#endif
