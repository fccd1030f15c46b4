/*
 * job.h - slow work, seen from the daemon (design.md section 5). Nothing here blocks.
 *
 * A job is a row in the store and a folder on disk, JOBS/ID. Its worker is a process of its own
 * session that outlives this one: it holds JOBS/ID/lock while anything of the job lives, and leaves
 * JOBS/ID/result.json before it lets go.
 *
 *	job_folder_make()   request.json is on disk; then commit the row as intent
 *	job_launch()        the supervisor runs, nothing else does      → on_ready(identity)
 *	                    commit the row as running with that identity
 *	job_go()            now it works                                → on_line()..., on_end()
 *	job_cancel()        instead of job_go(): it ends as never started → on_end()
 *
 * After a restart: job_look() tells what is there, job_adopt() goes on following at the offset that
 * was stored last, job_end_from_sight() tells what ended meanwhile.
 *
 * No callback is called from inside any function of this header; all come from loop turns. Exactly
 * one of on_start_failed and on_end comes, once, and the job is freed when it returns.
 */
#ifndef ENVD_JOBS_JOB_H
#define ENVD_JOBS_JOB_H

#include "base/ids.h"
#include "base/json_read.h"
#include "base/spawn.h"
#include "loop/loop.h"
#include "wire/job_files.h"
#include "wire/worker_lines.h"

struct jobs; /* the jobs of one loop */
struct job;  /* one that is followed */

struct job_end {
	enum job_outcome outcome; /* wire/job_files.h */
	const json_t *data;   /* of the result line, also of one that says not ok; NULL if none */
	struct error failure; /* unless completed: what went wrong, as a sentence */
	int64_t started_at_ms, ended_at_ms; /* 0 when unknown */
	int leftover_processes; /* what the supervisor had to kill after the task was over */
};

struct job_callbacks {
	/* Lock and identity.json are there; it waits for job_go() or job_cancel(). Launch only. */
	void (*on_ready)(void *arg, const struct process_identity *identity);

	/* It died, or did not get ready within 10 s. Nothing was started. Launch only. */
	void (*on_start_failed)(void *arg, const struct error *failure);

	/* `offset_after` is where to go on after this line, for the store. */
	void (*on_line)(void *arg, enum worker_line_type type, const json_t *object,
			int64_t offset_after);

	/* The lock is free, the process is gone and every line was given. */
	void (*on_end)(void *arg, const struct job_end *end);

	void *arg;
};

/* `program` is that of a job's worker (absolute); NULL: "envd-worker" beside the running program.
 */
struct jobs *jobs_new(struct loop *loop, const char *jobs_folder, const char *program);

/* Forgets every job first. */
void jobs_free(struct jobs *jobs);
DEFINE_AUTO(struct jobs *, jobs_free)

/* Makes the folder with request.json in it, both on disk when it returns. */
NODISCARD bool job_folder_make(const char *jobs_folder, struct job_id id, const json_t *request,
			       struct error *err);

struct job *job_launch(struct jobs *jobs, struct job_id id, const struct job_callbacks *callbacks);
struct job *job_adopt(struct jobs *jobs, struct job_id id, const struct process_identity *identity,
		      int64_t lines_offset, const struct job_callbacks *callbacks);

void job_go(struct job *job);
void job_cancel(struct job *job);

/* Stop following, leave the process alone: no callback comes any more. A job that has not been told
 * to go ends as never started. */
void job_forget(struct job *job);

/* Write JOBS/ID/stop: the supervisor ends the task politely, then by force. Asking again is fine.
 */
NODISCARD bool job_ask_stop(const char *jobs_folder, struct job_id id, const char *reason,
			    struct error *err);

/* ---- recovery ---- */

enum job_lock {
	JOB_LOCK_FREE, /* nothing of the job lives: see worker/supervisor.h for why */
	JOB_LOCK_HELD,
	JOB_LOCK_UNKNOWN, /* the file cannot be looked at */
};

struct job_sight {
	enum job_lock lock;
	bool has_identity;
	struct process_identity identity;
	json_t *result; /* result.json or NULL */
};

void job_look(const char *jobs_folder, struct job_id id, struct job_sight *sight);
void job_sight_release(struct job_sight *sight);

/* What on_end would have told, from `sight->result` (JOB_UNKNOWN without one). Borrows from it. */
void job_end_from_sight(const struct job_sight *sight, struct job_end *end);

#endif
