/*
 * pulumi_checkout.h - an environment's own copy of the projects: from a folder of the template, or
 * from a git source of the server's configuration at the commit that the lock names.
 */
#ifndef ENVD_ENGINE_PULUMI_PULUMI_CHECKOUT_H
#define ENVD_ENGINE_PULUMI_PULUMI_CHECKOUT_H

#include "engine/pulumi/pulumi_place.h"

/* Where it comes from, fetched if need be. `locked` (may be NULL) is "checkout" of a lock. */
struct checkout_origin {
	char *folder;
	json_t *lock; /* {"folder"} or {"source","repository","ref","commit"} */
};

/* ERR_INVALID "checkout_missing", "source_unknown"; and those of source/source.h. */
NODISCARD bool checkout_find(const struct pulumi_place *place, const json_t *locked,
			     struct worker_lines *lines, struct checkout_origin *origin,
			     struct error *err);
void checkout_origin_release(struct checkout_origin *origin);

static inline void auto_checkout_origin_release(struct checkout_origin *origin)
{
	checkout_origin_release(origin);
}

/* Copied and changed as the template says (pulumi_change.h), whole or not at all; what is there
 * already stays as it is. `*made` is what was changed, as noted when it was made. New reference. */
NODISCARD bool checkout_make(const struct pulumi_place *place, const char *from, json_t **made,
			     struct error *err);
/* So that it is made anew. */
NODISCARD bool checkout_forget(const struct pulumi_place *place, struct error *err);

#endif
