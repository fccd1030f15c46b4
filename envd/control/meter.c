#include "control/meter.h"

#include <dirent.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/log.h"
#include "control/history_feed.h"
#include "control/peer.h"
#include "loop/timer.h"
#include "model/cost.h"
#include "store/store_census.h"
#include "store/store_environments.h"
#include "store/store_jobs.h"
#include "store/store_spending.h"

enum { LAG_LOOK_MS = 250 };

struct meter {
	struct control *control;
	struct metrics *metrics;
	struct history_subscription *subscription;
	struct timer *lag;
	int64_t lag_due_mono_ms;
	int64_t started_at_ms;
};

static double seconds(int64_t ms)
{
	return (double)ms / 1000;
}

/* ---- from history rows ---- */

static void observe(struct meter *meter, enum metric metric, int64_t ms)
{
	metrics_observe(meter->metrics, metric, NULL, NULL, seconds(ms));
}

static const char *reason_of(const struct environment *env)
{
	return env->reason ? env->reason : "unknown";
}

/* When it had to end by itself; 0: somebody or something else ended it. */
static int64_t due_at_ms(const struct environment *env)
{
	if (text_equal(env->reason, REASON_HARD_WALL))
		return env->hard_wall_at_ms;
	if (text_equal(env->reason, REASON_QUEUE_TIMEOUT))
		return env->created_at_ms + env->queue_limit_ms;
	if (!text_equal(env->reason, REASON_LEASE_ENDED))
		return 0;
	return env->expires_at_ms;
}

static void on_unwanted(struct meter *meter, const struct environment *env, int64_t at_ms)
{
	int64_t due = due_at_ms(env);

	if (!env->ready_at_ms && !env->kept_at_ms)
		metrics_add(meter->metrics, METRIC_CREATES, reason_of(env), NULL, 1);
	if (due)
		observe(meter, METRIC_DECISION_LATENESS, at_ms - due);
}

static void on_proved_gone(struct meter *meter, const struct environment *env, int64_t at_ms)
{
	bool is_proved = !text_equal(env->reason, REASON_ACKNOWLEDGED);

	metrics_add(meter->metrics, METRIC_DESTROYS, is_proved ? "proved" : "acknowledged", NULL,
		    1);
	observe(meter, METRIC_DESTROY_SECONDS, at_ms - env->unwanted_at_ms);
	if (env->price_microcents_per_hour)
		metrics_add(meter->metrics, METRIC_SPENT, env->template_name, env->currency,
			    cost_to_units(cost_of(env, at_ms).so_far_microcents));
}

static void on_step(struct meter *meter, const struct environment *env,
		    const struct history_row *row)
{
	if (strcmp(row->event, env_event_name(EVENT_SLOT_GRANTED)) == 0)
		observe(meter, METRIC_QUEUE_SECONDS, row->at_ms - env->created_at_ms);
	else if (strcmp(row->event, env_event_name(EVENT_CHECKS_PASSED)) == 0)
		metrics_add(meter->metrics, METRIC_CREATES, "ready", NULL, 1);
	else if (strcmp(row->event, env_event_name(EVENT_KEPT)) == 0)
		metrics_add(meter->metrics, METRIC_CREATES, reason_of(env), NULL, 1);
	else if (strcmp(row->event, env_event_name(EVENT_UNWANTED)) == 0)
		on_unwanted(meter, env, row->at_ms);
	else if (strcmp(row->event, env_event_name(EVENT_PROVED_GONE)) == 0)
		on_proved_gone(meter, env, row->at_ms);
}

static bool is_first_destroy(struct meter *meter, const struct job_row *job)
{
	AUTO(job_list_release) struct job_list jobs = { NULL, 0 };
	struct error ignored; /* not counted then */

	if (!store_jobs_of(meter->control->store, job->environment, &jobs, &ignored))
		return false;
	for (size_t i = 0; i < jobs.count; i++)
		if (strcmp(jobs.items[i]->kind, "destroy") == 0 &&
		    jobs.items[i]->intent_at_ms < job->intent_at_ms)
			return false;
	return true;
}

static void on_job(struct meter *meter, const struct environment *env,
		   const struct history_row *row)
{
	const char *kind = json_get_string(row->data, "kind", "unknown");
	struct job_id id = { .text = "" };
	AUTO(job_row_free) struct job_row *job = NULL;
	struct error ignored; /* a job that is forgotten has no duration */

	metrics_add(meter->metrics, METRIC_JOBS, kind,
		    json_get_string(row->data, "outcome", "unknown"), 1);
	snprintf(id.text, sizeof(id.text), "%s", json_get_string(row->data, "job", ""));
	if (!store_job_read(meter->control->store, id, &job, &ignored) || !job->running_at_ms)
		return;
	metrics_observe(meter->metrics, METRIC_JOB_SECONDS, kind, NULL,
			seconds(row->at_ms - job->intent_at_ms));
	if (strcmp(kind, "destroy") == 0 && due_at_ms(env) && is_first_destroy(meter, job))
		observe(meter, METRIC_START_LATENESS, job->running_at_ms - due_at_ms(env));
}

static void on_row(void *arg, const struct history_row *row)
{
	struct meter *meter = arg;
	AUTO(environment_free) struct environment *env = NULL;
	const char *verdict = json_get_string(row->data, "verdict", NULL);
	struct error ignored; /* what is not there any more is not counted */
	bool is_step = strcmp(row->kind, HISTORY_STATE) == 0;
	bool is_job = strcmp(row->kind, HISTORY_JOB) == 0;

	if (strcmp(row->kind, HISTORY_SWEEP) == 0)
		metrics_add(meter->metrics, METRIC_SWEPT, NULL, NULL, 1);
	if (strcmp(row->kind, HISTORY_CHECK) == 0 && verdict)
		metrics_add(meter->metrics, METRIC_CHECKS, verdict, NULL, 1);
	if (is_step && !row->event) {
		metrics_add(meter->metrics, METRIC_ACCEPTED, NULL, NULL, 1);
		return; /* nothing else of it is known yet: a burst of creates asks the store for
			   nothing */
	}
	if ((!is_step && !is_job) ||
	    !store_environment_show(meter->control->store, row->environment, &env, &ignored))
		return;
	if (is_step)
		on_step(meter, env, row);
	else
		on_job(meter, env, row);
}

/* ---- the loop and the store ---- */

static void on_lag(void *arg)
{
	struct meter *meter = arg;
	int64_t now = clock_mono_ms();

	observe(meter, METRIC_LOOP_LAG, now - meter->lag_due_mono_ms);
	meter->lag_due_mono_ms = now + LAG_LOOK_MS;
	timer_set_ms(meter->lag, LAG_LOOK_MS);
}

static void on_committed(void *arg, int64_t took_us)
{
	struct meter *meter = arg;

	metrics_observe(meter->metrics, METRIC_COMMIT_SECONDS, NULL, NULL, (double)took_us / 1e6);
}

struct meter *meter_new(struct control *control)
{
	struct meter *meter = xcalloc(1, sizeof(*meter));

	meter->control = control;
	meter->metrics = metrics_new(metric_table, METRIC_COUNT);
	meter->started_at_ms = clock_wall_ms();
	meter->subscription = history_feed_subscribe(control->feed, NULL, on_row, meter);
	meter->lag = timer_new(control->loop, on_lag, meter);
	meter->lag_due_mono_ms = clock_mono_ms() + LAG_LOOK_MS;
	timer_set_ms(meter->lag, LAG_LOOK_MS);
	turn_measure_commits(control->turn, on_committed, meter);
	return meter;
}

void meter_free(struct meter *meter)
{
	if (!meter)
		return;
	turn_measure_commits(meter->control->turn, NULL, NULL);
	history_feed_unsubscribe(meter->subscription);
	timer_free(meter->lag);
	metrics_free(meter->metrics);
	free(meter);
}

struct metrics *meter_metrics(struct meter *meter)
{
	return meter->metrics;
}

/* ---- when somebody asks ---- */

struct filling {
	struct metrics *metrics;
	enum metric metric;
	bool is_money;
};

static void fill_row(void *arg, const char *name, int64_t value)
{
	struct filling *filling = arg;

	metrics_set(filling->metrics, filling->metric, name, NULL,
		    filling->is_money ? cost_to_units(value) : (double)value);
}

/* A state that nobody is in is 0 and not absent: an alert can tell the two apart. */
static struct filling filling_of(struct meter *meter, enum metric metric, bool is_money)
{
	metrics_clear(meter->metrics, metric);
	for (int state = 0; metric == METRIC_ENVIRONMENTS && state < ENV_DESTROYED; state++)
		metrics_set(meter->metrics, metric, env_state_name((enum env_state)state), NULL, 0);
	return (struct filling){ meter->metrics, metric, is_money };
}

static bool fill_budget(struct meter *meter, const struct project *project, int64_t now_ms,
			struct error *err)
{
	const struct budget *budget = &project->budget;
	struct store *store = meter->control->store;
	struct owed_sum owed;
	int64_t charged;

	if (budget->month_microcents == BUDGET_UNLIMITED)
		return true;
	if (!store_spending_charged(store, project->name, budget->currency, month_of(now_ms),
				    &charged, err) ||
	    !store_spending_owed(store, project->name, budget->currency, now_ms, &owed, err))
		return false;
	metrics_set(meter->metrics, METRIC_BUDGET, project->name, budget->currency,
		    cost_to_units(budget->month_microcents));
	metrics_set(meter->metrics, METRIC_BUDGET_TAKEN, project->name, budget->currency,
		    cost_to_units(money_add(charged, owed.microcents)));
	return true;
}

static bool fill_budgets(struct meter *meter, struct error *err)
{
	const struct project_list *projects = &meter->control->settings->projects;
	int64_t now_ms = clock_wall_ms();

	metrics_clear(meter->metrics, METRIC_BUDGET);
	metrics_clear(meter->metrics, METRIC_BUDGET_TAKEN);
	for (size_t i = 0; i < projects->count; i++)
		if (!fill_budget(meter, &projects->items[i], now_ms, err))
			return false;
	return true;
}

static bool fill_from_store(struct meter *meter, struct error *err)
{
	struct store *store = meter->control->store;
	struct filling states = filling_of(meter, METRIC_ENVIRONMENTS, false);
	struct filling jobs = filling_of(meter, METRIC_JOBS_LIVE, false);
	struct filling cost = filling_of(meter, METRIC_COST, true);
	struct filling debt = filling_of(meter, METRIC_DEBT_COST, true);
	int64_t quarantined, oldest_at_ms, dirty, dirty_at_ms;

	if (!store_census_states(store, fill_row, &states, err) ||
	    !store_census_jobs(store, fill_row, &jobs, err) ||
	    !store_census_prices(store, false, fill_row, &cost, err) ||
	    !store_census_prices(store, true, fill_row, &debt, err) ||
	    !store_census_debts(store, &quarantined, &oldest_at_ms, err) ||
	    !store_census_targets(store, &dirty, &dirty_at_ms, err))
		return false;
	if (!fill_budgets(meter, err))
		return false;
	metrics_set(meter->metrics, METRIC_TARGETS_DIRTY, NULL, NULL, (double)dirty);
	metrics_set(meter->metrics, METRIC_TARGETS_OLDEST, NULL, NULL,
		    dirty_at_ms ? seconds(clock_wall_ms() - dirty_at_ms) : 0);
	metrics_set(meter->metrics, METRIC_QUARANTINED, NULL, NULL, (double)quarantined);
	metrics_set(meter->metrics, METRIC_DEBT_OLDEST, NULL, NULL,
		    oldest_at_ms ? seconds(clock_wall_ms() - oldest_at_ms) : 0);
	return true;
}

static double open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	double count = 0;

	while (dir && readdir(dir))
		count++;
	if (dir)
		closedir(dir);
	return count > 3 ? count - 3 : 0; /* ".", ".." and the one that looks */
}

static double resident_bytes(void)
{
	AUTO(free) char *text = NULL;
	struct error ignored; /* no /proc: 0 */
	const char *second;

	if (!file_read("/proc/self/statm", 4096, &text, NULL, &ignored))
		return 0;
	second = strchr(text, ' ');
	return second ? strtod(second, NULL) * (double)sysconf(_SC_PAGESIZE) : 0;
}

static void fill_process(struct meter *meter)
{
	struct metrics *metrics = meter->metrics;

	metrics_set(metrics, METRIC_BUILD_INFO, ENVD_VERSION, NULL, 1);
	metrics_set(metrics, METRIC_PRICES_UNREADABLE, NULL, NULL,
		    price_shelf_problem(meter->control->prices) != NULL);
	metrics_set(metrics, METRIC_REAPER_UP, NULL, NULL,
		    peer_is_responsive(meter->control->other));
	metrics_set(metrics, METRIC_MEMORY, NULL, NULL, resident_bytes());
	metrics_set(metrics, METRIC_FDS, NULL, NULL, open_descriptors());
	metrics_set(metrics, METRIC_START_TIME, NULL, NULL, seconds(meter->started_at_ms));
}

bool meter_text(struct meter *meter, struct text *into, struct error *err)
{
	history_feed_pump(meter->control->feed);
	if (!fill_from_store(meter, err))
		return false;
	fill_process(meter);
	metrics_text(meter->metrics, into);
	return true;
}
