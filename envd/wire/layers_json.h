/*
 * layers_json.h - the layers of an environment, put together from its history: what each needs (by
 * the plan, which the history holds), how far it is, when it was built and how long that took.
 *
 * [{"name", "needs": [NAME...], "level", "state": "waiting|building|ready|failed|removing|removed",
 *   "started_at", "ended_at", "elapsed_ms", "attempts", "removed_at", "message"}]
 *
 * in the order of the plan, then of the history. What is not known is null; times are those of
 * building. A layer that failed to be removed is "failed" as well; its message says why.
 */
#ifndef ENVD_WIRE_LAYERS_JSON_H
#define ENVD_WIRE_LAYERS_JSON_H

#include <jansson.h>

/* `history` is an array of rows as history_json() writes them, oldest first. New reference. */
json_t *layers_json(const json_t *history);

#endif
