/*
 * worker.h - the slow side: `envd worker JOBFOLDER` and `envd worker --direct REQUEST.json`.
 *
 * With a job's folder: a supervisor (worker/supervisor.h) that says "ready" on descriptor 3, waits
 * for "go" on descriptor 4, and leaves result.json.
 *
 * With --direct: the same task without a folder, for the short questions of the daemon and the
 * reaper (log streams, one-shot inventories). The lines go to stdout. SIGTERM ends it, and so does
 * the death of whoever reads. Exit status: 0 result ok, 1 result not ok, 2 the request is wrong.
 */
#ifndef ENVD_WORKER_WORKER_H
#define ENVD_WORKER_WORKER_H

/* `argv[0]` is "worker". Returns the exit status of the process. */
int worker_main(int argc, char **argv);

#endif
