/*
 * supervisor.h - one job from "ready" to result.json, whether or not anybody is watching.
 *
 *	envd ── supervisor ── guard ── the task ── whatever it starts
 *
 * The supervisor leads a session of its own and, once it was told to go, has no tie to the daemon.
 * It ends the task when its deadline passes, when it is silent for too long, says too much, takes
 * too much memory, breaks the rules of the lines, or when JOB/stop appears or SIGTERM comes:
 * politely (SIGTERM), then, `stop_grace_ms` later, by force.
 *
 * JOB/lock is held by the supervisor and its guard, not by the task. A free lock must mean that
 * nothing of the job lives. Were it inherited by the task, anything that the task leaves behind
 * would keep it: true, but a job could then be held for ever by something that nobody may kill
 * (its number is known to nobody). So those hold it who end everything else before they go: the
 * supervisor leaves last; if it is killed, the guard ends everything and only then lets go; if both
 * are killed at once, the kernel has already begun to end the pid namespace (as root) or the task
 * (otherwise).
 */
#ifndef ENVD_WORKER_SUPERVISOR_H
#define ENVD_WORKER_SUPERVISOR_H

#include "base/json_read.h"

/* `task` runs in a process of its own with the request, its lines on stdout, and returns its exit
 * status, or goes on as another program. Returns the exit status of the supervisor: 0 when there is
 * a result.json. */
int supervisor_run(const char *folder, int (*task)(const json_t *request));

#endif
