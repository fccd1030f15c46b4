/*
 * pulumi_build.h - the verbs that build: plan, create, recover.
 */
#ifndef ENVD_ENGINE_PULUMI_PULUMI_BUILD_H
#define ENVD_ENGINE_PULUMI_PULUMI_BUILD_H

#include "engine/pulumi/pulumi_place.h"

bool pulumi_plan(const struct engine_request *request, struct worker_lines *lines, json_t **data,
		 struct error *err);
bool pulumi_create(const struct engine_request *request, struct worker_lines *lines, json_t **data,
		   struct error *err);
bool pulumi_recover(const struct engine_request *request, struct worker_lines *lines, json_t **data,
		    struct error *err);

/* The place as an earlier job left it, to look into or to destroy: projects read, variables set.
 * `is_there` false: nothing was ever built in it. */
NODISCARD bool place_reopen(const struct engine_request *request, struct worker_lines *lines,
			    struct pulumi_place *place, bool *is_there, struct error *err);

#endif
