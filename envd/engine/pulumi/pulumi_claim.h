/*
 * pulumi_claim.h - an environment's place belongs to one claim of one target. When that had no room
 * and the environment is built elsewhere, what is known of the first attempt is kept beside the new
 * place: FOLDER/pulumi-NUMBER.
 */
#ifndef ENVD_ENGINE_PULUMI_PULUMI_CLAIM_H
#define ENVD_ENGINE_PULUMI_PULUMI_CLAIM_H

#include "engine/pulumi/pulumi_place.h"

/* Before anything of the place is read or made. The daemon lets nobody build on a second target
 * before everything on the first is proved gone. */
NODISCARD bool claim_take_place(const struct pulumi_place *place, struct error *err);

/* What the cloud says when it has no more: "target_quota" (its account may not have more),
 * "target_capacity" (it has none just now), or NULL: it is something else. */
const char *claim_exhaustion(const char *message);

#endif
