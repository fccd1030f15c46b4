/*
 * metric_table.h - every metric of envd: its name, labels and meaning. docs/metrics.md is printed
 * from it (`envd --print-metrics`), and the board and the alerts may ask for nothing else.
 *
 * The names are what dashboards are made of: never change one.
 */
#ifndef ENVD_CONTROL_METRIC_TABLE_H
#define ENVD_CONTROL_METRIC_TABLE_H

#include "base/metrics.h"

enum metric {
	METRIC_BUILD_INFO,
	METRIC_REAPER_UP,
	METRIC_ENVIRONMENTS,
	METRIC_QUARANTINED,
	METRIC_DEBT_OLDEST,
	METRIC_DEBT_COST,
	METRIC_TARGETS_DIRTY,
	METRIC_TARGETS_OLDEST,
	METRIC_COST,
	METRIC_BUDGET,
	METRIC_BUDGET_TAKEN,
	METRIC_SPENT,
	METRIC_PRICES_UNREADABLE,
	METRIC_JOBS_LIVE,
	METRIC_ACCEPTED,
	METRIC_CREATES,
	METRIC_DESTROYS,
	METRIC_JOBS,
	METRIC_CHECKS,
	METRIC_SWEPT,
	METRIC_QUEUE_SECONDS,
	METRIC_JOB_SECONDS,
	METRIC_DESTROY_SECONDS,
	METRIC_DECISION_LATENESS,
	METRIC_START_LATENESS,
	METRIC_COMMIT_SECONDS,
	METRIC_LOOP_LAG,
	METRIC_HTTP_REQUESTS,
	METRIC_HTTP_CONNECTIONS,
	METRIC_TRACES_SENT,
	METRIC_TRACES_DROPPED,
	METRIC_MEMORY,
	METRIC_FDS,
	METRIC_START_TIME,
	METRIC_COUNT,
};

extern const struct metric_row metric_table[METRIC_COUNT];

/* The table as Markdown, for docs/metrics.md; the caller frees. */
char *metric_table_markdown(void);

#endif
