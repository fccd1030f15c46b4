/*
 * check_json.h - a check run as the API, the reports and the command line show it.
 *
 * { "apiVersion":"envd/v1", "kind":"CheckRun", "id", "environment":{"id","name"}, "plan",
 *   "verdict":"passed|failed|inconclusive", "started_at", "duration_ms",
 *   "smoke":[{"name","stage","status":"passed|failed|warned|skipped|error","duration_ms","attempts",
 *             "flaps","message","blocked_by":STAGE|null,
 *             "expectations":[{"text","ok","saw","severity":"fail|warn"}]}],
 *   "load":[{"name","verdict","message","planned_per_second","achieved_per_second","requests",
 *            "errors","dropped","duration_ms","first_error":TEXT|null,
 *            "warmup":{"requests","errors"},
 *            "latency_ms":{"p50","p90","p95","p99","max","mean"},"service_time_ms":{the same},
 *            "thresholds":[{"text","kind":"slo|validity|warn",
 *                           "status":"passed|failed|insufficient","saw"}],
 *            "generator":{"healthy","why","send_lag_p99_ms","cpu_percent","stall_max_ms","held"}}]
 * }
 */
#ifndef ENVD_WIRE_CHECK_JSON_H
#define ENVD_WIRE_CHECK_JSON_H

#include <jansson.h>

#include "model/verdict.h"

/* New reference. */
json_t *check_report_json(const struct check_report *report);

#endif
