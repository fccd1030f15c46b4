/*
 * cost.h - what an environment costs, in microcents (10^-8 of the currency's unit), so that sums
 * are exact. Pure arithmetic.
 */
#ifndef ENVD_MODEL_COST_H
#define ENVD_MODEL_COST_H

#include <stdint.h>

#include "model/environment.h"
#include "model/money.h"

struct cost {
	int64_t so_far_microcents; /* from the moment an engine may have made something until it is
				      proved gone, or settled if it was acknowledged */
	int64_t at_expiry_microcents; /* if it lives until its lease ends; so_far once it ended */
};

/* Price for `ms` at `microcents_per_hour`, rounded half up; saturates. */
int64_t cost_for(int64_t microcents_per_hour, int64_t ms);

struct cost cost_of(const struct environment *environment, int64_t now_ms);

/* What destroying it left behind, and costs until it is proved gone; 0: nothing that we know of. */
int64_t cost_debt_per_hour(const struct environment *environment);

/* In units of the currency, for metrics alone: Prometheus knows nothing else. */
double cost_to_units(int64_t microcents);

#endif
