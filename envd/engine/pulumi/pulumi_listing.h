/*
 * pulumi_listing.h - what exists out there, by the word of the template's inventory commands.
 *
 * A provider that has none answers "unknown": never "nothing".
 */
#ifndef ENVD_ENGINE_PULUMI_PULUMI_LISTING_H
#define ENVD_ENGINE_PULUMI_PULUMI_LISTING_H

#include "engine/pulumi/pulumi_record.h"

/* Things of this environment by one provider: [{"kind","id","name","urn"}]. New reference.
 * ERR_EXTERNAL "inventory_unknown" when nobody can tell, "hook_failed", "inventory_invalid". */
NODISCARD bool listing_of(const struct pulumi_place *place, const char *provider, json_t **items,
			  struct error *err);

/* What engine.h promises of `inventory`: those of every provider that the environment ever had
 * something from. One that cannot be asked makes it incomplete and adds its sentence to "unknown".
 * New reference. */
json_t *listing_inventory(const struct pulumi_place *place, const struct pulumi_record *record);

#endif
