/*
 * descendants.h - everything that a process started, however it tried to get away.
 *
 * It works for the subreaper of a family (PR_SET_CHILD_SUBREAPER) and for the init of a pid
 * namespace: whoever loses its parent becomes their child. So ending all children again and again
 * until there are none ends the whole family, and as nobody else reaps them, no number in use here
 * can have passed to a stranger.
 */
#ifndef ENVD_WORKER_DESCENDANTS_H
#define ENVD_WORKER_DESCENDANTS_H

#include <stdint.h>
#include <sys/types.h>

/* SIGKILL for all, wait for all. Returns how many were alive when it began to count. */
int descendants_kill(void);

/* Resident memory of the descendants of `root` and itself. */
int64_t descendants_memory_bytes(pid_t root);

#endif
