/*
 * sim_suite.c - a range of seeds over a few processes; a failing one is tried again with one
 * operation after the other left out, for as long as it still fails in the same way.
 */
#include "tests/simulation/sim_suite.h"

#include <malloc.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/log.h"
#include "tests/simulation/sim.h"

enum { PROCESSES_MAX = 8, GIVE_UP_AFTER = 5 };

/* What a process tells its parent, also by dying. */
struct report {
	struct sim_totals totals;
	uint64_t running; /* seed */
	bool is_over;
	char failure[400];
};

static struct report *share(size_t count)
{
	struct report *reports = mmap(NULL, count * sizeof(*reports), PROT_READ | PROT_WRITE,
				      MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (reports == MAP_FAILED)
		abort();
	memset(reports, 0, count * sizeof(*reports));
	return reports;
}

static void add_counts(struct sim_totals *totals, const struct sim_counts *counts)
{
	totals->turns += counts->turns;
	totals->commits += counts->commits;
	totals->crashes += counts->crashes;
	totals->ready += counts->ready;
	totals->destroyed += counts->destroyed;
	totals->adopted += counts->adopted;
	totals->recovered += counts->recovered;
	totals->extended += counts->extended;
	totals->gone += counts->gone;
	totals->worker_faults += counts->worker_faults;
	totals->sweeps += counts->sweeps;
	totals->swept += counts->swept;
}

/* Errors that are meant to happen are nobody's to read. */
static void be_quiet(void)
{
	if (!freopen("/dev/null", "w", stderr))
		abort();
}

/* One thread, nobody asks SQLite how much memory it has, and what was freed is kept. */
static void be_fast(void)
{
	sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	mallopt(M_TRIM_THRESHOLD, 1 << 28);
}

static void run_range(uint64_t first, uint64_t end, uint64_t stride, struct report *report)
{
	struct sim *made = xcalloc(1, sizeof(*made));

	be_quiet();
	be_fast();
	for (uint64_t seed = first; seed < end; seed += stride) {
		report->running = seed;
		sim_schedule_make(made, seed);
		report->totals.schedules++;
		if (!sim_run(made) && report->totals.failures++ == 0) {
			report->totals.first_failed = seed;
			memcpy(report->failure, made->failure, sizeof(report->failure));
		}
		add_counts(&report->totals, &made->counts);
		if (report->totals.failures == GIVE_UP_AFTER)
			break;
	}
	free(made);
	report->is_over = true;
}

static void count_in(struct sim_totals *totals, const struct report *report, int status)
{
	const struct sim_totals *more = &report->totals;
	uint64_t failed = more->first_failed;

	totals->schedules += more->schedules;
	totals->failures += more->failures;
	add_counts(totals, &(struct sim_counts){ more->turns, more->commits, more->crashes,
						 more->ready, more->destroyed, more->adopted,
						 more->recovered, more->extended, more->gone,
						 more->worker_faults, more->sweeps, more->swept });
	if (more->failures)
		printf("seed %llu: %s\n", (unsigned long long)failed, report->failure);
	if (!report->is_over) {
		printf("seed %llu: the process died (wait status %d)\n",
		       (unsigned long long)report->running, status);
		totals->failures++;
		failed = report->running;
	}
	if ((more->failures || !report->is_over) &&
	    (!totals->first_failed || failed < totals->first_failed))
		totals->first_failed = failed;
}

/* In a process of its own: what fails may also crash. */
static bool fails_alike(const struct sim *schedule, const char *alike, char failure[400])
{
	struct report *report = share(1);
	struct sim *made;
	pid_t pid;
	bool same;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		made = xcalloc(1, sizeof(*made));
		*made = *schedule;
		be_quiet();
		be_fast();
		sim_run(made);
		memcpy(report->failure, made->failure, sizeof(report->failure));
		report->is_over = true;
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	if (!report->is_over)
		snprintf(report->failure, sizeof(report->failure), "DIED");
	memcpy(failure, report->failure, sizeof(report->failure));
	/* The same invariant, whatever the numbers. */
	same = *failure && (!alike || strncmp(failure, alike, 3) == 0);
	munmap(report, sizeof(*report));
	return same;
}

static void shrink(struct sim *schedule, const char *failure)
{
	bool changed = true;
	char got[400];

	while (changed) {
		changed = false;
		for (size_t i = 0; i < schedule->op_count; i++) {
			if (schedule->ops[i].is_left_out)
				continue;
			schedule->ops[i].is_left_out = true;
			if (fails_alike(schedule, failure, got))
				changed = true;
			else
				schedule->ops[i].is_left_out = false;
		}
	}
}

static void tell_story(const struct sim *schedule)
{
	struct sim *made;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		made = xcalloc(1, sizeof(*made));
		*made = *schedule;
		made->tells = true;
		log_set_level(LOG_INFO);
		setvbuf(stdout, NULL, _IOLBF, 0);
		sim_run(made);
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

_Bool sim_suite_replay(uint64_t seed)
{
	struct sim *schedule = xcalloc(1, sizeof(*schedule));
	char failure[400];
	bool failed;

	sim_schedule_make(schedule, seed);
	failed = fails_alike(schedule, NULL, failure);
	if (failed) {
		printf("seed %llu fails: %s\n", (unsigned long long)seed, failure);
		shrink(schedule, failure);
		printf("it still does with this alone (SEED=%llu make simulate replays it):\n",
		       (unsigned long long)seed);
	}
	sim_schedule_print(schedule);
	printf("what happens:\n");
	tell_story(schedule);
	free(schedule);
	return !failed;
}

_Bool sim_suite_story(const struct sim_op *ops, size_t count)
{
	struct sim *schedule = xcalloc(1, sizeof(*schedule));
	char failure[400];
	bool failed;

	memcpy(schedule->ops, ops, count * sizeof(*ops));
	schedule->op_count = count;
	failed = fails_alike(schedule, NULL, failure);
	if (failed) {
		printf("%s\n", failure);
		tell_story(schedule);
	}
	free(schedule);
	return !failed;
}

void sim_suite_run(uint64_t first, int64_t count, int processes, struct sim_totals *totals)
{
	struct report *reports = share(PROCESSES_MAX);
	pid_t pids[PROCESSES_MAX];

	*totals = (struct sim_totals){ 0 };
	processes = processes < PROCESSES_MAX ? processes : PROCESSES_MAX;
	fflush(stdout);
	for (int i = 0; i < processes; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			run_range(first + (uint64_t)i, first + (uint64_t)count, (uint64_t)processes,
				  &reports[i]);
			_exit(0);
		}
	}
	for (int i = 0; i < processes; i++) {
		int status = 0;

		waitpid(pids[i], &status, 0);
		count_in(totals, &reports[i], status);
	}
	munmap(reports, PROCESSES_MAX * sizeof(*reports));
	if (totals->failures)
		sim_suite_replay(totals->first_failed);
}

void sim_suite_print(const struct sim_totals *totals)
{
	printf("%lld schedules, %lld failed; %lld turns, %lld commits; %lld crashes of a program, "
	       "%lld workers that went wrong, %lld adopted, %lld recovered;\n"
	       "%lld environments ready, %lld destroyed; %lld extensions answered, %lld refused "
	       "because it was over; %lld sweeps, %lld orphans removed by them\n",
	       (long long)totals->schedules, (long long)totals->failures, (long long)totals->turns,
	       (long long)totals->commits, (long long)totals->crashes,
	       (long long)totals->worker_faults, (long long)totals->adopted,
	       (long long)totals->recovered, (long long)totals->ready, (long long)totals->destroyed,
	       (long long)totals->extended, (long long)totals->gone, (long long)totals->sweeps,
	       (long long)totals->swept);
}
