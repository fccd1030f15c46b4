/*
 * sim_workers.c - jobs/job.h as a program sees it, and the processes behind it, which make and
 * remove things (sim_things.c). What a supervisor promises is kept (lock, identity, result before
 * the lock is free, never a task without "go"); everything else may go wrong.
 */
#include "tests/simulation/sim.h"

#include <string.h>

#include "loop/timer.h"

enum {
	THINGS_OF_ONE = 2,
	READY_LIMIT_MS = 10000,
	SETTLE_MS = 500,
	STOP_GRACE_MS = 10000,
	LATE_NEWS_MS = 4000,
};

static const char *const kind_names[] = { "create", "recover", "check", "destroy" };

enum phase {
	PHASE_FOLDER,   /* request.json is there, no process */
	PHASE_STARTING, /* forked */
	PHASE_WAITING,  /* ready, for "go" */
	PHASE_WORKING,
	PHASE_ENDING, /* its guard ends what is left */
	PHASE_OVER,
};

struct sim_worker {
	struct sim_worker *next;
	struct job_id id;
	struct env_id environment;
	struct sim_thing makes; /* what all of it have in common */
	enum sim_kind kind;
	enum sim_fault fault;
	uint64_t number; /* its own randomness */
	enum phase phase;
	bool has_identity, has_lock, stop_asked, go_is_closed;
	int64_t due_ms;      /* of the next step */
	int64_t deadline_ms; /* true time */
	int64_t limit_ms;
	int step;
	json_t *first_inventory;
	json_t *result;
	struct job *job; /* who follows; NULL: nobody */
};

struct jobs {
	struct loop *loop;
	struct job *first;
};

struct job {
	struct jobs *jobs;
	struct job *next;
	struct sim_worker *worker;
	struct job_callbacks callbacks;
	struct timer *limit;
	bool was_ready, is_over;
};

struct jobs *__wrap_jobs_new(struct loop *loop, const char *jobs_folder, const char *program);
void __wrap_jobs_free(struct jobs *jobs);
bool __wrap_job_folder_make(const char *jobs_folder, struct job_id id, const json_t *request,
			    struct error *err);
struct job *__wrap_job_launch(struct jobs *jobs, struct job_id id,
			      const struct job_callbacks *callbacks);
struct job *__wrap_job_adopt(struct jobs *jobs, struct job_id id,
			     const struct process_identity *identity, int64_t lines_offset,
			     const struct job_callbacks *callbacks);
void __wrap_job_go(struct job *job);
void __wrap_job_cancel(struct job *job);
bool __wrap_job_ask_stop(const char *jobs_folder, struct job_id id, const char *reason,
			 struct error *err);
void __wrap_job_look(const char *jobs_folder, struct job_id id, struct job_sight *sight);
bool __wrap_folder_make(const char *path, mode_t mode, struct error *err);

/* ---- things ---- */

static void make_thing(struct sim_worker *worker, int64_t in_ms)
{
	struct sim_thing thing = worker->makes;

	thing.appears_at_ms = sim->now_ms + in_ms;
	thing.number = worker->step;
	sim_thing_make(&thing);
}

static json_t *inventory_of(const struct sim_worker *worker)
{
	return sim_things_list(worker->fault != FAULT_INCOMPLETE);
}

/* ---- the process ---- */

static struct sim_worker *worker_of(struct job_id id)
{
	struct sim_worker *at = sim->workers;

	while (at && strcmp(at->id.text, id.text) != 0)
		at = at->next;
	return at;
}

static int64_t takes_ms(struct sim_worker *worker, int64_t least_ms, int64_t most_ms)
{
	int64_t ms = least_ms + sim_random(worker->number, (uint64_t)worker->step + 1,
					   (most_ms - least_ms) / 5 + 1) *
				    5;

	return worker->fault == FAULT_SLOW ? ms * 8 : ms;
}

static void tell_ready(void *arg)
{
	struct job *job = arg;
	struct process_identity identity = { .pid = 1 };

	if (job->is_over || job->was_ready)
		return;
	job->was_ready = true;
	timer_stop(job->limit);
	job->callbacks.on_ready(job->callbacks.arg, &identity);
}

static void let_go(struct job *job)
{
	job->is_over = true;
	if (job->worker && job->worker->job == job)
		job->worker->job = NULL;
}

static void fail_start(void *arg)
{
	struct job *job = arg;
	struct error failure;

	if (job->is_over)
		return;
	job->worker->go_is_closed = true;
	let_go(job);
	error_set_as(&failure, ERR_EXTERNAL, "worker_not_started", "the worker did not start");
	job->callbacks.on_start_failed(job->callbacks.arg, &failure);
}

static void tell_end(void *arg)
{
	struct job *job = arg;
	struct job_sight sight;
	struct job_end end;

	if (job->is_over)
		return;
	if (!job->was_ready) {
		fail_start(job);
		return;
	}
	__wrap_job_look("", job->worker->id, &sight);
	job_end_from_sight(&sight, &end);
	let_go(job);
	job->callbacks.on_end(job->callbacks.arg, &end);
	job_sight_release(&sight);
}

static void tell_end_later(void *arg)
{
	tell_end(arg);
}

static void be_over(struct sim_worker *worker)
{
	worker->phase = PHASE_OVER;
	worker->has_lock = false;
	worker->due_ms = INT64_MAX;
	if (!worker->job)
		return;
	if (worker->fault != FAULT_LATE_NEWS || !worker->job->was_ready) {
		sim_loop_post(worker->job->jobs->loop, tell_end, worker->job);
		return;
	}
	timer_free(worker->job->limit);
	worker->job->limit = timer_new(worker->job->jobs->loop, tell_end_later, worker->job);
	timer_set_ms(worker->job->limit, LATE_NEWS_MS);
}

static void end_with(struct sim_worker *worker, enum job_outcome outcome, json_t *line,
		     const char *message)
{
	worker->result =
	    json_pack("{s:s, s:b, s:o, s:s, s:I, s:I, s:i}", "outcome", job_outcome_name(outcome),
		      "ok", outcome == JOB_COMPLETED, "result", line ? line : json_null(),
		      "message", message, "started_at_ms", (json_int_t)1, "ended_at_ms",
		      (json_int_t)sim_wall_ms(), "leftover_processes", 0);
	if (worker->kind != KIND_DESTROY && outcome != JOB_COMPLETED &&
	    outcome != JOB_NEVER_STARTED)
		sim_env_of(worker->environment)->work_went_wrong = true;
	be_over(worker);
}

static void complete(struct sim_worker *worker, json_t *data)
{
	end_with(worker, JOB_COMPLETED, json_pack("{s:b, s:o}", "ok", true, "data", data), "");
}

static void fail_for(struct sim_worker *worker, const char *code)
{
	end_with(worker, JOB_FAILED,
		 json_pack("{s:b, s:{s:s, s:s, s:s, s:s}}", "ok", false, "error", "code", code,
			   "slug", "simulated", "message", "it was told to fail", "hint", ""),
		 "it was told to fail");
}

/* The supervisor dies; its guard is a moment behind. */
static void die(struct sim_worker *worker)
{
	if (worker->phase == PHASE_FOLDER || worker->phase >= PHASE_ENDING)
		return;
	sim_tell("the %s worker of %s dies", kind_names[worker->kind],
		 worker->environment.text + 24);
	if (worker->phase == PHASE_WORKING && worker->fault == FAULT_LATE_THING &&
	    worker->kind == KIND_CREATE && !sim_has_thing(worker->environment, worker->step))
		make_thing(worker, 300);
	if (worker->phase == PHASE_WORKING && worker->kind != KIND_DESTROY)
		sim_env_of(worker->environment)->work_went_wrong = true;
	worker->phase = PHASE_ENDING;
	worker->due_ms = sim->now_ms + takes_ms(worker, 0, 40);
}

/* ---- what it does, step by step ---- */

static void create_step(struct sim_worker *worker)
{
	int step = worker->step++;

	if (step < THINGS_OF_ONE) {
		if (!sim_has_thing(worker->environment, step + 1))
			make_thing(worker, 0);
		worker->due_ms = sim->now_ms + takes_ms(worker, 20, 1500);
	} else {
		complete(worker, json_pack("{s:{}, s:[], s:[], s:{}}", "outputs", "addresses",
					   "services", "lock"));
	}
}

static void recover_step(struct sim_worker *worker)
{
	sim->counts.recovered++;
	complete(worker, json_object());
}

static void check_step(struct sim_worker *worker)
{
	const char *verdict = sim_random(worker->number, 77, 12) == 0 ? "failed" : "passed";

	if (strcmp(verdict, "passed") != 0)
		sim_env_of(worker->environment)->work_went_wrong = true;
	complete(worker, json_pack("{s:s, s:{s:[]}}", "verdict", verdict, "report", "smoke"));
}

static bool is_removing(struct sim_worker *worker)
{
	if (worker->fault == FAULT_LEAVES && sim_things_of(worker->environment) <= 1)
		return false;
	return sim_thing_remove(worker->environment);
}

static void destroy_step(struct sim_worker *worker)
{
	json_t *data;

	worker->step++;
	if (!worker->first_inventory && is_removing(worker)) {
		worker->due_ms = sim->now_ms + takes_ms(worker, 10, 300);
		return;
	}
	if (worker->fault == FAULT_NO_EVIDENCE) {
		complete(worker, json_pack("{s:i}", "removed", 2));
		return;
	}
	if (!worker->first_inventory) {
		worker->first_inventory = inventory_of(worker);
		worker->due_ms = sim->now_ms + (worker->fault == FAULT_TOO_SOON ? 10 : SETTLE_MS);
		return;
	}
	data = json_pack("{s:i, s:b, s:i, s:[o, o]}", "removed", 2, "state_empty", true, "pending",
			 0, "inventories", worker->first_inventory, inventory_of(worker));
	worker->first_inventory = NULL;
	complete(worker, data);
}

static void end_in_time(struct sim_worker *worker)
{
	worker->due_ms = worker->deadline_ms;
	if (sim->now_ms >= worker->deadline_ms)
		end_with(worker, JOB_TIMED_OUT, NULL, "was not done in time");
}

static bool misbehaves(struct sim_worker *worker)
{
	switch (worker->fault) {
	case FAULT_DIES:
	case FAULT_LATE_THING:
		if (worker->step == 1)
			die(worker);
		return worker->phase != PHASE_WORKING;
	case FAULT_FAILS:
		fail_for(worker, "unavailable");
		return true;
	case FAULT_FAILS_FOR_GOOD:
		fail_for(worker, "invalid");
		return true;
	case FAULT_HANGS:
		if (worker->step == 1)
			end_in_time(worker);
		return worker->step == 1;
	default:
		return false;
	}
}

static void work(struct sim_worker *worker)
{
	static void (*const steps[])(struct sim_worker *worker) = { create_step, recover_step,
								    check_step, destroy_step };

	if (worker->stop_asked && worker->fault != FAULT_DEAF && worker->kind != KIND_DESTROY) {
		end_with(worker, JOB_STOPPED, NULL, "was stopped");
		return;
	}
	if (sim->now_ms >= worker->deadline_ms) {
		end_in_time(worker);
		return;
	}
	if (misbehaves(worker))
		return;
	steps[worker->kind](worker);
	if (worker->phase == PHASE_OVER && worker->fault == FAULT_DIES_LATE && worker->result) {
		json_decref(worker->result);
		worker->result = NULL;
		if (worker->kind != KIND_DESTROY)
			sim_env_of(worker->environment)->work_went_wrong = true;
	}
}

static void get_ready(struct sim_worker *worker)
{
	if (worker->fault == FAULT_DIES_EARLY) {
		be_over(worker);
		return;
	}
	if (worker->fault == FAULT_NEVER_READY) {
		worker->due_ms = worker->go_is_closed ? sim->now_ms : INT64_MAX;
		if (worker->go_is_closed)
			be_over(worker);
		return;
	}
	worker->has_lock = worker->has_identity = true;
	worker->phase = PHASE_WAITING;
	worker->due_ms = worker->go_is_closed ? sim->now_ms : INT64_MAX;
	if (worker->job)
		sim_loop_post(worker->job->jobs->loop, tell_ready, worker->job);
}

static void step(struct sim_worker *worker)
{
	switch (worker->phase) {
	case PHASE_STARTING:
		get_ready(worker);
		break;
	case PHASE_WAITING:
		if (worker->go_is_closed || worker->stop_asked)
			end_with(worker, JOB_NEVER_STARTED, NULL, "was not told to go");
		break;
	case PHASE_WORKING:
		work(worker);
		break;
	default:
		be_over(worker);
	}
}

static struct sim_worker *next_due(void)
{
	struct sim_worker *first = NULL;

	for (struct sim_worker *at = sim->workers; at; at = at->next)
		if (at->phase != PHASE_OVER && at->phase != PHASE_FOLDER &&
		    (!first || at->due_ms < first->due_ms))
			first = at;
	return first;
}

int64_t sim_workers_next_ms(void)
{
	struct sim_worker *worker = next_due();

	return worker ? worker->due_ms : INT64_MAX;
}

void sim_workers_step(void)
{
	struct sim_worker *worker = next_due();

	if (worker && worker->due_ms <= sim->now_ms)
		step(worker);
}

void sim_workers_kill(void)
{
	for (struct sim_worker *at = sim->workers; at; at = at->next)
		die(at);
}

bool sim_workers_are_over(void)
{
	for (const struct sim_worker *at = sim->workers; at; at = at->next)
		if (at->phase != PHASE_OVER && at->phase != PHASE_FOLDER)
			return false;
	return true;
}

bool sim_is_worked_on(struct env_id id)
{
	for (const struct sim_worker *at = sim->workers; at; at = at->next)
		if (at->phase == PHASE_WORKING && strcmp(at->environment.text, id.text) == 0)
			return true;
	return false;
}

void sim_workers_free(void)
{
	while (sim->workers) {
		struct sim_worker *worker = sim->workers;

		sim->workers = worker->next;
		json_decref(worker->result);
		json_decref(worker->first_inventory);
		free(worker);
	}
}

/* ---- jobs/job.h ---- */

struct jobs *__wrap_jobs_new(struct loop *loop, const char *jobs_folder, const char *program)
{
	struct jobs *jobs = xcalloc(1, sizeof(*jobs));

	(void)jobs_folder;
	(void)program;
	jobs->loop = loop;
	return jobs;
}

/* The program ends or dies: whoever waited for its "go" sees the end of the pipe. */
void __wrap_jobs_free(struct jobs *jobs)
{
	if (!jobs)
		return;
	while (jobs->first) {
		struct job *job = jobs->first;

		jobs->first = job->next;
		if (job->worker && job->worker->job == job) {
			job->worker->job = NULL;
			job->worker->go_is_closed = true;
			if (job->worker->phase == PHASE_WAITING ||
			    (job->worker->phase == PHASE_STARTING &&
			     job->worker->due_ms == INT64_MAX))
				job->worker->due_ms = sim->now_ms + 5;
		}
		timer_free(job->limit);
		free(job);
	}
	free(jobs);
}

/* The environment's folder; only a job's own can fail. */
bool __wrap_folder_make(const char *path, mode_t mode, struct error *err)
{
	(void)path;
	(void)mode;
	(void)err;
	return true;
}

static enum sim_kind kind_named(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(kind_names); i++)
		if (strcmp(kind_names[i], name) == 0)
			return (enum sim_kind)i;
	return KIND_CREATE;
}

bool __wrap_job_folder_make(const char *jobs_folder, struct job_id id, const json_t *request,
			    struct error *err)
{
	const json_t *of = json_object_get(request, "environment");
	struct sim_program *program = sim->running;
	struct sim_worker *worker;

	(void)jobs_folder;
	sim_crash_point(CRASH_BEFORE_FOLDER);
	if (program->folder_fails) {
		program->folder_fails = false;
		return error_set_as(err, ERR_UNAVAILABLE, "disk_full", "the disk is full");
	}
	worker = xcalloc(1, sizeof(*worker));
	worker->id = id;
	worker->environment =
	    env_id_from(json_get_string(of, "id", "00000000-0000-4000-8000-000000000000"));
	worker->makes = (struct sim_thing){ .environment = worker->environment,
					    .sequence = json_get_int64(of, "sequence", 0),
					    .hard_wall_s = json_get_int64(of, "hard_wall_s", 0) };
	snprintf(worker->makes.instance, sizeof(worker->makes.instance), "%s",
		 json_get_string(request, "instance", ""));
	worker->kind = kind_named(json_get_string(request, "task", ""));
	worker->number = ++sim->ids * 1000003;
	worker->limit_ms = json_get_int64(json_object_get(request, "limits"), "deadline_ms", 10000);
	worker->due_ms = INT64_MAX;
	worker->next = sim->workers;
	sim->workers = worker;
	return true;
}

static struct job *follow(struct jobs *jobs, struct sim_worker *worker,
			  const struct job_callbacks *callbacks)
{
	struct job *job = xcalloc(1, sizeof(*job));

	job->jobs = jobs;
	job->worker = worker;
	job->callbacks = *callbacks;
	job->next = jobs->first;
	job->limit = timer_new(jobs->loop, fail_start, job);
	jobs->first = job;
	worker->job = job;
	return job;
}

struct job *__wrap_job_launch(struct jobs *jobs, struct job_id id,
			      const struct job_callbacks *callbacks)
{
	struct sim_worker *worker = worker_of(id);
	struct job *job;

	sim_crash_point(CRASH_BEFORE_LAUNCH);
	worker->phase = PHASE_STARTING;
	worker->fault = sim->next_fault[worker->kind];
	sim->next_fault[worker->kind] = FAULT_NONE;
	sim->counts.worker_faults += worker->fault != FAULT_NONE;
	if (worker->fault != FAULT_NONE)
		sim_tell("this %s worker will go wrong", kind_names[worker->kind]);
	worker->due_ms = sim->now_ms + takes_ms(worker, 5, 40);
	job = follow(jobs, worker, callbacks);
	timer_set_ms(job->limit, READY_LIMIT_MS);
	if (sim->running->armed == CRASH_AFTER_LAUNCH)
		worker->go_is_closed = true;
	sim_crash_point(CRASH_AFTER_LAUNCH);
	return job;
}

struct job *__wrap_job_adopt(struct jobs *jobs, struct job_id id,
			     const struct process_identity *identity, int64_t lines_offset,
			     const struct job_callbacks *callbacks)
{
	struct sim_worker *worker = worker_of(id);
	struct job *job = follow(jobs, worker, callbacks);

	(void)identity;
	(void)lines_offset;
	sim->counts.adopted++;
	job->was_ready = true;
	if (worker->phase == PHASE_OVER)
		sim_loop_post(jobs->loop, tell_end, job);
	return job;
}

void __wrap_job_go(struct job *job)
{
	struct sim_worker *worker = job->worker;

	sim_crash_point(CRASH_BEFORE_GO);
	if (worker->phase == PHASE_WAITING && !worker->go_is_closed) {
		worker->go_is_closed = true;
		if (worker->stop_asked) {
			worker->due_ms = sim->now_ms;
			return;
		}
		sim_judge_go(sim->running, worker->id, worker->environment, worker->kind);
		worker->phase = PHASE_WORKING;
		worker->deadline_ms = sim->now_ms + worker->limit_ms;
		worker->due_ms = sim->now_ms + takes_ms(worker, 5, 200);
	}
	sim_crash_point(CRASH_AFTER_GO);
}

void __wrap_job_cancel(struct job *job)
{
	job->worker->go_is_closed = true;
	if (job->worker->phase == PHASE_WAITING)
		job->worker->due_ms = sim->now_ms;
}

bool __wrap_job_ask_stop(const char *jobs_folder, struct job_id id, const char *reason,
			 struct error *err)
{
	struct sim_worker *worker = worker_of(id);

	(void)jobs_folder;
	(void)reason;
	sim_crash_point(CRASH_BEFORE_STOP);
	if (!worker)
		return error_set(err, ERR_NOT_FOUND, "there is no such folder");
	worker->stop_asked = true;
	if (worker->phase == PHASE_WAITING ||
	    (worker->phase == PHASE_WORKING && worker->fault == FAULT_HANGS))
		worker->due_ms = sim->now_ms + 5;
	return true;
}

void __wrap_job_look(const char *jobs_folder, struct job_id id, struct job_sight *sight)
{
	const struct sim_worker *worker = worker_of(id);

	(void)jobs_folder;
	*sight = (struct job_sight){ .lock = JOB_LOCK_FREE };
	if (!worker)
		return;
	sight->lock = worker->has_lock ? JOB_LOCK_HELD : JOB_LOCK_FREE;
	sight->has_identity = worker->has_identity;
	sight->identity.pid = 1;
	sight->result = worker->result ? json_incref(worker->result) : NULL;
}
