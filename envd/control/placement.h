/*
 * placement.h - which target an environment is built on: what it may have, what it claims, and
 * where it goes when a target has no more to give.
 *
 * A claim is made in the transaction that grants the slot, and given back by the store with the
 * proofs of the end. Every target is claimed; what is particular about those of the targets file is
 * that they are given to nobody while something may be left on them.
 */
#ifndef ENVD_CONTROL_PLACEMENT_H
#define ENVD_CONTROL_PLACEMENT_H

#include "control/control.h"
#include "model/environment.h"
#include "model/target.h"

/* Of those that would do for it, the next one from `*at` (start with 0); NULL at the end. Without a
 * wish: all of the targets file that its engine can use, or else the first one with its engine. */
const struct target *placement_candidate(const struct settings *settings, const char *engine,
					 const json_t *wishes, size_t *at);

/* The first one that would do at all, claimed or not. ERR_UNAVAILABLE "no_target" for an engine
 * that has none, ERR_INVALID "target_not_found" naming what was asked for. */
NODISCARD bool placement_first(const struct settings *settings, const char *engine,
			       const json_t *wishes, const struct target **target,
			       struct error *err);

/* Where it could be built now. ERR_LIMIT as target_judge() says of the last one that was looked at;
 * other errors are the store's. */
NODISCARD bool placement_find(const struct control *control, const struct environment *env,
			      const struct target **target, struct error *err);

/* The same, and it is the environment's from now on. One that it has already stays. */
NODISCARD bool placement_claim(struct control *control, struct store_tx *tx,
			       const struct environment *env, struct error *err);

/* Its build failed because the target has no more of something. Claims another one for it, so that
 * what was begun here is removed first; `*done` false: there is none, or it is not that. */
NODISCARD bool placement_go_elsewhere(struct control *control, struct store_tx *tx,
				      struct environment *env, const struct error *failure,
				      bool *done, struct error *err);
/* What was begun is proved gone: the next target is its own. */
NODISCARD bool placement_arrive(struct control *control, struct store_tx *tx,
				const struct environment *env, struct error *err);

/* Something may be left on what it had; nothing is placed there until it is proved clean. */
NODISCARD bool placement_soil(struct control *control, struct store_tx *tx,
			      const struct environment *env, const char *why, struct error *err);

/* {"number","file"}: with that file gone, somebody else may have the target. Makes it, and takes
 * away those of claims that have ended: so nobody new begins while an old one may still act. NULL
 * where no target of the targets file is claimed. New reference. */
NODISCARD bool placement_fence(const struct control *control, const struct environment *env,
			       json_t **fence, struct error *err);

#endif
