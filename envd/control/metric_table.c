#include "control/metric_table.h"

/* An environment: from a queue that is empty to a cloud that takes an hour. */
static const double long_buckets[] = { 0.1, 0.25, 0.5, 1,   2.5,  5,    10,   30,
				       60,  120,  300, 600, 1200, 1800, 3600, 0 };
/* What should be at once: the reaper's lateness has 0.25 s as its aim. */
static const double short_buckets[] = { 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
					0.5,   1,      2.5,   5,    10,    60,   0 };

// clang-format off
const struct metric_row metric_table[METRIC_COUNT] = {
	[METRIC_BUILD_INFO]        = { "envd_build_info", METRIC_GAUGE, { "version" }, NULL, "Always 1; which version runs." },
	[METRIC_REAPER_UP]         = { "envd_reaper_up", METRIC_GAUGE, { NULL }, NULL, "1 while envd-reaper runs and answers: without it nothing is destroyed." },
	[METRIC_ENVIRONMENTS]      = { "envd_environments", METRIC_GAUGE, { "state" }, NULL, "Environments that are not destroyed, by state." },
	[METRIC_QUARANTINED]       = { "envd_environments_quarantined", METRIC_GAUGE, { NULL }, NULL, "Environments whose destroy keeps failing; each is debt." },
	[METRIC_DEBT_OLDEST]       = { "envd_debt_oldest_age_seconds", METRIC_GAUGE, { NULL }, NULL, "Since when the oldest environment that is unwanted is not yet proved gone; 0 when there is none." },
	[METRIC_DEBT_COST]         = { "envd_debt_cost_per_hour", METRIC_GAUGE, { "currency" }, NULL, "What quarantined environments cost an hour, and acknowledged ones that nobody has settled: orphan money." },
	[METRIC_TARGETS_DIRTY]     = { "envd_targets_dirty", METRIC_GAUGE, { NULL }, NULL, "Targets on which nothing is placed, because something may be left on them." },
	[METRIC_TARGETS_OLDEST]    = { "envd_targets_dirty_oldest_age_seconds", METRIC_GAUGE, { NULL }, NULL, "Since when the oldest of them is dirty; 0 when there is none." },
	[METRIC_COST]              = { "envd_cost_per_hour", METRIC_GAUGE, { "currency" }, NULL, "What everything that is built and not proved gone costs an hour." },
	[METRIC_BUDGET]            = { "envd_budget_month", METRIC_GAUGE, { "project", "currency" }, NULL, "What a project may spend in a calendar month (UTC), where it has a budget." },
	[METRIC_BUDGET_TAKEN]      = { "envd_budget_taken", METRIC_GAUGE, { "project", "currency" }, NULL, "What of it is spent in this month, or reserved to the ends of leases, debts included; creates that need more than the rest are refused." },
	[METRIC_SPENT]             = { "envd_spent_total", METRIC_COUNTER, { "template", "currency" }, NULL, "What environments cost that are destroyed: metered, at the high end of their prices." },
	[METRIC_PRICES_UNREADABLE] = { "envd_price_books_unreadable", METRIC_GAUGE, { NULL }, NULL, "1 while the price books as they are now cannot be read: quotes are of those before." },
	[METRIC_JOBS_LIVE]         = { "envd_jobs_live", METRIC_GAUGE, { "kind" }, NULL, "Jobs that have begun and not ended, by kind." },
	[METRIC_ACCEPTED]          = { "envd_environments_accepted_total", METRIC_COUNTER, { NULL }, NULL, "Creates that were accepted." },
	[METRIC_CREATES]           = { "envd_creates_total", METRIC_COUNTER, { "outcome" }, NULL, "Creates that are over: ready, or the reason why it never was." },
	[METRIC_DESTROYS]          = { "envd_destroys_total", METRIC_COUNTER, { "outcome" }, NULL, "Environments that are destroyed: proved gone, or acknowledged by a person." },
	[METRIC_JOBS]              = { "envd_jobs_total", METRIC_COUNTER, { "kind", "outcome" }, NULL, "Jobs that have ended, by kind and outcome." },
	[METRIC_CHECKS]            = { "envd_check_runs_total", METRIC_COUNTER, { "verdict" }, NULL, "Check runs that have ended, by verdict." },
	[METRIC_SWEPT]             = { "envd_sweep_events_total", METRIC_COUNTER, { NULL }, NULL, "What sweeps for left-overs had to tell: each is worth reading (envctl history)." },
	[METRIC_QUEUE_SECONDS]     = { "envd_queue_seconds", METRIC_HISTOGRAM, { NULL }, long_buckets, "From the request until a slot was free." },
	[METRIC_JOB_SECONDS]       = { "envd_job_seconds", METRIC_HISTOGRAM, { "kind" }, long_buckets, "Of a job, from its intent to its end: create is provisioning, check is judging." },
	[METRIC_DESTROY_SECONDS]   = { "envd_destroy_seconds", METRIC_HISTOGRAM, { NULL }, long_buckets, "From unwanted to proved gone." },
	[METRIC_DECISION_LATENESS] = { "envd_reaper_decision_lateness_seconds", METRIC_HISTOGRAM, { NULL }, short_buckets, "From the end of a lease, queue limit or hard wall to the decision." },
	[METRIC_START_LATENESS]    = { "envd_reaper_start_lateness_seconds", METRIC_HISTOGRAM, { NULL }, short_buckets, "From the same moment to the start of its first destroy job." },
	[METRIC_COMMIT_SECONDS]    = { "envd_store_commit_seconds", METRIC_HISTOGRAM, { NULL }, short_buckets, "Of a commit of envd to the store: the one thing that may block it." },
	[METRIC_LOOP_LAG]          = { "envd_loop_lag_seconds", METRIC_HISTOGRAM, { NULL }, short_buckets, "How late a timer of the loop was, looked at four times a second." },
	[METRIC_HTTP_REQUESTS]     = { "envd_http_requests_total", METRIC_COUNTER, { "route", "status" }, NULL, "Requests that were answered, by route of the API and status." },
	[METRIC_HTTP_CONNECTIONS]  = { "envd_http_connections", METRIC_GAUGE, { NULL }, NULL, "Connections that are open." },
	[METRIC_TRACES_SENT]       = { "envd_traces_sent_total", METRIC_COUNTER, { NULL }, NULL, "Traces that the collector took." },
	[METRIC_TRACES_DROPPED]    = { "envd_traces_dropped_total", METRIC_COUNTER, { "why" }, NULL, "Traces that were given up: the queue was full, or the collector did not take them." },
	[METRIC_MEMORY]            = { "process_resident_memory_bytes", METRIC_GAUGE, { NULL }, NULL, "Memory of envd itself, without workers and reaper." },
	[METRIC_FDS]               = { "process_open_fds", METRIC_GAUGE, { NULL }, NULL, "Descriptors that envd has open." },
	[METRIC_START_TIME]        = { "process_start_time_seconds", METRIC_GAUGE, { NULL }, NULL, "When envd started, in Unix seconds; counters begin there." },
};
// clang-format on

char *metric_table_markdown(void)
{
	static const char *const kinds[] = { "counter", "gauge", "histogram" };
	struct text table = TEXT_EMPTY;

	text_add(&table, "| metric | kind | labels | meaning |\n|---|---|---|---|\n");
	for (size_t i = 0; i < METRIC_COUNT; i++) {
		const struct metric_row *row = &metric_table[i];

		text_format(&table, "| `%s` | %s | %s%s%s | %s |\n", row->name, kinds[row->kind],
			    row->labels[0] ? row->labels[0] : "", row->labels[1] ? ", " : "",
			    row->labels[1] ? row->labels[1] : "", row->help);
	}
	return text_take(&table);
}
