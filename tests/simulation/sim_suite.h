/*
 * sim_suite.h - many schedules, in processes of their own.
 */
#ifndef TESTS_SIMULATION_SIM_SUITE_H
#define TESTS_SIMULATION_SIM_SUITE_H

#include <stddef.h>
#include <stdint.h>

struct sim_totals {
	int64_t schedules, failures;
	uint64_t first_failed; /* its seed */
	int64_t turns, commits, crashes, ready, destroyed, adopted, recovered, extended, gone,
	    worker_faults, sweeps, swept;
};

/* Seeds `first` to `first + count - 1` in `processes` at a time; the first that fails is shrunk and
 * printed. */
void sim_suite_run(uint64_t first, int64_t count, int processes, struct sim_totals *totals);
void sim_suite_print(const struct sim_totals *totals);
/* One schedule with its story, then shrunk. False when it fails. */
_Bool sim_suite_replay(uint64_t seed);

/* Not from a seed but written down: `ops` in order of time. Prints the failure, if there is one. */
struct sim_op;
_Bool sim_suite_story(const struct sim_op *ops, size_t count);

#endif
