/*
 * sweep_plan.h - what of an inventory is nobody's? Pure: a listing, what the store knows, what was
 * sighted before and the clock go in; what may be destroyed, and why not, comes out. Only a clear
 * "ours and unwanted" destroys (reliability: unknown is not absent).
 */
#ifndef REAPER_SWEEP_PLAN_H
#define REAPER_SWEEP_PLAN_H

#include "base/ids.h"
#include "base/json_read.h"

enum sweep_standing {
	SWEEP_LIVE,    /* the store knows it and wants it, or is destroying it already */
	SWEEP_GONE,    /* the store says proved gone, and yet there it is */
	SWEEP_UNKNOWN, /* the store has never heard of it */
};

struct sweep_rules {
	const char *instance;
	int64_t now_s;
	int64_t min_age_s;       /* younger things may still be on their way into the store */
	int64_t newest_sequence; /* of the store; -1: there is no store */
	size_t live_count;       /* environments that are not destroyed */
};

/* One environment's worth of things. */
struct sweep_item {
	struct env_id environment;
	enum sweep_standing standing;
	int64_t sequence;
	int64_t hard_wall_s;
	int64_t youngest_s; /* creation of its newest thing; 0: unknown */
	size_t things;
	bool is_overdue;  /* past its hard wall */
	bool was_sighted; /* by earlier complete listings, long enough apart */
	bool may_be_destroyed;
	const char *why; /* it is kept for now; NULL when it may be destroyed */
};

struct sweep_plan {
	struct sweep_item *items; /* orphans only */
	size_t count;
	size_t destroyable;
	const char *halted; /* nothing at all may be destroyed, because; NULL: go on */
};

/* `standing` and `was_sighted` answer for an environment id. `inventory` is an engine's data. */
struct sweep_knowledge {
	enum sweep_standing (*standing)(void *arg, struct env_id id);
	bool (*was_sighted)(void *arg, struct env_id id);
	void *arg;
};
void sweep_plan_make(const json_t *inventory, const struct sweep_rules *rules,
		     const struct sweep_knowledge *knowledge, struct sweep_plan *plan);
void sweep_plan_release(struct sweep_plan *plan);

#endif
