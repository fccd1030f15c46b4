#include "control/job_results.h"

#include <string.h>

#include "base/clock.h"
#include "base/duration.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "control/lifecycle.h"
#include "control/peer.h"
#include "control/placement.h"
#include "control/proofs.h"
#include "control/reconcile.h"
#include "store/store_checks.h"
#include "store/store_environments.h"
#include "store/store_history.h"

enum { QUARANTINE_AFTER = 3, CHECK_ATTEMPTS = 2 };

/* Everything a result is judged with. */
struct judging {
	struct control *control;
	struct store_tx *tx;
	const struct job_row *job;
	const struct job_end *end;
	struct environment *env;
};

static bool is_without_result(enum job_outcome outcome)
{
	return outcome != JOB_COMPLETED && outcome != JOB_FAILED && outcome != JOB_STOPPED &&
	       outcome != JOB_NEVER_STARTED;
}

static bool note(struct judging *j, const char *kind, const char *message, const json_t *data,
		 struct error *err)
{
	struct history_entry entry = { .kind = kind, .message = message, .data = data };

	return store_history_append(j->tx, &j->env->id, clock_wall_ms(), &entry, err);
}

static void warn(const struct judging *j, const char *message)
{
	char identity[64];

	snprintf(identity, sizeof(identity), "env=%s", j->env->id.text);
	log_line(LOG_WARN, identity, "%s", message);
}

/* ---- create and recover ---- */

static bool insert_first_check(struct judging *j, struct error *err)
{
	AUTO(check_run_free) struct check_run *run = xcalloc(1, sizeof(*run));

	if (!j->env->has_checks)
		return true;
	memcpy(run->id, env_id_new().text, sizeof(run->id));
	run->environment = j->env->id;
	run->owner = xstrdup(j->env->owner);
	run->suites = json_pack("[s]", "smoke");
	run->asked_at_ms = clock_wall_ms();
	return store_check_insert(j->tx, run, err);
}

static bool created(struct judging *j, struct error *err)
{
	if (j->env->state != ENV_PROVISIONING || j->env->desired != DESIRED_PRESENT)
		return true; /* it became unwanted meanwhile: destroying goes by inventory, not by
				this */
	return store_environment_set_created(j->tx, j->env->id, j->end->data, err) &&
	       insert_first_check(j, err) &&
	       lifecycle_apply(j->control, j->tx, j->env->id, EVENT_CREATED, "built", err);
}

static bool is_out_of_time(const struct judging *j)
{
	return clock_wall_ms() >= j->env->provisioning_at_ms + j->env->provision_limit_ms;
}

/* Trying again cannot help: the request or the template is wrong. */
static bool is_final(const struct judging *j, int64_t attempts)
{
	enum error_code code = j->end->failure.code;

	return attempts >= j->env->attempts_max || j->end->outcome == JOB_TIMED_OUT ||
	       (j->end->outcome == JOB_FAILED && !error_is_transient(&j->end->failure)) ||
	       code == ERR_LIMIT || is_out_of_time(j);
}

/* On another target, where nothing was tried yet. */
static bool start_anew(struct judging *j, struct error *err)
{
	struct try_change anew = { .attempts = 0 };

	return store_environment_set_try(j->tx, j->env->id, &anew, err);
}

static bool build_failed(struct judging *j, struct error *err)
{
	int64_t attempts = j->env->attempts + 1;
	struct try_change change = {
		.attempts = attempts,
		.next_try_at_ms = clock_wall_ms() + create_pause_ms(attempts),
		.is_unknown = is_without_result(j->end->outcome),
		.failure = &j->end->failure,
		.message = j->end->failure.message,
	};
	AUTO(free) char *retrying = NULL;

	bool goes_on = false;

	warn(j, j->end->failure.message);
	if (j->end->outcome == JOB_FAILED && !is_out_of_time(j) &&
	    !placement_go_elsewhere(j->control, j->tx, j->env, &j->end->failure, &goes_on, err))
		return false;
	if (goes_on)
		return start_anew(j, err);
	if (j->end->data && json_object_get(j->end->data, "services") &&
	    !note(j, HISTORY_WARNING, j->end->failure.message, j->end->data, err))
		return false;
	if (is_final(j, attempts))
		return lifecycle_fail(j->control, j->tx, j->env->id, REASON_CREATE_FAILED,
				      &j->end->failure, err);
	retrying = xasprintf("attempt %lld failed, trying again: %s", (long long)attempts,
			     j->end->failure.message);
	return note(j, HISTORY_WARNING, retrying, NULL, err) &&
	       store_environment_set_try(j->tx, j->env->id, &change, err);
}

static bool end_build(struct judging *j, bool is_create, struct error *err)
{
	struct try_change known = { .attempts = j->env->attempts };

	if (j->end->outcome == JOB_COMPLETED)
		return is_create ? created(j, err)
				 : store_environment_set_try(j->tx, j->env->id, &known, err);
	if (j->env->desired == DESIRED_ABSENT || j->end->outcome == JOB_STOPPED)
		return true;
	if (j->end->outcome == JOB_NEVER_STARTED) {
		/* Nothing was done, so no attempt is used up; not at once, in case it cannot be
		 * started. */
		known.next_try_at_ms = clock_wall_ms() + create_pause_ms(1);
		known.is_unknown = j->env->is_unknown;
		return store_environment_set_try(j->tx, j->env->id, &known, err);
	}
	return build_failed(j, err);
}

static bool end_create(struct judging *j, struct error *err)
{
	return end_build(j, true, err);
}

static bool end_recover(struct judging *j, struct error *err)
{
	return end_build(j, false, err);
}

/* ---- check ---- */

/* "login: status == 302: saw 200; home: ..." */
static char *what_failed(const json_t *report)
{
	static const char *const suites[] = { "smoke", "load" };
	struct text text = TEXT_EMPTY;

	for (size_t s = 0; s < ARRAY_SIZE(suites); s++) {
		size_t i;
		json_t *check;

		json_array_foreach(json_object_get(report, suites[s]), i, check) {
			const char *status =
			    json_get_string(check, "status", json_get_string(check, "verdict", ""));

			if (strcmp(status, "failed") != 0 && strcmp(status, "error") != 0 &&
			    strcmp(status, "inconclusive") != 0)
				continue;
			text_format(&text, "%s%s: %s", text.length ? "; " : "",
				    json_get_string(check, "name", "?"),
				    json_get_string(check, "message", status));
		}
	}
	return text_take(&text);
}

static bool judge_environment(struct judging *j, const char *verdict, const char *failed,
			      struct error *err)
{
	AUTO(free) char *message = NULL;
	struct error failure;

	if (j->env->desired != DESIRED_PRESENT)
		return true;
	/* Of one in use nothing ends, but what was seen should be there tomorrow. */
	if (j->env->state != ENV_CHECKING)
		return strcmp(verdict, "passed") == 0 ||
		       lifecycle_want_evidence(j->control, j->tx, j->env->id, err);
	if (strcmp(verdict, "passed") == 0)
		return lifecycle_apply(j->control, j->tx, j->env->id, EVENT_CHECKS_PASSED,
				       "smoke checks passed", err);
	if (strcmp(verdict, "failed") == 0) {
		message = xasprintf("smoke checks failed: %s", failed);
		error_set_as(&failure, ERR_EXTERNAL, "check_failed", "%s", message);
		return lifecycle_fail(j->control, j->tx, j->env->id, REASON_CHECK_FAILED, &failure,
				      err);
	}
	message = xasprintf("smoke checks could not judge: %s", failed);
	error_set_as(&failure, ERR_EXTERNAL, "check_inconclusive", "%s", message);
	return lifecycle_fail(j->control, j->tx, j->env->id, REASON_CHECK_INCONCLUSIVE, &failure,
			      err);
}

static bool end_run(struct judging *j, const char *verdict, const char *message,
		    const json_t *report, struct error *err)
{
	AUTO(json_decref)
	json_t *data = json_pack("{s:s, s:s}", "run", j->job->check_run, "verdict", verdict);
	AUTO(free)
	char *text = xasprintf("check run %s%s%s", verdict, *message ? ": " : "", message);

	return store_check_end(j->tx, j->job->check_run, verdict, message, report, clock_wall_ms(),
			       err) &&
	       store_environment_set_check(j->tx, j->env->id, j->job->check_run, verdict, err) &&
	       note(j, HISTORY_CHECK, text, data, err) &&
	       judge_environment(j, verdict, message, err);
}

static bool end_check(struct judging *j, struct error *err)
{
	const json_t *report = json_object_get(j->end->data, "report");
	const char *verdict = json_get_string(j->end->data, "verdict", "inconclusive");
	struct try_change change = { .attempts = j->env->attempts + 1,
				     .next_try_at_ms = clock_wall_ms() + create_pause_ms(1) };
	AUTO(free) char *failed = NULL;

	if (j->end->outcome == JOB_COMPLETED) {
		failed = what_failed(report);
		return end_run(j, verdict, failed, report, err);
	}
	if (j->env->desired == DESIRED_ABSENT)
		return true; /* the run was abandoned when the latch fell */
	/* Only a worker that died is worth another look; a plan that is wrong stays wrong. */
	if (j->end->outcome == JOB_NEVER_STARTED ||
	    (is_without_result(j->end->outcome) && j->end->outcome != JOB_TIMED_OUT &&
	     change.attempts < CHECK_ATTEMPTS))
		return store_environment_set_try(j->tx, j->env->id, &change, err);
	return end_run(j, "inconclusive", j->end->failure.message, report, err);
}

/* ---- evidence ---- */

/* "web.log, side.log, ..." is in its own list; here what is said about it. */
static bool evidence_taken(struct judging *j, struct error *err)
{
	int64_t bytes = json_get_int64(j->end->data, "bytes", 0);
	AUTO(free)
	char *message = xasprintf("evidence is kept (%lld files, %lld bytes): envctl evidence %s",
				  (long long)json_get_int64(j->end->data, "files", 0),
				  (long long)bytes, j->env->name);

	return store_environment_set_evidence(j->tx, j->env->id, EVIDENCE_TAKEN, clock_wall_ms(),
					      bytes, err) &&
	       note(j, HISTORY_EVIDENCE, message, j->end->data, err);
}

static bool end_evidence(struct judging *j, struct error *err)
{
	if (j->env->evidence != EVIDENCE_WANTED)
		return true; /* given up meanwhile */
	if (j->end->outcome == JOB_COMPLETED)
		return evidence_taken(j, err);
	/* Again, for as long as there is time. */
	if (j->end->outcome == JOB_NEVER_STARTED)
		return store_environment_set_next_try(j->tx, j->env->id,
						      clock_wall_ms() + create_pause_ms(1), err);
	warn(j, j->end->failure.message);
	return lifecycle_give_up_evidence(j->control, j->tx, j->env->id, j->end->failure.message,
					  err);
}

/* ---- destroy ---- */

static bool no_process_lives(struct judging *j, struct error *err)
{
	AUTO(job_list_release) struct job_list jobs = { NULL, 0 };

	if (!store_jobs_of(store_of(j->tx), j->env->id, &jobs, err))
		return false;
	for (size_t i = 0; i < jobs.count; i++) {
		struct job_sight sight;
		enum job_lock lock;

		job_look(j->control->jobs_folder, jobs.items[i]->id, &sight);
		lock = sight.lock;
		job_sight_release(&sight);
		if (lock != JOB_LOCK_FREE)
			return error_set_as(err, ERR_EXTERNAL, "process_left",
					    "job %s of it may still be running",
					    jobs.items[i]->id.text);
	}
	return true;
}

static bool add_proofs(struct judging *j, struct error *err)
{
	const json_t *inventories = json_object_get(j->end->data, "inventories");
	AUTO(json_decref)
	json_t *ended = json_pack("{s:s, s:I, s:I}", "job", j->job->id.text, "generation",
				  (json_int_t)j->job->generation, "removed",
				  (json_int_t)json_get_int64(j->end->data, "removed", 0));
	AUTO(json_decref) json_t *state = json_pack("{s:i}", "pending", 0);
	AUTO(json_decref)
	json_t *listed =
	    json_pack("{s:[I, I]}", "listed_at_ms",
		      (json_int_t)json_get_int64(json_array_get(inventories, 0), "at_ms", 0),
		      (json_int_t)json_get_int64(json_array_get(inventories, 1), "at_ms", 0));
	int64_t now = clock_wall_ms();
	struct env_id id = j->env->id;

	return store_proof_add(j->tx, id, "destroy_ended", now, ended, err) &&
	       store_proof_add(j->tx, id, "state_empty", now, state, err) &&
	       store_proof_add(j->tx, id, "inventory_empty", now, listed, err) &&
	       store_proof_add(j->tx, id, "no_process", now, NULL, err);
}

static bool destroy_not_proved(struct judging *j, const struct error *failure,
			       const json_t *blocked_by, struct error *err)
{
	int64_t attempts = j->env->attempts + 1;
	int64_t pause = destroy_pause_ms(attempts) * j->control->settings->retry_first_ms / 30000;
	char shown[DURATION_TEXT_SIZE];
	AUTO(free) char *message = NULL;
	struct try_change change = {
		.attempts = attempts,
		.is_quarantined = attempts >= QUARANTINE_AFTER,
		.blocked_by = blocked_by,
	};

	/* Up to a tenth more, so that many that failed together do not come back together. */
	pause += (int64_t)(j->env->sequence * 7919 % 100) * pause / 1000;
	change.next_try_at_ms = clock_wall_ms() + pause;
	message = xasprintf("destroying failed (attempt %lld), trying again in %s: %s",
			    (long long)attempts, duration_format(pause, shown), failure->message);
	change.message = message;
	warn(j, message);
	return store_environment_set_try(j->tx, j->env->id, &change, err) &&
	       note(j, HISTORY_WARNING, message, blocked_by, err);
}

/* Only the reaper's own look at its evidence ends an environment. */
static bool end_destroy(struct judging *j, struct error *err)
{
	AUTO(json_decref) json_t *blocked_by = NULL;
	struct error failure = j->end->failure;

	if (j->end->outcome == JOB_COMPLETED && j->job->generation == j->env->generation &&
	    proofs_judge(j->end->data, j->env->engine, j->env->id, &blocked_by, &failure) &&
	    no_process_lives(j, &failure)) {
		AUTO(free)
		char *message = xasprintf("proved gone: %lld things removed",
					  (long long)json_get_int64(j->end->data, "removed", 0));

		return add_proofs(j, err) && !fault_fails(POINT_JOB_PROVED, err) &&
		       lifecycle_apply(j->control, j->tx, j->env->id, EVENT_PROVED_GONE, message,
				       err);
	}
	if (!blocked_by &&
	    !proofs_judge(j->end->data, j->env->engine, j->env->id, &blocked_by, &failure) &&
	    j->end->outcome != JOB_COMPLETED)
		failure =
		    j->end->failure; /* why it ended says more than that its evidence is missing */
	return destroy_not_proved(j, &failure, blocked_by, err);
}

/* ---- vacate: off one target, before it is built on another ---- */

static bool not_vacated(struct judging *j, const struct error *failure, struct error *err)
{
	int64_t attempts = j->env->attempts + 1;
	struct try_change change = { .attempts = attempts, .failure = failure };
	AUTO(free) char *message = NULL;

	if (is_out_of_time(j) || j->end->outcome == JOB_TIMED_OUT)
		return lifecycle_fail(j->control, j->tx, j->env->id, REASON_CREATE_FAILED, failure,
				      err);
	change.next_try_at_ms = clock_wall_ms() + create_pause_ms(attempts);
	message = xasprintf("what was begun on target \"%s\" is not proved gone (attempt %lld), "
			    "trying again: %s",
			    j->env->target, (long long)attempts, failure->message);
	change.message = message;
	warn(j, message);
	return note(j, HISTORY_WARNING, message, NULL, err) &&
	       store_environment_set_try(j->tx, j->env->id, &change, err);
}

static bool end_vacate(struct judging *j, struct error *err)
{
	AUTO(json_decref) json_t *blocked_by = NULL;
	struct error failure = j->end->failure;

	/* Whoever destroys goes on from here. */
	if (j->env->desired == DESIRED_ABSENT || j->end->outcome == JOB_STOPPED)
		return true;
	if (j->end->outcome != JOB_COMPLETED)
		return not_vacated(j, &failure, err);
	if (!proofs_judge(j->end->data, j->env->engine, j->env->id, &blocked_by, &failure) ||
	    !no_process_lives(j, &failure))
		return not_vacated(j, &failure, err);
	return placement_arrive(j->control, j->tx, j->env, err) && start_anew(j, err);
}

static const struct {
	const char *kind;
	bool (*end)(struct judging *j, struct error *err);
} kinds[] = {
	{ "create", end_create },     { "recover", end_recover }, { "check", end_check },
	{ "evidence", end_evidence }, { "destroy", end_destroy }, { "vacate", end_vacate },
};

static bool note_end(struct judging *j, struct error *err)
{
	AUTO(json_decref)
	json_t *data = json_pack("{s:s, s:s, s:s, s:i}", "job", j->job->id.text, "kind",
				 j->job->kind, "outcome", job_outcome_name(j->end->outcome),
				 "leftover_processes", j->end->leftover_processes);
	AUTO(free)
	char *message = xasprintf("%s job %s", j->job->kind, job_outcome_name(j->end->outcome));

	return note(j, HISTORY_JOB, message, data, err);
}

static void wake_other(void *arg)
{
	struct control *control = arg;

	peer_wake(control->other);
}

bool job_results_apply(struct control *control, struct store_tx *tx, const struct job_row *job,
		       const struct job_end *end, struct error *err)
{
	AUTO(environment_free) struct environment *env = NULL;
	struct judging j = { .control = control, .tx = tx, .job = job, .end = end };

	if (!store_environment_show(store_of(tx), job->environment, &env, err))
		return false;
	j.env = env;
	turn_want_pass(control->turn);
	/* Whoever destroys has waited for the end of what was still being built. */
	if (env->desired == DESIRED_ABSENT)
		turn_after_commit(control->turn, wake_other, control);
	if (!note_end(&j, err))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kinds[i].kind, job->kind) == 0)
			return kinds[i].end(&j, err);
	return error_set(err, ERR_CORRUPT, "job %s has the unknown kind \"%s\"", job->id.text,
			 job->kind);
}
