/*
 * pulumi_diff.h - what an operation changed of a resource, attribute by attribute, from the engine
 * event that tells of it. Pure.
 *
 * Nobody's secrets: what Pulumi masks stays masked, and what a name, the text itself or the list of
 * known values says is one is masked, too. So the result may be stored and shown.
 */
#ifndef ENVD_ENGINE_PULUMI_PULUMI_DIFF_H
#define ENVD_ENGINE_PULUMI_PULUMI_DIFF_H

#include "base/json_read.h"

#define DIFF_MASK "[secret]"
enum { DIFF_ATTRIBUTES_MAX = 40, DIFF_VALUE_BYTES_MAX = 200, DIFF_PATH_BYTES_MAX = 200 };

/*
 * [{"path": "spec.replicas", "from": "1", "to": "2"}] of an event's `metadata`: null where there
 * was or will be nothing. Text that is too long is cut and marked by "...". What was found beyond
 * DIFF_ATTRIBUTES_MAX is counted in `*left_out`. `secrets` is an array of known values, or NULL.
 * New reference.
 */
json_t *diff_attributes(const json_t *metadata, const json_t *secrets, size_t *left_out);

#endif
