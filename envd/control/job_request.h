/*
 * job_request.h - what a worker is told: request.json (the protocol is in templates/engines.md).
 */
#ifndef ENVD_CONTROL_JOB_REQUEST_H
#define ENVD_CONTROL_JOB_REQUEST_H

#include "control/control.h"
#include "model/environment.h"
#include "store/store_checks.h"
#include "store/store_jobs.h"

/* `run` only for check jobs. New reference. ERR_UNAVAILABLE when the target is no longer
 * configured. */
NODISCARD bool job_request_make(const struct control *control,
				const struct environment *environment, const struct job_row *job,
				const struct check_run *run, json_t **request, struct error *err);

/* A question about an environment outside of any job: "logs", "inspect", "exec". No call of the
 * engine in it lasts longer than JOB_QUESTION_MS; with `is_open_ended` they last as long as whoever
 * asked wants. */
enum { JOB_QUESTION_MS = 60000 };
NODISCARD bool job_request_question(const struct control *control,
				    const struct environment *environment, const char *task,
				    bool is_open_ended, json_t **request, struct error *err);

/* A question about a whole target: "inventory" or "probe". */
json_t *job_request_target(const char *instance, const struct target *target, const char *task);

/* DATA/environments/ID; the caller frees. */
char *environment_folder(const struct control *control, struct env_id id);

#endif
