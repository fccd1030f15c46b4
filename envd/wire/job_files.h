/*
 * job_files.h - what lies in the folder of a job, and how a job can have ended. Written by the
 * supervisor (worker/), read by the daemon (jobs/).
 *
 *	request.json   what to do; there before the supervisor is
 *	lock           flock()ed while anything of the job lives
 *	identity.json  {"pid","start_ticks","boot_id"} of the supervisor
 *	lines.jsonl    what the task said, whole and valid lines only
 *	worker.log     its stderr, capped
 *	stop           somebody wants it to end; the content says why
 *	result.json    {"outcome","ok","result","message","exit","started_at_ms","ended_at_ms",
 *	                "leftover_processes"}, complete before the lock is free
 */
#ifndef ENVD_WIRE_JOB_FILES_H
#define ENVD_WIRE_JOB_FILES_H

#include "base/json_read.h"
#include "base/spawn.h"

#define JOB_REQUEST_FILE "request.json"
#define JOB_LOCK_FILE "lock"
#define JOB_IDENTITY_FILE "identity.json"
#define JOB_LINES_FILE "lines.jsonl"
#define JOB_LOG_FILE "worker.log"
#define JOB_STOP_FILE "stop"
#define JOB_RESULT_FILE "result.json"

#define JOB_REQUEST_BYTES_MAX (4 * 1024 * 1024)
#define JOB_RESULT_BYTES_MAX (4 * 1024 * 1024)

/* The descriptors on which a supervisor says "ready\n" (or why not) and hears "go\n". */
#define JOB_READY_FD 3
#define JOB_GO_FD 4

/* outcome, its name in result.json, the code and the slug of the error that it is */
#define JOB_OUTCOMES(X)                                                                            \
	/* a result that says ok, and exit status 0 */                                             \
	X(JOB_COMPLETED, "completed", ERR_NONE, "none")                                            \
	/* a result that says why not */                                                           \
	X(JOB_FAILED, "failed", ERR_EXTERNAL, "job_failed")                                        \
	/* because it was asked to */                                                              \
	X(JOB_STOPPED, "stopped", ERR_UNAVAILABLE, "job_stopped")                                  \
	/* its deadline passed */                                                                  \
	X(JOB_TIMED_OUT, "timed_out", ERR_TIMEOUT, "job_timed_out")                                \
	/* it said nothing for too long */                                                         \
	X(JOB_SILENT, "silent", ERR_TIMEOUT, "job_silent")                                         \
	/* it ended without a result */                                                            \
	X(JOB_CRASHED, "crashed", ERR_EXTERNAL, "job_crashed")                                     \
	/* what it said breaks the rules of the lines */                                           \
	X(JOB_PROTOCOL, "protocol", ERR_EXTERNAL, "worker_protocol")                               \
	/* it said too much */                                                                     \
	X(JOB_FLOODED, "flooded", ERR_EXTERNAL, "job_flooded")                                     \
	/* it took more memory than it may */                                                      \
	X(JOB_OUT_OF_MEMORY, "out_of_memory", ERR_EXTERNAL, "job_out_of_memory")                   \
	/* no "go" came; nothing was done */                                                       \
	X(JOB_NEVER_STARTED, "never_started", ERR_UNAVAILABLE, "job_never_started")                \
	/* there is no result: ask the engine to recover */                                        \
	X(JOB_UNKNOWN, "unknown", ERR_INTERNAL, "job_unknown")

enum job_outcome {
#define X(outcome, name, code, slug) outcome,
	JOB_OUTCOMES(X)
#undef X
};

const char *job_outcome_name(enum job_outcome outcome);

/* JOB_UNKNOWN for a name that is not in the list. */
enum job_outcome job_outcome_from_name(const char *name);

/* The error that this ending is, unless a result line says it better. */
bool job_outcome_error(enum job_outcome outcome, const char *message, struct error *err);

/* New reference. */
json_t *process_identity_to_json(const struct process_identity *identity);
NODISCARD bool process_identity_from_json(const json_t *json, struct process_identity *identity,
					  struct error *err);

#endif
