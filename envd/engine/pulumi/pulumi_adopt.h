/*
 * pulumi_adopt.h - what an interrupted create has made and is in nobody's books, into the books.
 *
 * The CLI's own way (`refresh --import-pending-creates`) ends well and takes nothing in: 3.259
 * marks the operation as an import and no later step reads that. So the state is exported, the
 * resource of the pending operation put among the others with its id, and imported again; the
 * refresh that follows reads what is really there. An import drops every pending operation, so all
 * creates of a stack must have been looked up before.
 */
#ifndef ENVD_ENGINE_PULUMI_PULUMI_ADOPT_H
#define ENVD_ENGINE_PULUMI_PULUMI_ADOPT_H

#include "engine/pulumi/pulumi_place.h"

/* A deployment as `stack export` prints it, with what `ids` ({URN: id}) says and nothing pending.
 * Pure. New reference. ERR_INTERNAL when a URN is no create that is under way. */
NODISCARD bool adopt_into(const json_t *whole, const json_t *ids, json_t **changed,
			  struct error *err);

/* ERR_EXTERNAL "pulumi_failed". */
NODISCARD bool adopt(const struct pulumi_place *place, size_t layer, const json_t *ids,
		     struct error *err);

#endif
