/*
 * store_jobs.h - rows of slow work: intent (committed before anything is forked), running (with the
 * identity of its supervisor), ended. A unique index allows one live job per environment.
 */
#ifndef ENVD_STORE_STORE_JOBS_H
#define ENVD_STORE_STORE_JOBS_H

#include "base/spawn.h"
#include "model/environment.h"
#include "store/store.h"

// clang-format off
#define JOB_STATES(X)                                                                              \
	X(JOB_INTENT,  "intent")                                                                   \
	X(JOB_RUNNING, "running")                                                                  \
	X(JOB_ENDED,   "ended")
// clang-format on

enum job_state {
#define X(state, name) state,
	JOB_STATES(X)
#undef X
};

struct job_row {
	struct job_id id;
	struct env_id environment; /* "" for jobs about a target */
	int64_t generation;
	char kind[16];  /* "create", "check", "recover", "destroy", "inventory" */
	char owner[16]; /* program that writes this row: "envd" or "reaper" */
	enum job_state state;
	struct process_identity process; /* once running */
	char check_run[ID_TEXT_SIZE];    /* of check jobs */
	int64_t intent_at_ms;
	int64_t ended_at_ms;
	int64_t running_at_ms; /* 0: it never did */
	int64_t lines_offset;  /* bytes of lines.jsonl that history has seen */
	int64_t stop_asked_at_ms;
	char *outcome; /* once ended */
};
void job_row_free(struct job_row *job);
DEFINE_AUTO(struct job_row *, job_row_free)

struct job_list {
	struct job_row **items;
	size_t count;
};
void job_list_release(struct job_list *list);
static inline void auto_job_list_release(struct job_list *list)
{
	job_list_release(list);
}

NODISCARD bool store_job_insert(struct store_tx *tx, const struct job_row *job, struct error *err);
NODISCARD bool store_job_read(struct store *store, struct job_id id, struct job_row **job,
			      struct error *err);
/* intent -> running; ERR_CONFLICT when it is not an intent any more. */
NODISCARD bool store_job_set_running(struct store_tx *tx, struct job_id id,
				     const struct process_identity *process, struct error *err);
/* Live -> ended, exactly once: `*done` false when somebody was first. */
NODISCARD bool store_job_end(struct store_tx *tx, struct job_id id, const char *outcome,
			     const json_t *result, int64_t now_ms, bool *done, struct error *err);
NODISCARD bool store_job_set_offset(struct store_tx *tx, struct job_id id, int64_t offset,
				    struct error *err);
/* Either program may ask; asked once. */
NODISCARD bool store_job_ask_stop(struct store_tx *tx, struct job_id id, int64_t now_ms,
				  struct error *err);
/* Compare-and-set of the owner, for when the old one is proved dead. */
NODISCARD bool store_job_take_over(struct store_tx *tx, struct job_id id, const char *from,
				   const char *to, bool *done, struct error *err);

/* *job NULL when there is none. */
NODISCARD bool store_job_live(struct store *store, struct env_id id, struct job_row **job,
			      struct error *err);
/* Live ones of one owner, or of all (NULL). */
NODISCARD bool store_jobs_live(struct store *store, const char *owner, struct job_list *list,
			       struct error *err);
/* All of an environment, for the proof that none of their processes lives. */
NODISCARD bool store_jobs_of(struct store *store, struct env_id id, struct job_list *list,
			     struct error *err);

#endif
