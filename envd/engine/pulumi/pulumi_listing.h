/*
 * pulumi_listing.h - what exists out there, by the word of the template's inventory commands
 * or of our own adapters (pulumi_cloud.h).
 *
 * A provider that has none answers "unknown": never "nothing".
 */
#ifndef ENVD_ENGINE_PULUMI_PULUMI_LISTING_H
#define ENVD_ENGINE_PULUMI_PULUMI_LISTING_H

#include "engine/pulumi/pulumi_record.h"

/* Things of this environment by one provider: [{"kind","id","name","urn"}]. `suspects`: names of
 * creates that were interrupted, whose things may bear nothing else of it; NULL: none. New
 * reference. ERR_EXTERNAL "inventory_unknown" when nobody can tell, "hook_failed",
 * "inventory_invalid", and those of pulumi_cloud.h. */
struct listing_question {
	const struct pulumi_place *place;
	struct pulumi_record *record;
	const char *provider;
	const json_t *suspects;
};
NODISCARD bool listing_of(const struct listing_question *question, json_t **items,
			  struct error *err);

/* What engine.h promises of `inventory`: those of every provider that the environment ever had
 * something from. One that cannot be asked makes it incomplete and adds its sentence to "unknown".
 * "settle_ms": how far apart two of them must be, where it is longer than the engine's. New
 * reference. */
json_t *listing_inventory(const struct pulumi_place *place, struct pulumi_record *record);

#endif
