/*
 * quota.h - how much a project may use at once, and whether one more environment fits. Pure
 * arithmetic.
 */
#ifndef ENVD_MODEL_QUOTA_H
#define ENVD_MODEL_QUOTA_H

#include <stdint.h>

#include "base/error.h"

/* What may not be exceeded. */
#define QUOTA_UNLIMITED INT64_MAX

struct quota {
	int64_t environments; /* not destroyed, queued ones too */
	int64_t lease_ms;     /* of one environment, extensions included */
	int64_t memory_bytes; /* sum of what their templates declare */
	int64_t creates_per_hour;
	int64_t microcents_per_hour; /* sum of their prices */
};
extern const struct quota quota_unlimited;

/* What the project has now. */
struct quota_use {
	int64_t environments;
	int64_t memory_bytes;
	int64_t creates_last_hour;
	int64_t microcents_per_hour;
};

/* What one more would add. */
struct quota_ask {
	const char *template_name;
	int64_t lease_ms;
	int64_t memory_bytes; /* 0: its template does not say */
	int64_t microcents_per_hour;
};

/* ERR_LIMIT, slugs quota_environments, quota_lease, quota_memory, quota_creates and quota_cost:
 * which quota of `project`, what is used, what was asked; the hint is the way out. */
NODISCARD bool quota_check(const char *project, const struct quota *quota,
			   const struct quota_use *use, const struct quota_ask *ask,
			   struct error *err);

#endif
