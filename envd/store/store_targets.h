/*
 * store_targets.h - what is known of targets, and who has them. A target without a row is clean and
 * nobody's.
 *
 * A claim lasts from the transaction that grants a slot until the one that stores the end's proofs:
 * the move to "destroyed" gives it back by a trigger, and nothing else can but a proved vacating.
 * Its number is a fence: a later claim has a higher one, also of the same target.
 */
#ifndef ENVD_STORE_STORE_TARGETS_H
#define ENVD_STORE_STORE_TARGETS_H

#include "base/ids.h"
#include "model/target.h"
#include "store/store.h"

struct target_row {
	enum target_condition condition;
	char why[256]; /* it is dirty; "" */
	int64_t since_ms;
	int64_t attempts; /* at cleaning it */
	int64_t next_try_at_ms;
	int64_t no_room_until_ms;
	int64_t holders;
	int64_t last_claim; /* its number; 0: it was never claimed */
};
NODISCARD bool store_target_read(struct store *store, const char *name, struct target_row *row,
				 struct error *err);

struct claim {
	int64_t number;
	char target[64];
	int64_t claimed_at_ms;
	bool is_leaving; /* what was built there is removed, and building goes on elsewhere */
};
/* What the environment has of this target; `number` 0: nothing. */
NODISCARD bool store_claim_read(struct store *store, struct env_id id, const char *target,
				struct claim *claim, struct error *err);
/* The one that it is to build on next, while it leaves another; `number` 0: there is none. */
NODISCARD bool store_claim_next(struct store *store, struct env_id id, struct claim *claim,
				struct error *err);

NODISCARD bool store_claim_is_live(struct store *store, int64_t number, bool *is_live,
				   struct error *err);

/* For it, unless it has one of this target already. `places`: how many may have it. The store
 * refuses (ERR_INTERNAL) more claims than places, what is not clean, and what is unwanted. */
NODISCARD bool store_claim(struct store_tx *tx, const char *target, struct env_id id,
			   int64_t places, int64_t now_ms, struct error *err);
/* Two steps of going elsewhere: it leaves (no way back); it is proved gone, and the other claim's
 * target is the environment's. */
NODISCARD bool store_claim_leave(struct store_tx *tx, struct env_id id, const char *target,
				 struct error *err);
NODISCARD bool store_claim_vacate(struct store_tx *tx, struct env_id id, const char *from,
				  const char *to, int64_t now_ms, struct error *err);

/* The environment's target, as claimed. */
NODISCARD bool store_environment_place(struct store_tx *tx, struct env_id id, const char *target,
				       struct error *err);
NODISCARD bool store_environment_set_tried(struct store_tx *tx, struct env_id id,
					   const json_t *tried, struct error *err);

/* Who has it, oldest claim first, at most `limit`. */
struct holder {
	struct env_id id;
	char *name;
	char *owner;
	char *project;
	char state[16];
	int64_t number;
	int64_t claimed_at_ms;
	int64_t until_ms; /* the end of its lease, or of the longest that it may become; 0: it is
			     being destroyed, and nobody can tell */
};
struct holder_list {
	struct holder *items;
	size_t count;
};
NODISCARD bool store_target_holders(struct store *store, const char *name, int64_t limit,
				    struct holder_list *list, struct error *err);
void holder_list_release(struct holder_list *list);
static inline void auto_holder_list_release(struct holder_list *list)
{
	holder_list_release(list);
}

/* ---- clean and dirty ---- */

/* `*done` false: it is dirty already, or being cleaned. */
NODISCARD bool store_target_soil(struct store_tx *tx, const char *name, const char *why,
				 int64_t now_ms, bool *done, struct error *err);
/* The same, if nobody has it and nobody has had it since `last_claim`. */
NODISCARD bool store_target_soil_free(struct store_tx *tx, const char *name, const char *why,
				      int64_t last_claim, int64_t now_ms, bool *done,
				      struct error *err);
/* dirty to cleaning, if nobody has it; `*done` false: it is not so. */
NODISCARD bool store_target_clean_begin(struct store_tx *tx, const char *name, int64_t now_ms,
					bool *done, struct error *err);
/* It was not proved: dirty again, tried again then. */
NODISCARD bool store_target_clean_failed(struct store_tx *tx, const char *name, const char *why,
					 int64_t next_try_at_ms, struct error *err);
/* Dirty or being cleaned to clean; `*done` false: it was clean. */
NODISCARD bool store_target_cleaned(struct store_tx *tx, const char *name, int64_t now_ms,
				    bool *done, struct error *err);
/* Nobody cleans any more what the store says is being cleaned: whoever did has died. */
NODISCARD bool store_target_clean_abandon(struct store_tx *tx, const char *name, struct error *err);

NODISCARD bool store_target_set_no_room(struct store_tx *tx, const char *name, int64_t until_ms,
					struct error *err);

/* Names of those that are not clean and nobody's, the longest due first; each freed by the caller's
 * name_list_release(). */
struct name_list {
	char **items;
	size_t count;
};
NODISCARD bool store_targets_unclean(struct store *store, struct name_list *list,
				     struct error *err);
void name_list_release(struct name_list *list);
static inline void auto_name_list_release(struct name_list *list)
{
	name_list_release(list);
}

#endif
