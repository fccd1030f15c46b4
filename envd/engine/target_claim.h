/*
 * target_claim.h - may this worker still act on its target? For every task of an environment, and
 * in the middle of long ones; it needs no library, as envd-worker has few.
 */
#ifndef ENVD_ENGINE_TARGET_CLAIM_H
#define ENVD_ENGINE_TARGET_CLAIM_H

#include "engine/engine.h"

/* The claim by which this was begun still is. One that has none may go on. ERR_CONFLICT
 * "claim_lost": somebody else may have the target. */
NODISCARD bool target_claim_check(const struct engine_target *target, struct error *err);

#endif
