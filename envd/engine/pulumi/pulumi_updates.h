/*
 * pulumi_updates.h - what every operation on a layer did: when, how it ended, and what it changed
 *of which resource. For people who look in; nothing is decided by it.
 *
 *	FOLDER/pulumi/updates/000012.json
 *
 * One file each, the newest 200; kept after the end with the rest of the folder. There are no
 * secrets in them (pulumi_diff.h). They are written as well as can be: an operation never fails
 * because its entry could not be written.
 */
#ifndef ENVD_ENGINE_PULUMI_PULUMI_UPDATES_H
#define ENVD_ENGINE_PULUMI_PULUMI_UPDATES_H

#include "engine/pulumi/pulumi_place.h"

enum { UPDATES_KEPT = 200, UPDATE_BYTES_MAX = 131072 };

struct pulumi_update;

/* Begins an entry; `operation` is what the CLI calls it: "up", "destroy", "refresh". */
struct pulumi_update *update_begin(const struct pulumi_place *place, const char *layer,
				   const char *operation);
/* One resource, from the metadata of its event. */
void update_add(struct pulumi_update *update, const json_t *metadata, bool has_failed);
/* Writes it down and frees it. `why` NULL: it succeeded. NULL is fine. */
void update_end(struct pulumi_update *update, const char *why);

/* What was under way when its worker died is from now on "interrupted". When nothing lives. */
void updates_settle(const struct pulumi_place *place);

/*
 * The engine's verb: {"items": [{"n", "layer", "operation", "state":
 * "running|succeeded|failed|interrupted", "started_at", "ended_at", "message", "changes":
 * {"create": 2}, "resources": [{"urn", "type", "name", "op", "id", "failed", "attributes": [...],
 * "attributes_left_out"}], "left_out"}], "next"}, oldest first.
 */
bool pulumi_updates(const struct engine_request *request, const struct engine_page *page,
		    json_t **data, struct error *err);

#endif
