#include "control/job_runner.h"

#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/files.h"
#include "base/log.h"
#include "control/job_request.h"
#include "control/job_results.h"
#include "jobs/job.h"
#include "store/store_environments.h"
#include "store/store_history.h"

enum {
	HISTORY_LINES_MAX = 2000, /* of one job: an engine that floods fills no store */
	ATTEND_MS = 10000, /* for what was not thought of: nobody is to be a stranger for long */
};

struct handle {
	struct job_runner *runner;
	struct handle *next;
	struct job_id id;
	struct env_id environment;
	char kind[16];
	struct job *job; /* NULL before the launch and once it has ended */
	int64_t lines;
};

struct job_runner {
	struct control *control;
	struct jobs *jobs;
	struct handle *handles;
	bool may_have_strangers; /* live rows of ours without a handle */
	int64_t attended_mono_ms;
};

/* One line or the end of one job, on its way into the store. */
struct report {
	struct job_runner *runner;
	struct job_id id;
	struct env_id environment;
	enum worker_line_type type;
	json_t *object;
	int64_t offset;
	struct job_end end;
	json_t *end_data;
};

static void report_free(struct report *report)
{
	json_decref(report->object);
	json_decref(report->end_data);
	free(report);
}

static struct handle *handle_find(const struct job_runner *runner, struct job_id id)
{
	struct handle *at = runner->handles;

	while (at && strcmp(at->id.text, id.text) != 0)
		at = at->next;
	return at;
}

static struct handle *handle_add(struct job_runner *runner, struct job_id id,
				 struct env_id environment, const char *kind)
{
	struct handle *handle = xcalloc(1, sizeof(*handle));

	handle->runner = runner;
	handle->id = id;
	handle->environment = environment;
	snprintf(handle->kind, sizeof(handle->kind), "%s", kind);
	handle->next = runner->handles;
	runner->handles = handle;
	return handle;
}

static void handle_drop(struct job_runner *runner, struct job_id id)
{
	for (struct handle **at = &runner->handles; *at; at = &(*at)->next) {
		struct handle *found = *at;

		if (strcmp(found->id.text, id.text) != 0)
			continue;
		*at = found->next;
		free(found);
		return;
	}
}

/* ---- lines ---- */

static struct history_entry entry_of(const struct report *report)
{
	struct history_entry entry = { .kind = HISTORY_PROGRESS,
				       .message = json_get_string(report->object, "message", ""),
				       .data = report->object };

	if (report->type == WORKER_LAYER)
		entry.kind = HISTORY_LAYER;
	else if (report->type == WORKER_LOG)
		entry.kind = HISTORY_WARNING;
	else if (report->type == WORKER_CHECK)
		entry.kind = HISTORY_CHECK;
	return entry;
}

static bool apply_line(void *arg, struct store_tx *tx, struct error *err)
{
	struct report *report = arg;
	struct history_entry entry = entry_of(report);

	return !fault_fails(POINT_JOB_LINE, err) &&
	       store_job_set_offset(tx, report->id, report->offset, err) &&
	       store_history_append(tx, &report->environment, clock_wall_ms(), &entry, err);
}

static void settle_line(void *arg, const struct error *failure)
{
	struct report *report = arg;

	/* A line that was lost with its turn is told again after the next adoption; a log is
	 * enough. */
	if (failure)
		log_debug("a line of job %s was not kept: %s", report->id.text, failure->message);
	report_free(report);
}

static bool is_worth_history(enum worker_line_type type, const json_t *object)
{
	switch (type) {
	case WORKER_PROGRESS:
	case WORKER_LAYER:
	case WORKER_CHECK:
		return true;
	case WORKER_LOG:
		return strcmp(json_get_string(object, "level", "info"), "info") != 0;
	default:
		return false;
	}
}

static void on_line(void *arg, enum worker_line_type type, const json_t *object,
		    int64_t offset_after)
{
	struct handle *handle = arg;
	struct turn_work work = { .apply = apply_line,
				  .settle = settle_line,
				  .is_persistent = true };
	struct report *report;

	if (!is_worth_history(type, object) || ++handle->lines > HISTORY_LINES_MAX)
		return;
	report = xcalloc(1, sizeof(*report));
	report->runner = handle->runner;
	report->id = handle->id;
	report->environment = handle->environment;
	report->type = type;
	report->object = json_deep_copy(object);
	report->offset = offset_after;
	work.arg = report;
	turn_add(handle->runner->control->turn, &work);
}

/* ---- ends ---- */

static bool apply_end(void *arg, struct store_tx *tx, struct error *err)
{
	struct report *report = arg;
	AUTO(job_row_free) struct job_row *row = NULL;
	bool done;

	if (!store_job_read(store_of(tx), report->id, &row, err) ||
	    !store_job_end(tx, report->id, job_outcome_name(report->end.outcome), report->end_data,
			   clock_wall_ms(), &done, err))
		return false;
	return !done || (job_results_apply(report->runner->control, tx, row, &report->end, err) &&
			 !fault_fails(POINT_JOB_END_APPLIED, err));
}

static void settle_end(void *arg, const struct error *failure)
{
	struct report *report = arg;

	/* The row is still live then, and the next pass looks at its folder again. */
	if (failure) {
		log_error("the end of job %s could not be applied yet: %s", report->id.text,
			  failure->message);
		job_runner_look_again(report->runner);
	}
	handle_drop(report->runner, report->id);
	report_free(report);
}

static void note_end(struct job_runner *runner, struct job_id id, struct env_id environment,
		     const struct job_end *end)
{
	struct turn_work work = { .apply = apply_end, .settle = settle_end, .is_persistent = true };
	struct report *report = xcalloc(1, sizeof(*report));

	report->runner = runner;
	report->id = id;
	report->environment = environment;
	report->end = *end;
	report->end_data = end->data ? json_deep_copy(end->data) : NULL;
	report->end.data = report->end_data;
	work.arg = report;
	turn_add(runner->control->turn, &work);
}

static void on_end(void *arg, const struct job_end *end)
{
	struct handle *handle = arg;

	fault_point(POINT_JOB_ENDED);
	handle->job = NULL;
	note_end(handle->runner, handle->id, handle->environment, end);
}

static void never_started(struct handle *handle, const struct error *failure)
{
	struct job_end end = { .outcome = JOB_NEVER_STARTED, .failure = *failure };

	handle->job = NULL;
	note_end(handle->runner, handle->id, handle->environment, &end);
}

static void on_start_failed(void *arg, const struct error *failure)
{
	never_started(arg, failure);
}

/* ---- the two-phase start ---- */

struct readiness {
	struct job_runner *runner;
	struct job_id id;
	struct process_identity identity;
};

static bool apply_running(void *arg, struct store_tx *tx, struct error *err)
{
	struct readiness *ready = arg;

	return store_job_set_running(tx, ready->id, &ready->identity, err);
}

static void settle_running(void *arg, const struct error *failure)
{
	struct readiness *ready = arg;
	struct handle *handle = handle_find(ready->runner, ready->id);

	fault_point(POINT_JOB_RUNNING);
	/* Only now: an engine never runs without the store knowing. */
	if (handle && handle->job && failure)
		job_cancel(handle->job);
	else if (handle && handle->job)
		job_go(handle->job);
	fault_point(POINT_JOB_GO);
	free(ready);
}

static void on_ready(void *arg, const struct process_identity *identity)
{
	struct handle *handle = arg;
	struct turn_work work = { .apply = apply_running, .settle = settle_running };
	struct readiness *ready = xcalloc(1, sizeof(*ready));

	fault_point(POINT_JOB_READY);
	ready->runner = handle->runner;
	ready->id = handle->id;
	ready->identity = *identity;
	work.arg = ready;
	turn_add(handle->runner->control->turn, &work);
}

static struct job_callbacks callbacks_of(struct handle *handle)
{
	return (struct job_callbacks){ .on_ready = on_ready,
				       .on_start_failed = on_start_failed,
				       .on_line = on_line,
				       .on_end = on_end,
				       .arg = handle };
}

static bool make_request(struct handle *handle, json_t **request, struct error *err)
{
	struct control *control = handle->runner->control;
	AUTO(environment_free) struct environment *env = NULL;
	AUTO(job_row_free) struct job_row *row = NULL;
	AUTO(check_run_free) struct check_run *run = NULL;

	return store_job_read(control->store, handle->id, &row, err) &&
	       store_environment_read(control->store, handle->environment, &env, err) &&
	       (!row->check_run[0] ||
		store_check_find(control->store, row->check_run, &run, err)) &&
	       job_request_make(control, env, row, run, request, err);
}

static bool make_folders(struct handle *handle, const json_t *request, struct error *err)
{
	struct control *control = handle->runner->control;
	AUTO(free) char *folder = environment_folder(control, handle->environment);

	if (fault_fails(POINT_JOB_FOLDER, err))
		return false;
	if (folder_make(folder, 0700, err) &&
	    job_folder_make(control->jobs_folder, handle->id, request, err))
		return true;
	if (control->role != CONTROL_DESTROYER)
		return false;
	/* A full disk must not keep a bill running: that is what the reserve is for. */
	store_reserve_release(control->store);
	return folder_make(folder, 0700, err) &&
	       job_folder_make(control->jobs_folder, handle->id, request, err);
}

static void launch(void *arg)
{
	struct handle *handle = arg;
	struct job_callbacks callbacks = callbacks_of(handle);
	AUTO(json_decref) json_t *request = NULL;
	struct error failure;

	fault_point(POINT_JOB_INTENT);
	if (!make_request(handle, &request, &failure) || fault_fails(POINT_JOB_REQUEST, &failure) ||
	    !make_folders(handle, request, &failure))
		never_started(handle, &failure);
	else
		handle->job = job_launch(handle->runner->jobs, handle->id, &callbacks);
	fault_point(POINT_JOB_LAUNCHED);
}

/* It was never committed: it takes up no slot. */
static void forget_launch(void *arg)
{
	struct handle *handle = arg;

	handle_drop(handle->runner, handle->id);
}

bool job_runner_start(struct job_runner *runner, struct store_tx *tx,
		      const struct environment *environment, const char *kind,
		      const char *check_run, struct error *err)
{
	struct job_row row = { .id = job_id_new(),
			       .environment = environment->id,
			       .generation = environment->generation,
			       .intent_at_ms = clock_wall_ms() };

	snprintf(row.kind, sizeof(row.kind), "%s", kind);
	snprintf(row.owner, sizeof(row.owner), "%s", control_owner(runner->control));
	snprintf(row.check_run, sizeof(row.check_run), "%s", check_run ? check_run : "");
	if (!store_job_insert(tx, &row, err) ||
	    (check_run && !store_check_start(tx, check_run, err)) ||
	    fault_fails(POINT_JOB_NOTED, err))
		return false;
	turn_after_commit_or(runner->control->turn, launch, forget_launch,
			     handle_add(runner, row.id, environment->id, kind));
	return true;
}

/* ---- stopping ---- */

struct stop_order {
	struct job_runner *runner;
	struct job_id id;
};

static void order_stop(void *arg)
{
	struct stop_order *order = arg;
	struct error err;

	if (fault_fails(POINT_JOB_STOP, &err) ||
	    !job_ask_stop(order->runner->control->jobs_folder, order->id,
			  "the environment is unwanted", &err))
		log_warn("job %s could not be asked to stop, its deadline will: %s", order->id.text,
			 err.message);
	free(order);
}

bool job_runner_stop(struct job_runner *runner, struct store_tx *tx, struct job_id id,
		     struct error *err)
{
	struct stop_order *order;

	if (!store_job_ask_stop(tx, id, clock_wall_ms(), err))
		return false;
	order = xcalloc(1, sizeof(*order));
	*order = (struct stop_order){ runner, id };
	turn_after_commit_or(runner->control->turn, order_stop, free, order);
	return true;
}

/* ---- after a restart, or a take-over ---- */

static void adopt(struct job_runner *runner, const struct job_row *row,
		  const struct process_identity *identity)
{
	struct handle *handle = handle_add(runner, row->id, row->environment, row->kind);
	struct job_callbacks callbacks = callbacks_of(handle);

	log_info("adopted job %s (%s), pid %d", row->id.text, row->kind, (int)identity->pid);
	handle->job = job_adopt(runner->jobs, row->id, identity, row->lines_offset, &callbacks);
	fault_point(POINT_JOB_ADOPTED);
}

static void apply_what_ended(struct job_runner *runner, const struct job_row *row,
			     const struct job_sight *sight)
{
	struct job_end end;

	job_end_from_sight(sight, &end);
	if (!sight->result && row->state == JOB_INTENT) {
		/* "go" is only written after the row is running: an intent has done nothing. */
		end = (struct job_end){ .outcome = JOB_NEVER_STARTED };
		error_set(&end.failure, ERR_UNAVAILABLE,
			  "the program ended before the job was started");
	}
	handle_add(runner, row->id, row->environment, row->kind);
	note_end(runner, row->id, row->environment, &end);
}

static void attend_one(struct job_runner *runner, const struct job_row *row)
{
	struct job_sight sight;

	if (handle_find(runner, row->id))
		return;
	job_look(runner->control->jobs_folder, row->id, &sight);
	if (sight.lock == JOB_LOCK_FREE)
		apply_what_ended(runner, row, &sight);
	else if (sight.lock == JOB_LOCK_HELD && row->state == JOB_RUNNING)
		adopt(runner, row, &row->process);
	else if (sight.lock == JOB_LOCK_HELD && sight.has_identity)
		adopt(runner, row,
		      &sight.identity); /* waits for a "go" that will not come, and ends */
	job_sight_release(&sight);
}

void job_runner_look_again(struct job_runner *runner)
{
	runner->may_have_strangers = true;
}

/* Rows of ours come to be without a handle in few places, which all say so: hundreds of jobs under
 * way are not read again in each pass. */
static bool is_time_to_look(const struct job_runner *runner)
{
	return runner->may_have_strangers ||
	       clock_mono_ms() - runner->attended_mono_ms >= ATTEND_MS;
}

static bool is_followed(const struct job_runner *runner, const struct job_list *jobs)
{
	for (size_t i = 0; i < jobs->count; i++)
		if (!handle_find(runner, jobs->items[i]->id))
			return false;
	return true;
}

static void note_attended(struct job_runner *runner, const struct job_list *jobs)
{
	runner->may_have_strangers = !is_followed(runner, jobs);
	runner->attended_mono_ms = clock_mono_ms();
}

bool job_runner_attend(struct job_runner *runner, struct store_tx *tx, struct error *err)
{
	AUTO(job_list_release) struct job_list jobs = { NULL, 0 };

	if (!is_time_to_look(runner))
		return true;
	if (!store_jobs_live(store_of(tx), control_owner(runner->control), &jobs, err))
		return false;
	for (size_t i = 0; i < jobs.count; i++)
		attend_one(runner, jobs.items[i]);
	note_attended(runner, &jobs);
	return true;
}

bool job_runner_has_strangers(struct job_runner *runner, bool *has, struct error *err)
{
	AUTO(job_list_release) struct job_list jobs = { NULL, 0 };

	*has = false;
	if (!is_time_to_look(runner))
		return true;
	if (!store_jobs_live(runner->control->store, control_owner(runner->control), &jobs, err))
		return false;
	note_attended(runner, &jobs);
	*has = runner->may_have_strangers;
	return true;
}

size_t job_runner_count(const struct job_runner *runner, const char *kind)
{
	size_t count = 0;

	for (const struct handle *at = runner->handles; at; at = at->next)
		count += strcmp(at->kind, kind) == 0;
	return count;
}

struct job_runner *job_runner_new(struct control *control)
{
	struct job_runner *runner = xcalloc(1, sizeof(*runner));

	runner->control = control;
	runner->jobs = jobs_new(control->loop, control->jobs_folder, NULL);
	runner->may_have_strangers = true; /* those of the program before us */
	return runner;
}

void job_runner_free(struct job_runner *runner)
{
	if (!runner)
		return;
	jobs_free(runner->jobs);
	while (runner->handles)
		handle_drop(runner, runner->handles->id);
	free(runner);
}
