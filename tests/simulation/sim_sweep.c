/*
 * sim_sweep.c - the reaper's sweep (reaper/sweep.c, reaper/sweep_plan.c) beside everything else.
 * Its listing is taken, and used a while later, when what was listed may be gone and what was not
 * may be there; a listing may be incomplete, and a removal may fail or not be heard of. Among the
 * things are orphans: made in our name, in another's, or by a store that is ahead of ours.
 */
#include "tests/simulation/sim.h"

#include <string.h>

#include "reaper/engine_question.h"
#include "reaper/image_sweep.h"
#include "reaper/retention.h"
#include "reaper/sweep.h"
#include "store/store_environments.h"

enum {
	LISTING_MS_MAX = 6000,
	SETTLE_MS = 500,
	RANDOM_SWEEP = 90210,
	FUTURE_SEQUENCE = 1000000,
	NUMBER_OF_ORPHAN = 9,
};
#define OTHER_INSTANCE "99999999-9999-4999-8999-999999999999"

bool __wrap_engine_question_ask(const json_t *request, json_t **data, struct error *err);
bool __wrap_image_sweep(struct store *store, const struct settings *settings,
			const struct target *target, bool is_dry, size_t *removed,
			struct error *err);
bool __wrap_retention_run(struct store *store, const struct settings *settings, int64_t now_ms,
			  struct retention_count *count, struct error *err);

/* ---- orphans ---- */

static struct sim_orphan *orphan_of(const char *environment)
{
	for (size_t i = 0; i < sim->orphan_count; i++)
		if (strcmp(sim->orphans[i].id.text, environment) == 0)
			return &sim->orphans[i];
	return NULL;
}

static struct sim_program *destroyer(void)
{
	return &sim->programs[SIM_DESTROYER];
}

static void make_orphan(struct env_id id, enum sim_orphan_kind kind, int64_t life_ms)
{
	struct sim_thing thing = { .environment = id,
				   .number = NUMBER_OF_ORPHAN,
				   .sequence = kind == ORPHAN_FUTURE ? FUTURE_SEQUENCE : 0,
				   .hard_wall_s = (sim_wall_ms() + life_ms) / 1000 };

	snprintf(thing.instance, sizeof(thing.instance), "%s",
		 kind == ORPHAN_OTHER ? OTHER_INSTANCE
				      : store_instance(destroyer()->control.store));
	sim_thing_make(&thing);
	if (sim->orphan_count < SIM_ORPHANS_MAX)
		sim->orphans[sim->orphan_count++] = (struct sim_orphan){ id, kind, 0 };
}

/* Something that belongs to an environment which is proved gone. */
static void make_straggler(const struct sim_op *op)
{
	const struct sim_env *env;

	if (sim->env_count == 0)
		return;
	env = &sim->envs[(size_t)op->which % sim->env_count];
	if (env->is_destroyed)
		make_orphan(env->id, ORPHAN_STRAGGLER, op->ms);
}

void sim_sweep_orphan(const struct sim_op *op)
{
	struct env_id id;

	if (!destroyer()->is_up || sim->orphan_count == SIM_ORPHANS_MAX)
		return;
	if (op->how == ORPHAN_STRAGGLER) {
		make_straggler(op);
		return;
	}
	snprintf(id.text, sizeof(id.text), "00000000-0000-4000-9000-%012zx", sim->orphan_count + 1);
	make_orphan(id, (enum sim_orphan_kind)op->how, op->ms);
}

/* ---- what the sweep asks ---- */

/* Only while faults are on. */
static bool goes_wrong(int64_t one_in)
{
	return sim->now_ms < SIM_FAULTS_END_MS &&
	       sim_random(RANDOM_SWEEP, ++sim->sweep.asked, one_in) == 0;
}

/* Of what was listed, and not of what is there now. */
static bool is_listed(const char *key, int64_t least)
{
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(sim->sweep.listing, "items"), i, item)
		if (strcmp(json_get_string(item, "instance", ""), OTHER_INSTANCE) != 0 &&
		    json_get_int64(item, key, 0) >= least)
			return true;
	return false;
}

static void judge_interval(const struct sim_orphan *orphan)
{
	int64_t since_ms = sim->sweep.listed_at_ms - orphan->listed_at_ms;

	if (!orphan->listed_at_ms || orphan->listed_at_ms == sim->sweep.listed_at_ms)
		sim_fail("S13 %s is removed and one listing alone has shown it", orphan->id.text);
	else if (!sim->has_jumped && since_ms < sim->settings.sweep_interval_ms * 9 / 10)
		sim_fail("S13 %s is removed after two listings %lld ms apart", orphan->id.text,
			 (long long)since_ms);
}

static void judge_removal(const char *environment, int64_t hard_wall_s)
{
	const struct sim_orphan *orphan = orphan_of(environment);
	struct env_id id = env_id_from(environment);
	AUTO(environment_free) struct environment *env = NULL;
	struct error err;

	if (store_environment_read(destroyer()->control.store, id, &env, &err) &&
	    env->state != ENV_DESTROYED)
		sim_fail("S13 the sweep removes %s, which is %s", environment,
			 env_state_name(env->state));
	if (orphan && orphan->kind == ORPHAN_OTHER)
		sim_fail("S13 the sweep removes %s of another installation", environment);
	if (!json_get_bool(sim->sweep.listing, "complete", false))
		sim_fail("S13 the sweep removes %s by an incomplete listing", environment);
	if (is_listed("sequence", FUTURE_SEQUENCE))
		sim_fail("S13 the sweep removes %s with a store that is behind", environment);
	if (orphan && hard_wall_s > sim->sweep.started_wall_ms / 1000)
		judge_interval(orphan);
}

static json_t *proof_of(struct env_id id)
{
	json_t *first = sim_things_list(true), *second = sim_things_list(true);

	json_object_set_new(second, "at_ms", json_integer(sim_wall_ms() + SETTLE_MS));
	return json_pack("{s:i, s:b, s:i, s:[o, o]}", "removed", 1, "state_empty",
			 sim_things_of(id) == 0, "pending", 0, "inventories", first, second);
}

static bool remove_things(const json_t *request, json_t **data, struct error *err)
{
	const json_t *asked = json_object_get(request, "environment");
	struct env_id id = env_id_from(json_get_string(asked, "id", ""));

	judge_removal(id.text, json_get_int64(asked, "hard_wall_s", 0));
	if (goes_wrong(6))
		return error_set(err, ERR_UNAVAILABLE, "the runtime is away");
	while (sim_thing_remove(id))
		sim_tell("swept: something of %s", id.text + 19);
	if (goes_wrong(6)) /* it died, or the one who asked did */
		return error_set(err, ERR_EXTERNAL, "no answer came");
	sim->counts.swept++;
	*data = proof_of(id);
	return true;
}

bool __wrap_engine_question_ask(const json_t *request, json_t **data, struct error *err)
{
	if (strcmp(json_get_string(request, "task", ""), "inventory") != 0)
		return remove_things(request, data, err);
	*data = json_incref(sim->sweep.listing);
	return true;
}

bool __wrap_image_sweep(struct store *store, const struct settings *settings,
			const struct target *target, bool is_dry, size_t *removed,
			struct error *err)
{
	(void)store;
	(void)settings;
	(void)target;
	(void)is_dry;
	(void)removed;
	(void)err;
	return true;
}

bool __wrap_retention_run(struct store *store, const struct settings *settings, int64_t now_ms,
			  struct retention_count *count, struct error *err)
{
	(void)store;
	(void)settings;
	(void)now_ms;
	(void)err;
	*count = (struct retention_count){ 0 };
	return true;
}

/* ---- one sweep: it lists, and goes on when the listing is there ---- */

static void begin(void)
{
	sim->sweep.listing = sim_things_list(!goes_wrong(8));
	sim->sweep.listed_at_ms = sim->now_ms;
	sim->sweep.started_wall_ms = sim_wall_ms();
	sim->sweep.due_ms =
	    sim->now_ms + sim_random(RANDOM_SWEEP, ++sim->sweep.asked, LISTING_MS_MAX);
}

/* For the judge: since when a complete listing has shown it. */
static void note_listed(void)
{
	const json_t *item;
	size_t i;

	if (!json_get_bool(sim->sweep.listing, "complete", false))
		return;
	json_array_foreach(json_object_get(sim->sweep.listing, "items"), i, item) {
		struct sim_orphan *orphan = orphan_of(json_get_string(item, "environment", ""));

		if (orphan && !orphan->listed_at_ms)
			orphan->listed_at_ms = sim->sweep.listed_at_ms;
	}
}

static void run(void)
{
	static const struct sweep_options options = { .scheduled = true };
	static FILE *nowhere;
	struct sweep sweep = { .options = &options,
			       .settings = &sim->settings,
			       .store = destroyer()->control.store,
			       .now_ms = sim->sweep.started_wall_ms };

	if (!nowhere)
		nowhere = fopen("/dev/null", "we");
	sweep.out = sim->tells ? stdout : nowhere;
	sweep.errors = sweep.out;
	snprintf(sweep.instance, sizeof(sweep.instance), "%s", store_instance(sweep.store));
	sweep_run(&sweep);
	sim->counts.sweeps++;
}

static void finish(void)
{
	/* The reaper's child ends with it. */
	if (destroyer()->is_up && !destroyer()->hung_since_ms) {
		run();
		note_listed();
	}
	json_decref(sim->sweep.listing);
	sim->sweep.listing = NULL;
	sim->sweep.due_ms = sim->now_ms + sim->settings.sweep_interval_ms;
}

void sim_sweep_step(void)
{
	if (sim->sweep.listing)
		finish();
	else
		begin();
}

void sim_sweep_free(void)
{
	json_decref(sim->sweep.listing);
	sim->sweep.listing = NULL;
}

/* Nothing may be expected of a sweep while the store is behind what exists. */
static bool is_halted(void)
{
	for (size_t i = 0; i < sim->orphan_count; i++)
		if (sim->orphans[i].kind == ORPHAN_FUTURE)
			return true;
	return false;
}

bool sim_sweep_is_done(void)
{
	for (size_t i = 0; i < sim->orphan_count && !is_halted(); i++)
		if (sim->orphans[i].kind != ORPHAN_OTHER && sim_things_of(sim->orphans[i].id))
			return false;
	return true;
}

bool sim_sweep_is_excused(struct env_id id)
{
	return is_halted() && orphan_of(id.text);
}

void sim_sweep_judge_end(void)
{
	for (size_t i = 0; i < sim->orphan_count; i++) {
		const struct sim_orphan *orphan = &sim->orphans[i];
		bool is_there = sim_things_of(orphan->id) > 0;

		if (orphan->kind == ORPHAN_OTHER && !is_there)
			sim_fail("S13 %s of another installation is gone", orphan->id.text);
		else if (orphan->kind != ORPHAN_OTHER && is_there && !is_halted())
			sim_fail("L2 orphan %s is left", orphan->id.text);
	}
}
