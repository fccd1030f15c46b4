/*
 * environment_times.h - how long each part of an environment's way to ready took, from its report.
 */
#ifndef CLI_ENVIRONMENT_TIMES_H
#define CLI_ENVIRONMENT_TIMES_H

#include "base/json_read.h"

/* {"queued_ms", "provisioning_ms", "checking_ms", "layers": {NAME: ms}} of GET .../report. What is
 * not over counts until the report was made; what did not happen is missing, as is a layer that was
 * not built to its end. New reference. */
json_t *environment_times(const json_t *report);

#endif
