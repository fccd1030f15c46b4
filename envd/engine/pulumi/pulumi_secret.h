/*
 * pulumi_secret.h - the value behind a secret's reference, read when it is needed and kept nowhere.
 */
#ifndef ENVD_ENGINE_PULUMI_PULUMI_SECRET_H
#define ENVD_ENGINE_PULUMI_PULUMI_SECRET_H

#include "engine/pulumi/pulumi_place.h"

/* The first of its alternatives that is there; `*value` NULL: there is none, and that is fine. The
 * caller frees. ERR_INVALID "secret_missing" names it and where it was looked for; ERR_EXTERNAL
 * when its command failed. */
NODISCARD bool secret_read(const struct pulumi_place *place, const struct layer_secret *secret,
			   char **value, struct error *err);

#endif
