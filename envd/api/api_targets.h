/*
 * api_targets.h - handlers: what environments are built on, who has it, and is it clean?
 */
#ifndef ENVD_API_API_TARGETS_H
#define ENVD_API_API_TARGETS_H

#include "api/api_context.h"
#include "store/store_targets.h"

void api_list_targets(void *api, struct http_request *request);
/* Body {"state": "dirty"|"clean", "why"}: by its name, and audited. */
void api_mark_target(void *api, struct http_request *request);

/* {"target","environment","owner","state","since","until"}; its name and owner only for who may
 * read it. New reference. */
json_t *api_target_holder(struct api *api, const char *target, const struct holder *holder);

#endif
