/*
 * pulumi_destroy.h - everything of an environment removed, from its states: no program of it runs.
 *
 * Layers go in the reverse of the order that they need each other in; what failed does not stop
 * what does not depend on it. A stack is removed only when its state is empty, nothing is pending
 * and the inventories know of nothing any more, and never by force.
 */
#ifndef ENVD_ENGINE_PULUMI_PULUMI_DESTROY_H
#define ENVD_ENGINE_PULUMI_PULUMI_DESTROY_H

#include "engine/engine.h"

bool pulumi_destroy(const struct engine_request *request, struct worker_lines *lines, json_t **data,
		    struct error *err);

#endif
