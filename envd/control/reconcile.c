#include "control/reconcile.h"

#include <string.h>

#include "model/lease.h"

/* While evidence is taken: how soon it shows that envd has died over it. */
enum { EVIDENCE_LOOK_MS = 1000 };

static struct action nothing(int64_t wake_at_ms)
{
	return (struct action){ .kind = ACTION_NONE, .wake_at_ms = wake_at_ms };
}

static struct action apply(enum env_event event)
{
	return (struct action){ .kind = ACTION_APPLY, .event = event };
}

static struct action start(const char *job_kind, const struct observation *seen)
{
	if (!seen->has_slot)
		return nothing(0);
	return (struct action){ .kind = ACTION_START, .job_kind = job_kind };
}

static struct action unwant(const char *reason)
{
	return (struct action){ .kind = ACTION_UNWANT, .reason = reason };
}

/* A pause longer than any that we make was not made: the clock was set back meanwhile. */
static bool must_pause(const struct environment *env, const struct observation *seen)
{
	int64_t left = env->next_try_at_ms - seen->now_ms;

	return left > 0 && left <= seen->longest_pause_ms;
}

/* Evidence is the builder's to take, of what is wanted and of what is not: whoever destroys waits
 * for it, never longer than `evidence_until_ms`. */
static struct action gather(const struct environment *env, const struct observation *seen)
{
	const struct job_row *job = seen->live_job;

	if (seen->now_ms < env->evidence_until_ms) {
		if (job || !seen->has_slot)
			return nothing(env->evidence_until_ms);
		if (must_pause(env, seen))
			return nothing(env->next_try_at_ms);
		return start("evidence", seen);
	}
	/* It ends by its own deadline; and whoever destroys gives up by itself, and goes on. */
	if ((job && strcmp(job->kind, "evidence") == 0) || env->desired == DESIRED_ABSENT)
		return nothing(0);
	return (struct action){ .kind = ACTION_GIVE_UP_EVIDENCE,
				.reason = "there was no room for it in time" };
}

/* A wanted environment is the builder's. */
static struct action build(const struct environment *env, const struct observation *seen)
{
	if (seen->live_job)
		return nothing(0);
	if (env->state != ENV_READY && must_pause(env, seen))
		return nothing(env->next_try_at_ms);
	switch (env->state) {
	case ENV_QUEUED:
		return seen->has_slot && seen->target_has_room ? apply(EVENT_SLOT_GRANTED)
							       : nothing(0);
	case ENV_PROVISIONING:
		if (seen->is_leaving_target)
			return start("vacate", seen);
		/* What ended without a result may have left halves: look before building on. */
		return start(env->is_unknown ? "recover" : "create", seen);
	case ENV_CHECKING:
		return env->has_checks ? start("check", seen) : apply(EVENT_CHECKS_PASSED);
	case ENV_READY:
		return seen->check_is_asked ? start("check", seen) : nothing(0);
	default:
		return nothing(0);
	}
}

static struct action end_lease(const struct environment *env, const struct observation *seen)
{
	struct lease lease = { env->expires_at_ms, env->expires_boot_ms, env->lease_ms,
			       env->boot_id };
	struct lease_now now = { seen->now_ms, seen->boot_ms, seen->boot_id };

	if (!lease_has_ended(&lease, &now))
		return nothing(seen->now_ms + lease_look_again_ms(&lease, &now));
	/* Nobody could have extended it: one grace, inside the wall. What failed is not in use. */
	if (env->state == ENV_READY && !env->grace_until_ms && !seen->builder_is_alive &&
	    seen->grace_ms > 0) {
		int64_t until = lease_end_now_ms(&lease, &now) + seen->grace_ms;

		until = until < env->hard_wall_at_ms ? until : env->hard_wall_at_ms;
		if (until > seen->now_ms)
			return (struct action){ .kind = ACTION_GRANT_GRACE, .until_ms = until };
	}
	return (struct action){ .kind = ACTION_EXPIRE };
}

/* Of a wanted environment the destroyer sees only the clocks. */
static struct action watch_clocks(const struct environment *env, const struct observation *seen)
{
	if (seen->now_ms >= env->hard_wall_at_ms)
		return unwant(REASON_HARD_WALL);
	if (env->state == ENV_QUEUED && seen->now_ms >= env->created_at_ms + env->queue_limit_ms)
		return unwant(REASON_QUEUE_TIMEOUT);
	if (env->state == ENV_READY || env->state == ENV_FAILED)
		return end_lease(env, seen);
	return nothing(0);
}

/* True while evidence is still being taken; with nobody there to take it nothing waits. */
static bool waits_for_evidence(const struct environment *env, const struct observation *seen)
{
	const struct job_row *job = seen->live_job;

	return env->evidence == EVIDENCE_WANTED && seen->builder_is_alive &&
	       seen->now_ms < env->evidence_until_ms &&
	       (!job || strcmp(job->kind, "evidence") == 0);
}

static struct action destroy(const struct environment *env, const struct observation *seen)
{
	const struct job_row *job = seen->live_job;

	if (env->state != ENV_DESTROYING)
		return apply(EVENT_UNWANTED);
	if (waits_for_evidence(env, seen))
		return nothing(seen->now_ms + EVIDENCE_LOOK_MS);
	if (job && seen->is_job_orphaned)
		return (struct action){ .kind = ACTION_TAKE_OVER };
	if (job && strcmp(job->kind, "destroy") != 0 && !job->stop_asked_at_ms)
		return (struct action){ .kind = ACTION_STOP };
	if (job)
		return nothing(0);
	if (env->evidence == EVIDENCE_WANTED)
		return (struct action){ .kind = ACTION_GIVE_UP_EVIDENCE,
					.reason = seen->builder_is_alive ? "its time was over"
									 : "envd is not running" };
	if (!seen->had_a_job)
		return (struct action){ .kind = ACTION_PROVE_NEVER_STARTED };
	if (must_pause(env, seen))
		return nothing(env->next_try_at_ms);
	return start("destroy", seen);
}

struct action reconcile(const struct environment *environment, const struct observation *seen)
{
	if (environment->state == ENV_DESTROYED)
		return nothing(0);
	if (environment->evidence == EVIDENCE_WANTED && seen->role == RECONCILE_BUILDER)
		return gather(environment, seen);
	if (environment->desired == DESIRED_ABSENT)
		return seen->role == RECONCILE_DESTROYER ? destroy(environment, seen) : nothing(0);
	return seen->role == RECONCILE_BUILDER ? build(environment, seen)
					       : watch_clocks(environment, seen);
}

static int64_t doubled(int64_t first_ms, int64_t attempts, int64_t most_ms)
{
	int64_t pause = first_ms;

	for (int64_t i = 1; i < attempts && pause < most_ms; i++)
		pause *= 2;
	return pause < most_ms ? pause : most_ms;
}

int64_t destroy_pause_ms(int64_t attempts)
{
	enum { HALF_HOUR_MS = 1800000, HOUR_MS = 3600000 };

	/* 30 s, 1, 2, 4, 8, 16, 30 min, and from then on once an hour. */
	return attempts > 7 ? HOUR_MS : doubled(30000, attempts, HALF_HOUR_MS);
}

int64_t create_pause_ms(int64_t attempts)
{
	return doubled(1000, attempts, 30000);
}

int64_t longest_pause_ms(enum reconcile_role role)
{
	return role == RECONCILE_DESTROYER ? destroy_pause_ms(INT64_MAX)
					   : create_pause_ms(INT64_MAX);
}
