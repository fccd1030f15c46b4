/*
 * load.h - run one load check: requests become due at a constant rate whatever the product does
 * (open model), and latency counts from the moment a request was due. A product that stalls cannot
 * hide behind requests that were never sent.
 *
 * One connection carries one request at a time. When all of them wait for the product, what becomes
 * due is held back and sent as soon as one is free, its latency counting all along; those are told
 * as `held`, and what could not be sent at all until the end as `dropped`, which are errors.
 *
 * The generator watches itself (generator_health.h).
 */
#ifndef ENVD_CHECK_LOAD_H
#define ENVD_CHECK_LOAD_H

#include "check/address_guard.h"
#include "check/check.h"

/* `result` is empty; everything in it is filled in. */
void load_run(const struct check_request *request, struct address_guard *guard,
	      const struct check_load *load, struct load_result *result);

#endif
