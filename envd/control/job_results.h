/*
 * job_results.h - what the end of a job means for its environment. Runs inside a turn's
 * transaction, after the row was ended by compare-and-set, so exactly once per job.
 */
#ifndef ENVD_CONTROL_JOB_RESULTS_H
#define ENVD_CONTROL_JOB_RESULTS_H

#include "control/control.h"
#include "jobs/job.h"
#include "store/store_jobs.h"

NODISCARD bool job_results_apply(struct control *control, struct store_tx *tx,
				 const struct job_row *job, const struct job_end *end,
				 struct error *err);

#endif
