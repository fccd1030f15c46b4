#include "check/smoke.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/ids.h"
#include "base/text.h"
#include "check/step.h"

#define PROGRESS_MS 5000

/* One check under way. */
struct turn {
	const struct check_smoke *check;
	struct smoke_result *result;
	int64_t started_mono_ms; /* 0: not yet */
	int64_t next_mono_ms;
	double interval_ms;
	int64_t successes; /* in a row */
	bool was_good;
	bool is_over;
};

struct runner {
	const struct check_request *request;
	struct address_guard *guard;
	int64_t deadline_mono_ms; /* INT64_MAX: none */
	int64_t said_mono_ms;     /* when progress was told last */
};

static void sleep_until(int64_t mono_ms)
{
	const struct timespec until = { mono_ms / 1000, mono_ms % 1000 * 1000000 };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) != 0)
		;
}

/* Up to a tenth longer or shorter, so that many environments do not knock in step. */
static int64_t with_jitter(double interval_ms)
{
	char hex[5];

	random_hex(hex, sizeof(hex) - 1);
	return (int64_t)(interval_ms * (0.9 + 0.2 * (double)strtoul(hex, NULL, 16) / 0xFFFF));
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* ---- one attempt --------------------------------------------------------------------------- */

static int64_t time_limit(const struct runner *runner, const struct check_step *step)
{
	int64_t left_ms = runner->deadline_mono_ms - clock_mono_ms();

	return least(step->timeout_ms, left_ms > 1 ? left_ms : 1);
}

/* A step that polls by itself: only its last try counts. */
static enum step_outcome run_step(const struct runner *runner, struct scenario *scenario,
				  const struct check_step *step, size_t number,
				  struct step_findings *findings)
{
	const struct check_eventually *eventually = &step->eventually;
	int64_t until_mono_ms =
	    least(clock_mono_ms() + eventually->timeout_ms, runner->deadline_mono_ms);
	double interval_ms = (double)eventually->interval_ms;
	const size_t kept = findings->count;

	for (;;) {
		enum step_outcome outcome =
		    step_run(scenario, step, number, time_limit(runner, step), findings);
		int64_t next_mono_ms = clock_mono_ms() + with_jitter(interval_ms);

		if (outcome != STEP_BAD || !eventually->is_given || next_mono_ms >= until_mono_ms)
			return outcome;
		step_findings_cut(findings, kept);
		sleep_until(next_mono_ms);
		interval_ms *= eventually->factor;
		if (interval_ms > (double)eventually->interval_max_ms)
			interval_ms = (double)eventually->interval_max_ms;
	}
}

static enum step_outcome attempt(const struct runner *runner, const struct check_smoke *check,
				 struct step_findings *findings)
{
	AUTO(scenario_free)
	struct scenario *scenario = scenario_new(runner->request, runner->guard);

	for (size_t i = 0; i < check->step_count; i++) {
		enum step_outcome outcome = run_step(runner, scenario, &check->steps[i],
						     check->step_count > 1 ? i + 1 : 0, findings);

		if (outcome != STEP_GOOD)
			return outcome;
	}
	return STEP_GOOD;
}

/* ---- one check ----------------------------------------------------------------------------- */

static void tell(const struct runner *runner, const struct smoke_result *result)
{
	if (runner->request->lines)
		worker_say_check(runner->request->lines, result->name, result->stage,
				 check_status_name(result->status), result->message);
}

static void finish(const struct runner *runner, struct turn *turn, enum check_status status,
		   const char *message)
{
	struct smoke_result *result = turn->result;

	turn->is_over = true;
	result->status = status;
	free(result->message);
	result->message = xstrdup(message);
	if (turn->started_mono_ms)
		result->duration_ms = clock_mono_ms() - turn->started_mono_ms;
	tell(runner, result);
}

static void keep_findings(struct smoke_result *result, struct step_findings *findings)
{
	expectation_results_free(result->expectations, result->expectation_count);
	result->expectations = TAKE(findings->results);
	result->expectation_count = findings->count;
	findings->count = 0;
}

/* The first warning, when nothing else is to be said. */
static const char *first_warning(const struct smoke_result *result, char *into, size_t size)
{
	*into = '\0';
	for (size_t i = 0; i < result->expectation_count && !*into; i++)
		if (!result->expectations[i].is_met)
			snprintf(into, size, "%s: saw %s", result->expectations[i].text,
				 result->expectations[i].saw);
	return into;
}

static void on_good(const struct runner *runner, struct turn *turn,
		    const struct step_findings *findings)
{
	char message[400] = "";

	turn->was_good = true;
	turn->successes++;
	if (turn->check->eventually.is_given && turn->successes < turn->check->eventually.successes)
		return;
	if (findings->has_warning)
		first_warning(turn->result, message, sizeof(message));
	finish(runner, turn, findings->has_warning ? CHECK_WARNED : CHECK_PASSED, message);
}

static void on_bad(struct turn *turn)
{
	if (turn->was_good)
		turn->result->flaps++;
	turn->was_good = false;
	turn->successes = 0;
}

/* Now and then, so that a long wait is seen to be one. */
static void say_waiting(struct runner *runner, const struct turn *turn, const char *message)
{
	if (!runner->request->lines || clock_mono_ms() - runner->said_mono_ms < PROGRESS_MS)
		return;
	runner->said_mono_ms = clock_mono_ms();
	worker_say_progress(runner->request->lines, "waiting for check %s: %s", turn->check->name,
			    message);
}

/* When to try again, or the end of the patience. */
static void schedule(const struct runner *runner, struct turn *turn, const char *message)
{
	const struct check_eventually *eventually = &turn->check->eventually;
	int64_t until_mono_ms = turn->started_mono_ms + eventually->timeout_ms;
	char final[500];

	turn->next_mono_ms = clock_mono_ms() + with_jitter(turn->interval_ms);
	turn->interval_ms *= eventually->factor;
	if (turn->interval_ms > (double)eventually->interval_max_ms)
		turn->interval_ms = (double)eventually->interval_max_ms;
	if (!eventually->is_given) {
		finish(runner, turn, CHECK_FAILED, message);
	} else if (turn->next_mono_ms >= until_mono_ms) {
		if (turn->was_good)
			message = "it was good, but not often enough in a row";
		snprintf(final, sizeof(final), "%s (after %d attempts)", message,
			 turn->result->attempts);
		finish(runner, turn, CHECK_FAILED, final);
	}
}

static void take_turn(struct runner *runner, struct turn *turn)
{
	struct step_findings findings = { 0 };
	enum step_outcome outcome;

	if (!turn->started_mono_ms)
		turn->started_mono_ms = clock_mono_ms();
	if (clock_mono_ms() >= runner->deadline_mono_ms) {
		finish(runner, turn, CHECK_ERROR, "the time for checks was over");
		return;
	}
	turn->result->attempts++;
	outcome = attempt(runner, turn->check, &findings);
	keep_findings(turn->result, &findings);
	if (outcome == STEP_GOOD) {
		on_good(runner, turn, &findings);
	} else if (outcome == STEP_ERROR) {
		finish(runner, turn, CHECK_ERROR, findings.message);
	} else {
		on_bad(turn);
		if (outcome == STEP_HOPELESS)
			finish(runner, turn, CHECK_FAILED, findings.message);
	}
	if (!turn->is_over)
		schedule(runner, turn, findings.message);
	if (!turn->is_over)
		say_waiting(runner, turn, findings.message);
	step_findings_clear(&findings);
}

/* ---- a stage ------------------------------------------------------------------------------- */

/* The one that is due first; on the same time, the first in the plan. Those that say "now" wait
 * until nothing says "eventually" any more. */
static struct turn *next_turn(struct turn *turns, size_t count, size_t stage)
{
	for (int is_now = 0; is_now <= 1; is_now++) {
		struct turn *next = NULL;

		for (size_t i = 0; i < count; i++) {
			struct turn *turn = &turns[i];

			if (turn->is_over || turn->check->stage != stage ||
			    turn->check->eventually.is_given == (bool)is_now)
				continue;
			if (!next || turn->next_mono_ms < next->next_mono_ms)
				next = turn;
		}
		if (next)
			return next;
	}
	return NULL;
}

static void run_stage(struct runner *runner, struct turn *turns, size_t count, size_t stage)
{
	struct turn *turn;

	while ((turn = next_turn(turns, count, stage))) {
		if (turn->next_mono_ms > clock_mono_ms())
			sleep_until(least(turn->next_mono_ms, runner->deadline_mono_ms));
		take_turn(runner, turn);
	}
}

static bool stage_has_passed(const struct turn *turns, size_t count, size_t stage)
{
	for (size_t i = 0; i < count; i++)
		if (turns[i].check->stage == stage && turns[i].result->status != CHECK_PASSED &&
		    turns[i].result->status != CHECK_WARNED)
			return false;
	return true;
}

static void skip_stage(const struct runner *runner, struct turn *turns, size_t count, size_t stage,
		       const char *blocked_by)
{
	char message[160];

	snprintf(message, sizeof(message), "blocked by stage \"%s\"", blocked_by);
	for (size_t i = 0; i < count; i++) {
		if (turns[i].check->stage != stage)
			continue;
		turns[i].result->blocked_by = xstrdup(blocked_by);
		finish(runner, &turns[i], CHECK_SKIPPED, message);
	}
}

/* ---- the whole ----------------------------------------------------------------------------- */

/* Of the checks that are for this environment. */
static struct turn *make_turns(const struct check_request *request, struct check_report *report)
{
	const struct check_plan *plan = request->plan;
	struct turn *turns = xcalloc(plan->smoke_count, sizeof(*turns));

	report->smoke = xcalloc(plan->smoke_count, sizeof(*report->smoke));
	for (size_t i = 0; i < plan->smoke_count; i++) {
		size_t at = report->smoke_count;
		struct smoke_result *result = &report->smoke[at];

		if (!check_smoke_applies(&plan->smoke[i], request->parameters))
			continue;
		report->smoke_count++;
		result->name = xstrdup(plan->smoke[i].name);
		result->stage = xstrdup(plan->stages[plan->smoke[i].stage]);
		result->message = xstrdup("");
		turns[at] =
		    (struct turn){ .check = &plan->smoke[i],
				   .result = result,
				   .interval_ms = (double)plan->smoke[i].eventually.interval_ms };
	}
	return turns;
}

void smoke_run(const struct check_request *request, struct address_guard *guard,
	       struct check_report *report)
{
	const struct check_plan *plan = request->plan;
	AUTO(free) struct turn *turns = make_turns(request, report);
	struct runner runner = { request, guard, INT64_MAX, clock_mono_ms() };
	const char *blocked_by = NULL;

	if (request->deadline_at_ms)
		runner.deadline_mono_ms =
		    clock_mono_ms() + request->deadline_at_ms - clock_wall_ms();
	for (size_t stage = 0; stage < plan->stage_count; stage++) {
		if (blocked_by) {
			skip_stage(&runner, turns, report->smoke_count, stage, blocked_by);
			continue;
		}
		run_stage(&runner, turns, report->smoke_count, stage);
		if (!stage_has_passed(turns, report->smoke_count, stage))
			blocked_by = plan->stages[stage];
	}
}
