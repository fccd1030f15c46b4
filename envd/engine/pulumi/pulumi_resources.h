/*
 * pulumi_resources.h - what Pulumi's books say there is, resource by resource: what it is, its id,
 * and where its cloud's console shows it. No attributes: these may be secrets.
 */
#ifndef ENVD_ENGINE_PULUMI_PULUMI_RESOURCES_H
#define ENVD_ENGINE_PULUMI_PULUMI_RESOURCES_H

#include "engine/engine.h"

bool pulumi_resources(const struct engine_request *request, const struct engine_page *page,
		      struct worker_lines *lines, json_t **data, struct error *err);

/* One resource of a state; `all` are those of the same state, its provider among them. New
 * reference. */
json_t *resource_json(const json_t *resource, const json_t *all, const char *layer);

#endif
