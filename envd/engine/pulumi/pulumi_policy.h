/*
 * pulumi_policy.h - policy packs of the template: folders or programs of it that the CLI asks
 * before it makes anything (`up --policy-pack`).
 */
#ifndef ENVD_ENGINE_PULUMI_PULUMI_POLICY_H
#define ENVD_ENGINE_PULUMI_PULUMI_POLICY_H

#include "engine/pulumi/pulumi_place.h"

#define POLICIES_MAX 20

/* Each is a folder of the template with a PulumiPolicy.yaml, or a program. ERR_INVALID
 * "policy_missing". */
NODISCARD bool policy_check(const struct pulumi_place *place, struct error *err);

/* Their paths, ended by NULL; NULL: there are none. The caller frees with cli_words_free(). */
char **policy_packs(const struct pulumi_place *place);

#endif
