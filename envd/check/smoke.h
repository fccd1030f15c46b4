/*
 * smoke.h - run the smoke checks of a plan, stage by stage.
 *
 * A stage that does not pass makes the later ones skipped. Within a stage, the checks that say
 * "eventually" (readiness) run first, then those that say "now" (verdict), in the plan's order.
 * Attempts are made one at a time, but the waits between them overlap: ten services that need a
 * minute to come up need one minute together. A healthy environment is judged without any wait, so
 * more than one attempt at a time would gain little, and what one check does could disturb another.
 */
#ifndef ENVD_CHECK_SMOKE_H
#define ENVD_CHECK_SMOKE_H

#include "check/address_guard.h"
#include "check/check.h"

/* Fills report->smoke: one result for each check of the plan. */
void smoke_run(const struct check_request *request, struct address_guard *guard,
	       struct check_report *report);

#endif
