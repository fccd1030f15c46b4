/*
 * simulate - run schedules of the simulation by hand: SEED=n replays one with its story,
 * SCHEDULES=n runs that many (20,000), FIRST=n from that seed on (1).
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/simulation/sim_suite.h"

static int64_t number(const char *name, int64_t otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtoll(text, NULL, 10) : otherwise;
}

int main(void)
{
	struct sim_totals totals;
	int64_t seed = number("SEED", 0);

	if (seed)
		return sim_suite_replay((uint64_t)seed) ? 0 : 1;
	sim_suite_run((uint64_t)number("FIRST", 1), number("SCHEDULES", 20000),
		      (int)number("PROCESSES", 2), &totals);
	sim_suite_print(&totals);
	return totals.failures ? 1 : 0;
}
