/*
 * job_runner.h - between the rows of jobs and their processes: the two-phase start, the lines as
 * history, the end applied once, and what a restart finds.
 */
#ifndef ENVD_CONTROL_JOB_RUNNER_H
#define ENVD_CONTROL_JOB_RUNNER_H

#include "control/control.h"
#include "store/store_jobs.h"

struct job_runner;

struct job_runner *job_runner_new(struct control *control);
/* Processes go on: they outlive us on purpose. */
void job_runner_free(struct job_runner *runner);

/* Commit the intent with this transaction; everything else follows it. `check_run` may be NULL. */
NODISCARD bool job_runner_start(struct job_runner *runner, struct store_tx *tx,
				const struct environment *environment, const char *kind,
				const char *check_run, struct error *err);

/* Ask once, in the row; the file that the supervisor watches follows the commit. */
NODISCARD bool job_runner_stop(struct job_runner *runner, struct store_tx *tx, struct job_id id,
			       struct error *err);

/* Live rows of ours that nobody follows: adopt what runs, apply what has ended. Part of every pass,
 * so a restart is no special case; looks only where there may be such rows, or did not for ten
 * seconds. */
NODISCARD bool job_runner_attend(struct job_runner *runner, struct store_tx *tx, struct error *err);

/* Whether there are live jobs of ours that the next attending would have to look at. */
NODISCARD bool job_runner_has_strangers(struct job_runner *runner, bool *has, struct error *err);

/* A row became ours without job_runner_start(): the next attending looks. */
void job_runner_look_again(struct job_runner *runner);

/* How many processes of this kind are under way or about to start. */
size_t job_runner_count(const struct job_runner *runner, const char *kind);

#endif
