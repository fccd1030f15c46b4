/*
 * api_plan.h - what a create would do: POST /v1/environments?dry_run=true.
 *
 * The create is done and undone in one transaction, so a plan is refused by exactly what would
 * refuse the create. What only a worker can find out is listed in "not_checked".
 */
#ifndef ENVD_API_API_PLAN_H
#define ENVD_API_API_PLAN_H

#include "api/api_context.h"
#include "control/lifecycle.h"

/* {"kind":"Plan", "would": "create" or "nothing", ...} of what was inserted in this transaction, or
 * was there before (`is_replay`). New reference. */
NODISCARD bool api_plan(struct api *api, const struct create_request *request, struct env_id id,
			bool is_replay, json_t **plan, struct error *err);

#endif
