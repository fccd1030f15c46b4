/*
 * store_work.h - which environments a program has to look at now, and when at the latest again. Ids
 * alone, by indexes alone: what it costs grows with the work there is and not with what exists.
 */
#ifndef ENVD_STORE_STORE_WORK_H
#define ENVD_STORE_STORE_WORK_H

#include "base/ids.h"
#include "model/lease.h"
#include "store/store.h"

struct env_id_list {
	struct env_id *items;
	size_t count;
};
void env_id_list_release(struct env_id_list *list);
static inline void auto_env_id_list_release(struct env_id_list *list)
{
	env_id_list_release(list);
}

/* Wanted, not ready and without a job; ready with a check asked for and without a job; evidence
 * wanted. `queued_max` bounds how many queued ones come along, oldest first. */
NODISCARD bool store_work_to_build(struct store *store, int64_t queued_max,
				   struct env_id_list *list, struct error *err);
/* The same where targets are claimed: who waits for one that is held must not hide who waits for
 * another, so it is the first `queued_max` of each wish. It looks at the whole queue, which is at
 * most --open-environments long. */
NODISCARD bool store_work_to_place(struct store *store, int64_t queued_max,
				   struct env_id_list *list, struct error *err);

struct destroyer_ask {
	struct lease_now now;
	const char *owner;        /* whose destroy jobs are under way and need no look */
	int64_t start_max;        /* those that only wait for a slot: at most so many */
	int64_t longest_pause_ms; /* a longer one was not made: the clock was set back */
};
/* Unwanted and not destroyed, but for those whose destroy job runs or whose pause is not over; or
 * wanted and past their queue limit, hard wall, or lease by either clock. */
NODISCARD bool store_work_to_destroy(struct store *store, const struct destroyer_ask *ask,
				     struct env_id_list *list, struct error *err);
/* Earliest time after `now_ms` at which store_work_to_destroy() may find a new one; 0: none waits.
 */
NODISCARD bool store_work_next_due(struct store *store, int64_t now_ms, int64_t *at_ms,
				   struct error *err);

#endif
