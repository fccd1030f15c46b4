/*
 * generator_health.h - was the load generator itself well enough for its numbers to be believed?
 *
 * Its limits are about what would change a verdict, not about perfection, because it often runs on
 *the same two busy cores as the product:
 *
 *	send lag p99   at most 5 ms, or a tenth of the p50 measured or of the tightest latency limit
 *in the plan, whichever is most: lateness is part of every latency that is told longest pause  at
 *most 250 ms own CPU        at most 80 % of one core
 *
 * Requests that were held because every connection waited for the product are not the generator's.
 */
#ifndef ENVD_CHECK_GENERATOR_HEALTH_H
#define ENVD_CHECK_GENERATOR_HEALTH_H

#include "base/latency_histogram.h"
#include "model/verdict.h"

struct generator_numbers {
	const struct latency_histogram *send_lag;
	int64_t latency_p50_us;
	int64_t tightest_limit_us; /* 0: no threshold about latency */
	int64_t stall_max_us;
	double cpu_percent; /* of one core */
	int64_t held;
};

void generator_judge(const struct generator_numbers *numbers, struct generator_health *health);

#endif
