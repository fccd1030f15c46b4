/*
 * worker.h - the slow side: `envd worker --task REQUEST.json` and `envd worker --direct
 * REQUEST.json`.
 *
 * With --task: the task of a job, already inside a supervisor and a guard (envd-worker,
 * worker/main.c, which goes on as this where it lacks what the task needs).
 *
 * With --direct: the same task without a job's folder, in a guard of its own, for the short
 * questions of the daemon and the reaper (log streams, one-shot inventories). SIGTERM ends it, and
 * so does the death of whoever reads.
 *
 * The lines go to stdout. Exit status: 0 result ok, 1 result not ok, 2 the request is wrong.
 */
#ifndef ENVD_WORKER_WORKER_H
#define ENVD_WORKER_WORKER_H

/* `argv[0]` is "worker". Returns the exit status of the process. */
int worker_main(int argc, char **argv);

#endif
