/*
 * sim_judge.c - what must never happen, and what must have happened in the end. It knows what was
 * asked and promised, what the world holds, and what time it truly is.
 */
#include "tests/simulation/sim.h"

#include <string.h>

#include "store/store_environments.h"
#include "store/store_targets.h"
#include "store/store_history.h"
#include "store/store_jobs.h"

enum {
	LATE_MS = 2000,       /* for deciding that something is over, when nothing is in the way */
	SCAN_LATE_MS = 32000, /* the same when only the scan can have seen it */
	RETRY_LATE_MS = 130000, /* after a clock was set back */
};

struct sim_env *sim_env_of(struct env_id id)
{
	for (size_t i = 0; i < sim->env_count; i++)
		if (strcmp(sim->envs[i].id.text, id.text) == 0)
			return &sim->envs[i];
	if (sim->env_count == SIM_ENVS_MAX)
		abort();
	sim->envs[sim->env_count] = (struct sim_env){ .id = id };
	return &sim->envs[sim->env_count++];
}

void sim_judge_touch(struct env_id id)
{
	for (size_t i = 0; i < sim->touched_count; i++)
		if (strcmp(sim->touched[i].text, id.text) == 0)
			return;
	if (sim->touched_count < SIM_ENVS_MAX)
		sim->touched[sim->touched_count++] = id;
}

void sim_judge_forget_touched(void)
{
	sim->touched_count = 0;
}

/* ---- until when it may be used ---- */

static int64_t later_of(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static void promise(struct sim_env *known, const struct environment *env)
{
	known->promised_wall_ms = env->expires_at_ms;
	known->promised_end_ms = sim->now_ms + env->expires_at_ms - sim_wall_ms();
	known->promised_boot = sim->boots;
	known->lease_ms = env->lease_ms;
	if (env->expires_at_ms > env->hard_wall_at_ms)
		sim_fail("the lease of %s passes its hard wall", env->id.text);
}

static bool lease_end_is_past(const struct environment *env)
{
	return env->expires_at_ms < sim_wall_ms() - LATE_MS;
}

/* More than was there and was asked for; of a program that died it is not known what was there.
 * Extensions that came while the program hung are done in one turn, so that the answer to the first
 * already tells of the second: what all of them asked for counts. */
static void judge_generosity(const struct sim_env *known, int64_t had_until_ms)
{
	int64_t most = later_of(had_until_ms, sim->now_ms + SIM_GRACE_MS) + known->asked_ms;

	if (!sim->counts.crashes && known->promised_end_ms > most + LATE_MS)
		sim_fail("L %s got %lld ms more than was asked for", known->id.text,
			 (long long)(known->promised_end_ms - most));
}

void sim_judge_promise(struct sim_program *program, struct env_id id)
{
	int64_t had_until_ms = sim_env_of(id)->promised_end_ms;
	AUTO(environment_free) struct environment *env = NULL;
	struct error err;

	if (!store_environment_read(program->control.store, id, &env, &err))
		sim_fail("S10 what was answered is not there: %s", err.message);
	else if (env->desired == DESIRED_ABSENT && !sim_env_of(id)->destroy_was_asked)
		sim_fail("S7 %s was extended and is unwanted", id.text);
	else if (lease_end_is_past(env))
		sim_fail("S7 %s was extended until a time that had passed", id.text);
	else
		promise(sim_env_of(id), env);
	judge_generosity(sim_env_of(id), had_until_ms);
}

static int64_t tolerance_ms(const struct sim_env *known)
{
	int64_t share = known->lease_ms / 20;

	return sim->has_jumped ? (share < 60000 ? share : 60000) : 0;
}

/* Since when nothing kept the destroyer from seeing that it was over. */
static int64_t lateness_ms(int64_t due_ms)
{
	return sim->now_ms - later_of(due_ms, sim->programs[SIM_DESTROYER].well_since_ms);
}

static void judge_lease_end(const struct sim_env *known, const struct environment *env)
{
	const struct sim_program *builder = &sim->programs[SIM_BUILDER];
	bool same_boot = known->promised_boot == sim->boots;
	int64_t due = known->promised_end_ms, most = sim->has_jumped ? SCAN_LATE_MS : LATE_MS;

	if (same_boot ? sim->now_ms + tolerance_ms(known) < due
		      : sim_wall_ms() < known->promised_wall_ms)
		sim_fail("S6/S7 %s was in use until %lld ms and ended at %lld ms", env->id.text,
			 (long long)due, (long long)sim->now_ms);
	/* A grace, once, when nobody could have extended it; one that was granted is its end. */
	if (!env->grace_until_ms && (!builder->is_up || builder->well_since_ms + 1 >= due))
		most += SIM_GRACE_MS;
	/* An extension may have been committed by a program that died before it could answer. */
	if (strcmp(env->boot_id, sim->boot_id) == 0)
		due = later_of(due, sim->boot_at_ms + env->expires_boot_ms);
	if (same_boot && lateness_ms(due + tolerance_ms(known)) > most)
		sim_fail("L %s was to end at %lld ms and ended at %lld ms", env->id.text,
			 (long long)due, (long long)sim->now_ms);
}

/* Once, and until then it is promised: by the clocks of the boot in which it was granted. */
static void judge_grace(struct sim_env *known, const struct environment *env)
{
	int64_t most_ms = known->promised_end_ms + tolerance_ms(known) + SIM_GRACE_MS;
	bool same_boot = known->promised_boot == sim->boots;

	promise(known, env);
	known->promised_boot = -1; /* when it was granted in a boot before this one */
	if (strcmp(env->boot_id, sim->boot_id) == 0) {
		known->promised_boot = sim->boots;
		known->promised_end_ms = sim->boot_at_ms + env->expires_boot_ms;
	}
	/* An extension that never was answered may have been committed all the same. */
	if (same_boot && !known->asked_ms && known->promised_end_ms > most_ms)
		sim_fail("L the grace of %s ends at %lld ms, %lld ms too late", env->id.text,
			 (long long)known->promised_end_ms,
			 (long long)(known->promised_end_ms - most_ms));
}

static void judge_unwanted(struct sim_env *known, const struct environment *env)
{
	const char *reason = env->reason ? env->reason : "";
	int64_t wall = sim_wall_ms();

	known->is_absent = true;
	known->absent_since_ms = sim->now_ms;
	sim_tell("unwanted: %s (%s)", env->id.text + 24, reason);
	if (strcmp(reason, REASON_REQUESTED) == 0) {
		if (!known->destroy_was_asked)
			sim_fail("S6 nobody asked to destroy %s", env->id.text);
	} else if (strcmp(reason, REASON_LEASE_ENDED) == 0) {
		judge_lease_end(known, env);
	} else if (strcmp(reason, REASON_HARD_WALL) == 0) {
		if (wall < env->hard_wall_at_ms)
			sim_fail("S6 %s ended before its hard wall", env->id.text);
	} else if (strcmp(reason, REASON_QUEUE_TIMEOUT) == 0) {
		if (known->was_ready || wall < env->created_at_ms + env->queue_limit_ms)
			sim_fail("S6 %s did not wait in the queue for too long", env->id.text);
	} else if (!known->work_went_wrong || known->was_ready) {
		sim_fail("S6 %s ended for \"%s\", and nothing of it had gone wrong", env->id.text,
			 reason);
	}
	if (!sim->has_jumped && lateness_ms(env->hard_wall_at_ms - sim->wall_offset_ms) > LATE_MS)
		sim_fail("L %s passed its hard wall", env->id.text);
}

static void judge_destroyed(struct sim_program *program, struct sim_env *known,
			    const struct environment *env)
{
	AUTO(json_decref) json_t *proofs = NULL;
	struct error err;
	size_t count = 0;

	known->is_destroyed = true;
	sim->counts.destroyed++;
	sim_tell("destroyed: %s", env->id.text + 24);
	if (sim_things_of(env->id) > 0)
		sim_fail("S8 %s is destroyed and %zu things of it are there", env->id.text,
			 sim_things_of(env->id));
	if (sim_is_worked_on(env->id))
		sim_fail("S8 %s is destroyed and a worker of it is at work", env->id.text);
	if (store_proofs(program->control.store, env->id, &proofs, &err))
		count = json_array_size(proofs);
	if (count == 1 && known->work_was_started)
		sim_fail("S8 %s is said never to have been started", env->id.text);
	if (count != 1 && count != 4)
		sim_fail("S8 %s is destroyed with %zu proofs", env->id.text, count);
}

/* From its slot to its proofs, and not a commit longer. */
static void judge_claim(struct store *store, const struct environment *env)
{
	bool is_owed = env->provisioning_at_ms && env->state != ENV_DESTROYED;
	struct claim claim;
	struct error err;

	if (!store_claim_read(store, env->id, env->target, &claim, &err))
		sim_fail("the claim of %s: %s", env->id.text, err.message);
	else if (is_owed != (claim.number != 0))
		sim_fail("S11 %s is %s and %s a claim of its target", env->id.text,
			 env_state_name(env->state), claim.number ? "has" : "has not");
}

static void judge_env(struct sim_program *program, struct env_id id)
{
	AUTO(environment_free) struct environment *env = NULL;
	struct sim_env *known = sim_env_of(id);
	struct error err;

	if (!store_environment_read(program->control.store, id, &env, &err))
		return; /* its change was undone */
	judge_claim(program->control.store, env);
	if (known->is_destroyed && env->state != ENV_DESTROYED)
		sim_fail("S5 %s came back from destroyed", id.text);
	if (known->is_absent && env->desired == DESIRED_PRESENT)
		sim_fail("S5 %s was unwanted and is wanted again", id.text);
	if (env->state == ENV_READY && !known->was_ready) {
		known->was_ready = true;
		sim->counts.ready++;
		sim_tell("ready: %s", id.text + 24);
		promise(known, env);
	}
	if (env->grace_until_ms && !known->had_grace)
		judge_grace(known, env);
	known->had_grace = env->grace_until_ms != 0; /* an extension ends it */
	if (env->desired == DESIRED_ABSENT && !known->is_absent)
		judge_unwanted(known, env);
	if (env->state == ENV_DESTROYED && !known->is_destroyed)
		judge_destroyed(program, known, env);
}

void sim_judge_commit(struct sim_program *program)
{
	size_t count = sim->touched_count;

	for (size_t i = 0; i < count; i++)
		judge_env(program, sim->touched[i]);
	sim->touched_count = 0;
}

void sim_judge_go(struct sim_program *program, struct job_id job, struct env_id id,
		  enum sim_kind kind)
{
	AUTO(environment_free) struct environment *env = NULL;
	AUTO(job_row_free) struct job_row *row = NULL;
	struct error err;

	sim_env_of(id)->work_was_started = true;
	if (!store_job_read(program->control.store, job, &row, &err) ||
	    !store_environment_read(program->control.store, id, &env, &err)) {
		sim_fail("S2 something runs that the store does not know: %s", err.message);
		return;
	}
	if (row->state != JOB_RUNNING)
		sim_fail("S2 job %s runs and its row does not say so", job.text);
	if (sim_is_worked_on(id))
		sim_fail("S3 two workers are at work on %s", id.text);
	if (kind == KIND_DESTROY && env->desired != DESIRED_ABSENT)
		sim_fail("S6 %s is destroyed and still wanted", id.text);
	if (env->state == ENV_DESTROYED)
		sim_fail("S5 %s is worked on after its end", id.text);
}

/* ---- the end ---- */

bool sim_judge_is_settled(void)
{
	for (size_t i = 0; i < sim->env_count; i++)
		if (!sim->envs[i].is_destroyed)
			return false;
	return sim_workers_are_over() && sim_sweep_is_done();
}

static void judge_history(struct store *store, struct env_id id)
{
	AUTO(history_list_release) struct history_list list = { NULL, 0 };
	struct error err;

	if (!store_history_list(store, &id, 0, 500, &list, &err))
		return;
	for (size_t i = 0; i < list.count; i++) {
		const char *job = json_get_string(list.rows[i].data, "job", "");

		for (size_t k = i + 1; k < list.count && strcmp(list.rows[i].kind, "job") == 0; k++)
			if (strcmp(list.rows[k].kind, "job") == 0 &&
			    strcmp(json_get_string(list.rows[k].data, "job", ""), job) == 0)
				sim_fail("L5 the end of job %s was applied twice", job);
	}
}

static void judge_answers(struct store *store)
{
	for (size_t i = 0; i < sim->create_count; i++) {
		AUTO(environment_free) struct environment *env = NULL;
		struct error err;

		if (sim->creates[i].was_answered &&
		    !store_environment_read(store, sim->creates[i].id, &env, &err))
			sim_fail("S10 %s was accepted and is not there: %s",
				 sim->creates[i].id.text, err.message);
	}
}

static void judge_unfinished(struct store *store)
{
	for (size_t i = 0; i < sim->env_count; i++) {
		AUTO(environment_free) struct environment *env = NULL;
		struct error err;

		if (sim->envs[i].is_destroyed ||
		    !store_environment_read(store, sim->envs[i].id, &env, &err))
			continue;
		sim_fail("L1 %s is still %s (%s) after everything was well again", env->id.text,
			 env_state_name(env->state), env->message);
	}
}

static bool has_fault(void)
{
	for (size_t i = 0; i < sim->op_count; i++)
		if (!sim->ops[i].is_left_out && sim->ops[i].kind >= OP_CRASH &&
		    sim->ops[i].kind != OP_ORPHAN)
			return true;
	return false;
}

/* With nothing wrong, what was accepted is usable, unless somebody did not want it that long. */
static void judge_calm(void)
{
	for (size_t i = 0; i < sim->env_count; i++) {
		const struct sim_env *known = &sim->envs[i];

		if (!known->was_ready && !known->destroy_was_asked && known->work_was_started &&
		    !known->work_went_wrong)
			sim_fail("L %s never became ready, and nothing had gone wrong",
				 known->id.text);
	}
}

void sim_judge_end(void)
{
	struct store *store = sim->programs[SIM_DESTROYER].control.store;
	AUTO(job_list_release) struct job_list jobs = { NULL, 0 };
	struct error err;

	judge_answers(store);
	judge_unfinished(store);
	sim_sweep_judge_end();
	if (store_jobs_live(store, NULL, &jobs, &err) && jobs.count && !*sim->failure)
		sim_fail("L4 job %s never ended", jobs.items[0]->id.text);
	for (size_t i = 0; i < sim->env_count; i++) {
		if (sim_things_of(sim->envs[i].id) && !sim_sweep_is_excused(sim->envs[i].id))
			sim_fail("L2 something of %s is left", sim->envs[i].id.text);
		judge_history(store, sim->envs[i].id);
	}
	if (!has_fault())
		judge_calm();
}
