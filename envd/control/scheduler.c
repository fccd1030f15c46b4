#include "control/scheduler.h"

#include <string.h>

#include "base/clock.h"
#include "base/duration.h"
#include "base/fault.h"
#include "base/log.h"
#include "control/job_runner.h"
#include "control/lifecycle.h"
#include "control/peer.h"
#include "control/placement.h"
#include "control/reconcile.h"
#include "jobs/job.h"
#include "loop/timer.h"
#include "store/store_checks.h"
#include "store/store_environments.h"
#include "store/store_history.h"
#include "store/store_tally.h"
#include "store/store_targets.h"
#include "store/store_work.h"

enum {
	SCAN_MS = 30000,
	EVIDENCE_SLOTS = 4,
	STEPS_MAX = 4, /* of one environment in one pass: queued, granted, started */
	/* Each start waits for a process to begin, ten milliseconds and more: what else is due must
	 * not wait for a hundred of them. */
	STARTS_MAX = 4,
};

struct scheduler {
	struct control *control;
	struct timer *wake;
	int starts_left; /* in this pass */
	bool is_idle;
};

static bool slot_for(struct scheduler *s, const struct environment *env)
{
	const struct settings *settings = s->control->settings;
	struct job_runner *runner = s->control->runner;

	if (!s->starts_left)
		return false;
	if (s->control->role == CONTROL_DESTROYER)
		return job_runner_count(runner, "destroy") < (size_t)settings->destroy_slots;
	if (env->evidence == EVIDENCE_WANTED)
		return job_runner_count(runner, "evidence") < EVIDENCE_SLOTS;
	if (env->state == ENV_CHECKING || env->state == ENV_READY)
		return job_runner_count(runner, "check") < (size_t)settings->check_slots;
	return job_runner_count(runner, "create") + job_runner_count(runner, "recover") +
		   job_runner_count(runner, "vacate") <
	       (size_t)settings->create_slots;
}

static bool has_room(struct scheduler *s, const struct environment *env, bool *room,
		     struct error *err)
{
	const struct target *target;

	*room = env->state != ENV_QUEUED || placement_find(s->control, env, &target, err);
	return *room || target_is_refusal(err);
}

static bool is_leaving(struct scheduler *s, const struct environment *env, bool *leaving,
		       struct error *err)
{
	struct claim claim = { .is_leaving = false };

	if (env->state == ENV_PROVISIONING &&
	    !store_claim_read(s->control->store, env->id, env->target, &claim, err))
		return false;
	*leaving = claim.is_leaving;
	return true;
}

/* The owner of a job that stands in the way. One that hangs is ended first: a crash is safe and a
 * stuck bill is not. */
static bool peer_is_dead(struct scheduler *s, const struct job_row *job)
{
	struct job_sight sight;
	bool is_over;

	if (!peer_is_running(s->control->other))
		return true;
	if (peer_is_responsive(s->control->other))
		return false;
	job_look(s->control->jobs_folder, job->id, &sight);
	is_over = sight.lock == JOB_LOCK_FREE;
	job_sight_release(&sight);
	if (is_over)
		peer_end(s->control->other);
	return false; /* it is dead once its lock is free: the next look tells */
}

/* With the jitter, and as the setting stretches it. */
static int64_t longest_pause(const struct scheduler *s)
{
	if (s->control->role == CONTROL_BUILDER)
		return longest_pause_ms(RECONCILE_BUILDER);
	return longest_pause_ms(RECONCILE_DESTROYER) * 11 / 10 *
	       s->control->settings->retry_first_ms / 30000;
}

static bool observe(struct scheduler *s, const struct environment *env, struct observation *seen,
		    struct job_row **live, struct error *err)
{
	AUTO(check_run_free) struct check_run *run = NULL;
	AUTO(job_list_release) struct job_list jobs = { NULL, 0 };
	bool is_destroyer = s->control->role == CONTROL_DESTROYER;

	*seen = (struct observation){
		.role = is_destroyer ? RECONCILE_DESTROYER : RECONCILE_BUILDER,
		.now_ms = clock_wall_ms(),
		.boot_ms = clock_boot_ms(),
		.boot_id = clock_boot_id(),
		.has_slot = slot_for(s, env),
		.grace_ms = s->control->settings->lease_grace_ms,
		.longest_pause_ms = longest_pause(s),
		.builder_is_alive = !is_destroyer || peer_is_responsive(s->control->other),
	};
	if (!store_job_live(s->control->store, env->id, live, err) ||
	    (is_destroyer ? !store_jobs_of(s->control->store, env->id, &jobs, err)
			  : !store_check_next(s->control->store, env->id, &run, err) ||
				!has_room(s, env, &seen->target_has_room, err) ||
				!is_leaving(s, env, &seen->is_leaving_target, err)))
		return false;
	seen->live_job = *live;
	seen->had_a_job = jobs.count > 0;
	seen->check_is_asked = run != NULL;
	seen->is_job_orphaned = *live && strcmp((*live)->owner, control_owner(s->control)) != 0 &&
				peer_is_dead(s, *live);
	return true;
}

static bool start_job(struct scheduler *s, struct store_tx *tx, struct env_id id, const char *kind,
		      struct error *err)
{
	AUTO(environment_free) struct environment *env = NULL;
	AUTO(check_run_free) struct check_run *run = NULL;

	if (strcmp(kind, "check") == 0) {
		if (!store_check_next(s->control->store, id, &run, err))
			return false;
		if (!run)
			return true;
	}
	/* Now its documents count. */
	if (!store_environment_read(s->control->store, id, &env, err) ||
	    !job_runner_start(s->control->runner, tx, env, kind, run ? run->id : NULL, err))
		return false;
	s->starts_left--;
	return true;
}

static bool grant_grace(struct store_tx *tx, const struct environment *env, int64_t until_ms,
			struct error *err)
{
	struct history_entry entry = { .kind = HISTORY_LEASE };
	int64_t boot_ms = clock_boot_ms() + (until_ms - clock_wall_ms());
	struct lease_change change = { until_ms, boot_ms, clock_boot_id() };
	AUTO(free) char *message = NULL;
	char at[CLOCK_TEXT_SIZE];
	bool done;

	if (!store_environment_grant_grace(tx, env->id, &change, &done, err))
		return false;
	message = xasprintf("the lease ended while envd was not running: grace until %s",
			    clock_format_seconds(until_ms, at));
	entry.message = message;
	return !done || store_history_append(tx, &env->id, clock_wall_ms(), &entry, err);
}

static bool prove_never_started(struct scheduler *s, struct store_tx *tx,
				const struct environment *env, struct error *err)
{
	fault_point(POINT_NEVER_STARTED);
	return store_proof_add(tx, env->id, "never_started", clock_wall_ms(), NULL, err) &&
	       lifecycle_apply(s->control, tx, env->id, EVENT_PROVED_GONE,
			       "proved gone: nothing was ever started", err);
}

static bool take_over(struct scheduler *s, struct store_tx *tx, const struct job_row *job,
		      struct error *err)
{
	bool done;

	if (!store_job_take_over(tx, job->id, job->owner, control_owner(s->control), &done, err))
		return false;
	fault_point(POINT_TAKEN_OVER);
	if (done)
		log_warn("took job %s over from %s, which is dead", job->id.text, job->owner);
	if (!done)
		return true;
	job_runner_look_again(s->control->runner);
	return job_runner_attend(s->control->runner, tx, err);
}

/* A target is claimed together with the slot. */
static bool apply(struct scheduler *s, struct store_tx *tx, const struct environment *env,
		  enum env_event event, struct error *err)
{
	if (event == EVENT_SLOT_GRANTED && !placement_claim(s->control, tx, env, err))
		return false;
	if (event == EVENT_SLOT_GRANTED)
		fault_point(POINT_CLAIMED);
	return lifecycle_apply(s->control, tx, env->id, event, "", err);
}

static const char *sentence_for(const char *reason)
{
	if (strcmp(reason, REASON_HARD_WALL) == 0)
		return "the hard wall was reached";
	return "no slot became free within the queue limit";
}

static bool act(struct scheduler *s, struct store_tx *tx, const struct environment *env,
		const struct action *action, const struct job_row *live, struct error *err)
{
	switch (action->kind) {
	case ACTION_APPLY:
		return apply(s, tx, env, action->event, err);
	case ACTION_UNWANT:
		return lifecycle_unwant(s->control, tx, env->id, action->reason,
					sentence_for(action->reason), NULL, err);
	case ACTION_EXPIRE:
		return lifecycle_expire(s->control, tx, env->id, env->expires_at_ms,
					env->state == ENV_FAILED
					    ? "the time to look at it has ended"
					    : "the lease has ended",
					err);
	case ACTION_GRANT_GRACE:
		return grant_grace(tx, env, action->until_ms, err);
	case ACTION_START:
		return start_job(s, tx, env->id, action->job_kind, err);
	case ACTION_STOP:
		return job_runner_stop(s->control->runner, tx, live->id, err);
	case ACTION_TAKE_OVER:
		return take_over(s, tx, live, err);
	case ACTION_PROVE_NEVER_STARTED:
		return prove_never_started(s, tx, env, err);
	case ACTION_GIVE_UP_EVIDENCE:
		return lifecycle_give_up_evidence(s->control, tx, env->id, action->reason, err);
	case ACTION_NONE:
		break;
	}
	return true;
}

/* One observation, one action. `*again` when there may be a next one at once. */
static bool step(struct scheduler *s, struct store_tx *tx, struct env_id id, int64_t *wake_at_ms,
		 bool *again, struct error *err)
{
	AUTO(environment_free) struct environment *env = NULL;
	AUTO(job_row_free) struct job_row *live = NULL;
	struct observation seen;
	struct action action;

	if (!store_environment_show(s->control->store, id, &env, err) ||
	    !observe(s, env, &seen, &live, err))
		return false;
	action = reconcile(env, &seen);
	*again = action.kind == ACTION_APPLY || action.kind == ACTION_UNWANT ||
		 action.kind == ACTION_EXPIRE || action.kind == ACTION_GRANT_GRACE ||
		 action.kind == ACTION_GIVE_UP_EVIDENCE || action.kind == ACTION_TAKE_OVER;
	if (action.kind == ACTION_NONE && action.wake_at_ms &&
	    (!*wake_at_ms || action.wake_at_ms < *wake_at_ms))
		*wake_at_ms = action.wake_at_ms;
	return act(s, tx, env, &action, live, err);
}

/* One environment that cannot be moved must not hold up the others. */
static void move(struct scheduler *s, struct store_tx *tx, struct env_id id, int64_t *wake_at_ms)
{
	char identity[64];
	struct error err;
	bool again = true;

	for (int i = 0; again && i < STEPS_MAX; i++) {
		if (step(s, tx, id, wake_at_ms, &again, &err))
			continue;
		snprintf(identity, sizeof(identity), "env=%s", id.text);
		log_line(LOG_ERROR, identity, "cannot be moved on, trying again: %s", err.message);
		return;
	}
}

/* Slots that are free; as many again for those that are found to need none. */
static int64_t starts_at_most(const struct scheduler *s)
{
	int64_t running = (int64_t)job_runner_count(s->control->runner, "destroy");
	int64_t slots = s->control->settings->destroy_slots;

	return running < slots ? 2 * (slots - running) : 0;
}

static bool list_work(struct scheduler *s, struct env_id_list *list, struct error *err)
{
	struct destroyer_ask ask = { .owner = control_owner(s->control) };

	if (s->control->role == CONTROL_BUILDER && s->control->settings->targets_file)
		return store_work_to_place(s->control->store,
					   s->control->settings->create_slots * 2, list, err);
	if (s->control->role == CONTROL_BUILDER)
		return store_work_to_build(s->control->store,
					   s->control->settings->create_slots * 2, list, err);
	ask.now = (struct lease_now){ clock_wall_ms(), clock_boot_ms(), clock_boot_id() };
	ask.start_max = starts_at_most(s);
	ask.longest_pause_ms = longest_pause(s);
	return store_work_to_destroy(s->control->store, &ask, list, err);
}

static void set_wake(struct scheduler *s, int64_t wake_at_ms)
{
	struct error ignored; /* then the scan does it */
	int64_t due = 0, in_ms = SCAN_MS;

	if (s->control->role == CONTROL_DESTROYER &&
	    store_work_next_due(s->control->store, clock_wall_ms(), &due, &ignored) && due &&
	    (!wake_at_ms || due < wake_at_ms))
		wake_at_ms = due;
	if (wake_at_ms && wake_at_ms - clock_wall_ms() < in_ms)
		in_ms = wake_at_ms - clock_wall_ms();
	timer_set_ms(s->wake, in_ms > 1 ? in_ms : 1);
}

static bool note_idle(struct scheduler *s, struct error *err)
{
	int64_t open = 0;

	if (!store_tally_open(s->control->store, &open, err))
		return false;
	s->is_idle = open == 0;
	return true;
}

static bool pass(void *arg, struct store_tx *tx, struct error *err)
{
	struct scheduler *s = arg;
	AUTO(env_id_list_release) struct env_id_list list = { NULL, 0 };
	int64_t wake_at_ms = 0;

	if (!job_runner_attend(s->control->runner, tx, err) || !list_work(s, &list, err))
		return false;
	if (fault_fails(POINT_PASS, err))
		return false;
	s->starts_left = STARTS_MAX;
	for (size_t i = 0; i < list.count; i++)
		move(s, tx, list.items[i], &wake_at_ms);
	if (!s->starts_left)
		turn_want_pass(s->control->turn);
	set_wake(s, wake_at_ms);
	return note_idle(s, err);
}

/* By reading alone, which needs no lock: a wake-up that changes nothing holds up nobody's writing.
 */
static bool is_pass_needed(void *arg)
{
	struct scheduler *s = arg;
	AUTO(env_id_list_release) struct env_id_list list = { NULL, 0 };
	struct error ignored; /* then the pass says so */
	bool has_strangers;

	if (!job_runner_has_strangers(s->control->runner, &has_strangers, &ignored) ||
	    has_strangers || !list_work(s, &list, &ignored) || list.count)
		return true;
	set_wake(s, 0);
	return !note_idle(s, &ignored);
}

static void on_wake(void *arg)
{
	struct scheduler *s = arg;

	turn_want_pass(s->control->turn);
}

struct scheduler *scheduler_new(struct control *control)
{
	struct scheduler *s = xcalloc(1, sizeof(*s));

	s->control = control;
	s->wake = timer_new(control->loop, on_wake, s);
	turn_set_pass(control->turn, pass, is_pass_needed, s);
	turn_want_pass(control->turn);
	return s;
}

void scheduler_free(struct scheduler *s)
{
	if (!s)
		return;
	timer_free(s->wake);
	free(s);
}

bool scheduler_is_idle(const struct scheduler *s)
{
	return s->is_idle;
}
