/*
 * timeline.h - where the time of an environment went: waiting, each layer, checks, in use, and what
 * nobody accounts for. From its history alone. Pure.
 */
#ifndef CLI_TIMELINE_H
#define CLI_TIMELINE_H

#include <stdint.h>

#include "base/json_read.h"

/*
 * {"whole_ms", "queued_ms", "layers_ms", "checks_ms", "in_use_ms", "kept_ms", "unattributed_ms",
 *  "until_ready_ms", "steps": [{"name", "kind": "phase|layer|unattributed", "state", "start_ms",
 *  "duration_ms", "is_over"}]}
 *
 * The six parts sum up to the whole. Of layers that are built at the same time each has its own
 * duration, and the time in which at least one was is layers_ms; what is left of building and
 * destroying is unattributed: planning, fetching, proving, pauses between attempts.
 * `until_ready_ms` is null as long as it never was. Starts count from the request. `now_ms` is Unix
 * time, for what is not over. New reference.
 */
json_t *timeline_make(const json_t *history, int64_t now_ms);

#endif
