/*
 * store_checks.h - check runs: asked for, judged, kept with their report.
 */
#ifndef ENVD_STORE_STORE_CHECKS_H
#define ENVD_STORE_STORE_CHECKS_H

#include "model/environment.h"
#include "store/store.h"

struct check_run {
	char id[ID_TEXT_SIZE];
	struct env_id environment;
	char *state;    /* "queued", "running", "ended" */
	char *verdict;  /* NULL until ended */
	char *owner;    /* who asked */
	json_t *suites; /* ["smoke"] */
	json_t *plan;   /* inline plan, or NULL for the template's */
	json_t *report; /* CheckRun document, or NULL */
	char *message;
	int64_t asked_at_ms;
	int64_t ended_at_ms;
};
void check_run_free(struct check_run *run);
DEFINE_AUTO(struct check_run *, check_run_free)

struct check_run_list {
	struct check_run **items;
	size_t count;
};
void check_run_list_release(struct check_run_list *list);
static inline void auto_check_run_list_release(struct check_run_list *list)
{
	check_run_list_release(list);
}

NODISCARD bool store_check_insert(struct store_tx *tx, const struct check_run *run,
				  struct error *err);
/* ERR_NOT_FOUND "check_not_found". */
NODISCARD bool store_check_find(struct store *store, const char *id, struct check_run **run,
				struct error *err);
/* Newest first. */
NODISCARD bool store_check_list(struct store *store, struct env_id id, int64_t limit,
				struct check_run_list *list, struct error *err);
/* The oldest that has not ended, or *run NULL. */
NODISCARD bool store_check_next(struct store *store, struct env_id id, struct check_run **run,
				struct error *err);
NODISCARD bool store_checks_waiting(struct store *store, struct env_id id, int64_t *count,
				    struct error *err);
NODISCARD bool store_check_start(struct store_tx *tx, const char *id, struct error *err);
NODISCARD bool store_check_end(struct store_tx *tx, const char *id, const char *verdict,
			       const char *message, const json_t *report, int64_t now_ms,
			       struct error *err);

/* The environment goes away: what was asked of it and has not ended is inconclusive. */
NODISCARD bool store_checks_abandon(struct store_tx *tx, struct env_id id, const char *message,
				    int64_t now_ms, struct error *err);

#endif
