/* What is found by indexes and counted by triggers, against looking at every single row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/text.h"
#include "store/store_environments.h"
#include "store/store_jobs.h"
#include "store/store_tally.h"
#include "store/store_work.h"
#include "tests/support/older_store.h"
#include "tests/support/store_bench.h"

enum { ENVIRONMENTS = 60, STEPS = 1500, HOUR_MS = 3600000 };

struct fixture {
	struct store_bench bench;
	struct store_tx *tx;
	struct env_id ids[ENVIRONMENTS];
	struct job_id jobs[ENVIRONMENTS]; /* the live one; "" */
	size_t count;
	int64_t now_ms;
	unsigned random;
};

static int open_fixture(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	store_bench_init(&f->bench);
	f->now_ms = 1000 * (int64_t)HOUR_MS;
	f->random = 7;
	*state = f;
	return 0;
}

static int close_fixture(void **state)
{
	struct fixture *f = *state;

	store_bench_release(&f->bench);
	free(f);
	return 0;
}

static unsigned pick(struct fixture *f, unsigned below)
{
	return store_bench_random(&f->random, below);
}

static void add(struct fixture *f)
{
	AUTO(free) char *name = xasprintf("e%zu", f->count);
	AUTO(environment_free)
	struct environment *env =
	    store_bench_environment(name, "container", pick(f, 2) ? "here" : "there");
	struct error err;

	env->project = xstrdup(pick(f, 2) ? "web" : "shop");
	env->currency = xstrdup("USD");
	env->created_at_ms = f->now_ms;
	env->queue_limit_ms = pick(f, 2 * HOUR_MS);
	env->hard_wall_at_ms = f->now_ms + 1 + pick(f, 4 * HOUR_MS);
	env->attempts_max = 2;
	env->memory_bytes = 1 + pick(f, 1000);
	env->price_microcents_per_hour = pick(f, 1000);
	assert_true(store_environment_insert(f->tx, env, &err));
	f->ids[f->count++] = env->id;
}

static void start_job(struct fixture *f, size_t i, const char *kind, const char *owner)
{
	struct job_row row = { .id = job_id_new(), .environment = f->ids[i], .generation = 1 };
	struct error err;

	snprintf(row.kind, sizeof(row.kind), "%s", kind);
	snprintf(row.owner, sizeof(row.owner), "%s", owner);
	assert_true(store_job_insert(f->tx, &row, &err));
	f->jobs[i] = row.id;
}

static void end_job(struct fixture *f, size_t i)
{
	struct error err;
	bool done;

	assert_true(store_job_end(f->tx, f->jobs[i], "completed", NULL, f->now_ms, &done, &err));
	f->jobs[i] = (struct job_id){ "" };
}

static void latch(struct fixture *f, const struct environment *env)
{
	struct error err;
	bool fell;

	assert_true(store_environment_latch(f->tx, env->id, REASON_REQUESTED, "m", NULL, f->now_ms,
					    &fell, &err));
	/* Mostly in the same transaction, as the lifecycle does. */
	if (pick(f, 4))
		assert_true(store_environment_move(f->tx, env->id, env->state, ENV_DESTROYING,
						   f->now_ms, &err));
}

static void prove(struct fixture *f, const struct environment *env)
{
	static const char *const kinds[] = { "destroy_ended", "state_empty", "inventory_empty",
					     "no_process" };
	struct error err;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		assert_true(store_proof_add(f->tx, env->id, kinds[i], f->now_ms, NULL, &err));
	assert_true(
	    store_environment_move(f->tx, env->id, ENV_DESTROYING, ENV_DESTROYED, f->now_ms, &err));
}

static void step_wanted(struct fixture *f, size_t i, const struct environment *env)
{
	static const enum env_state next[] = { [ENV_QUEUED] = ENV_PROVISIONING,
					       [ENV_PROVISIONING] = ENV_CHECKING,
					       [ENV_CHECKING] = ENV_READY };
	struct lease_change lease = { .expires_at_ms = f->now_ms + pick(f, 2 * HOUR_MS),
				      .expires_boot_ms = f->now_ms + pick(f, 2 * HOUR_MS),
				      .boot_id = pick(f, 2) ? "this" : "other" };
	struct error err;

	if (env->state == ENV_READY || pick(f, 5) == 0) {
		latch(f, env);
		return;
	}
	if (env->state != ENV_QUEUED && !f->jobs[i].text[0] && pick(f, 2)) {
		start_job(f, i, "create", "envd");
		return;
	}
	assert_true(
	    store_environment_move(f->tx, env->id, env->state, next[env->state], f->now_ms, &err));
	if (next[env->state] == ENV_READY && lease.expires_at_ms <= env->hard_wall_at_ms)
		assert_true(store_environment_set_lease(f->tx, env->id, &lease, &err));
}

static void step_unwanted(struct fixture *f, size_t i, const struct environment *env)
{
	struct try_change tries = { .attempts = 1,
				    .next_try_at_ms = f->now_ms + pick(f, 3 * HOUR_MS) };
	struct error err;

	if (env->state != ENV_DESTROYING)
		assert_true(store_environment_move(f->tx, env->id, env->state, ENV_DESTROYING,
						   f->now_ms, &err));
	else if (!f->jobs[i].text[0] && pick(f, 2))
		start_job(f, i, "destroy", pick(f, 4) ? "reaper" : "envd");
	else if (!f->jobs[i].text[0] && pick(f, 2))
		assert_true(store_environment_set_try(f->tx, env->id, &tries, &err));
	else if (!f->jobs[i].text[0] && env->attempts)
		prove(f, env);
}

static void step(struct fixture *f)
{
	AUTO(environment_free) struct environment *env = NULL;
	struct error err;
	size_t i;

	f->now_ms += pick(f, 60000);
	assert_true(store_begin(f->bench.store, &f->tx, &err));
	if (f->count < ENVIRONMENTS && pick(f, 4) == 0)
		add(f);
	if (f->count) {
		i = pick(f, (unsigned)f->count);
		assert_true(store_environment_read(f->bench.store, f->ids[i], &env, &err));
		if (f->jobs[i].text[0] && pick(f, 2))
			end_job(f, i);
		else if (env->desired == DESIRED_PRESENT)
			step_wanted(f, i, env);
		else if (env->state != ENV_DESTROYED)
			step_unwanted(f, i, env);
	}
	assert_true(store_commit(f->tx, &err));
}

/* ---- the same, by looking at everything -------------------------------------------------------
 */

static bool wants_building(struct fixture *f, const struct environment *env,
			   const struct job_row *live)
{
	(void)f;
	return env->desired == DESIRED_PRESENT &&
	       (env->state == ENV_QUEUED ||
		(!live && (env->state == ENV_PROVISIONING || env->state == ENV_CHECKING)));
}

static bool lease_is_over(const struct fixture *f, const struct environment *env)
{
	return env->state == ENV_READY &&
	       (env->expires_at_ms <= f->now_ms ||
		(strcmp(env->boot_id, "this") == 0 && env->expires_boot_ms <= f->now_ms));
}

static bool wants_destroying(struct fixture *f, const struct environment *env,
			     const struct job_row *live)
{
	bool is_paused =
	    env->next_try_at_ms > f->now_ms && env->next_try_at_ms <= f->now_ms + 2 * HOUR_MS;

	if (env->state == ENV_DESTROYED)
		return false;
	if (env->desired == DESIRED_PRESENT)
		return env->hard_wall_at_ms <= f->now_ms || lease_is_over(f, env) ||
		       (env->state == ENV_QUEUED &&
			env->created_at_ms + env->queue_limit_ms <= f->now_ms);
	if (env->state != ENV_DESTROYING || !env->provisioning_at_ms)
		return true;
	return live ? strcmp(live->kind, "destroy") != 0 || strcmp(live->owner, "reaper") != 0
		    : !is_paused;
}

static bool is_listed(const struct env_id_list *list, struct env_id id)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i].text, id.text) == 0)
			return true;
	return false;
}

static void compare(struct fixture *f, const struct env_id_list *list,
		    bool (*wanted)(struct fixture *f, const struct environment *env,
				   const struct job_row *live))
{
	for (size_t i = 0; i < f->count; i++) {
		AUTO(environment_free) struct environment *env = NULL;
		AUTO(job_row_free) struct job_row *live = NULL;
		struct error err;

		assert_true(store_environment_read(f->bench.store, f->ids[i], &env, &err));
		assert_true(store_job_live(f->bench.store, f->ids[i], &live, &err));
		assert_int_equal(is_listed(list, env->id), wanted(f, env, live));
	}
}

static void what_is_to_be_done_is_found_and_nothing_else(void **state)
{
	struct fixture *f = *state;

	for (int n = 0; n < STEPS; n++) {
		AUTO(env_id_list_release) struct env_id_list build = { NULL, 0 };
		AUTO(env_id_list_release) struct env_id_list destroy = { NULL, 0 };
		struct destroyer_ask ask = { .now = { f->now_ms, f->now_ms, "this" },
					     .owner = "reaper",
					     .start_max = 1000,
					     .longest_pause_ms = 2 * HOUR_MS };
		struct error err;

		step(f);
		ask.now.wall_ms = ask.now.boot_ms = f->now_ms;
		assert_true(store_work_to_build(f->bench.store, 1000, &build, &err));
		compare(f, &build, wants_building);
		assert_true(store_work_to_destroy(f->bench.store, &ask, &destroy, &err));
		compare(f, &destroy, wants_destroying);
	}
}

/* Nothing comes to be due before the time that was told. */
static void nothing_is_due_before_it_was_announced(void **state)
{
	struct fixture *f = *state;

	for (int n = 0; n < STEPS / 5; n++) {
		AUTO(env_id_list_release) struct env_id_list now = { NULL, 0 };
		AUTO(env_id_list_release) struct env_id_list just_before = { NULL, 0 };
		struct destroyer_ask ask = { .now = { 0, 0, "no such boot" },
					     .owner = "reaper",
					     .start_max = 1000,
					     .longest_pause_ms = 100 * (int64_t)HOUR_MS };
		struct error err;
		int64_t due;

		step(f);
		assert_true(store_work_next_due(f->bench.store, f->now_ms, &due, &err));
		ask.now.wall_ms = f->now_ms;
		assert_true(store_work_to_destroy(f->bench.store, &ask, &now, &err));
		ask.now.wall_ms = due ? due - 1 : f->now_ms + 50 * (int64_t)HOUR_MS;
		assert_true(store_work_to_destroy(f->bench.store, &ask, &just_before, &err));
		assert_int_equal(now.count, just_before.count);
	}
}

/* ---- counting ---------------------------------------------------------------------------------
 */

static void compare_tallies(struct fixture *f)
{
	struct target_use here;
	struct quota_use web;
	int64_t open, live = 0, memory = 0, of_web = 0, price = 0, all = 0;
	struct error err;

	for (size_t i = 0; i < f->count; i++) {
		AUTO(environment_free) struct environment *env = NULL;
		bool is_live;

		assert_true(store_environment_read(f->bench.store, f->ids[i], &env, &err));
		if (env->state == ENV_DESTROYED)
			continue;
		all++;
		is_live = env->state != ENV_QUEUED && strcmp(env->target, "here") == 0;
		live += is_live;
		memory += is_live ? env->memory_bytes : 0;
		if (strcmp(env->project, "web") != 0)
			continue;
		of_web++;
		price += env->price_microcents_per_hour;
	}
	assert_true(store_tally_open(f->bench.store, &open, &err));
	assert_true(store_tally_target(f->bench.store, "here", &here, &err));
	assert_true(store_tally_project(f->bench.store, "web", 0, &web, &err));
	assert_int_equal(open, all);
	assert_int_equal(here.environments, live);
	assert_int_equal(here.memory_bytes, memory);
	assert_int_equal(web.environments, of_web);
	assert_int_equal(web.microcents_per_hour, price);
}

static void counting_agrees_with_looking_at_every_row(void **state)
{
	for (int n = 0; n < STEPS; n++) {
		step(*state);
		compare_tallies(*state);
	}
}

/* As schema 4 had it. */
static void take_growth_back(const struct fixture *f)
{
	AUTO(free)
	char *command = xasprintf(
	    "sqlite3 %s/store.db \"$(sqlite3 %s/store.db \""
	    "SELECT 'DROP ' || type || ' ' || name || ';' FROM sqlite_schema"
	    " WHERE name GLOB 'tallies_*' AND type = 'trigger' OR name IN ("
	    "'environments_ended_name','environments_queued','environments_unwanted',"
	    "'environments_falling','environments_never_started','environments_tries',"
	    "'environments_walls','environments_leases','environments_ends',"
	    "'environments_leases_boot','environments_queue_limits','environments_quarantined')"
	    "\") DROP TABLE tallies;"
	    /* What later schemas made. */
	    " DROP TRIGGER environments_give_back; DROP TABLE claims; DROP TABLE targets;"
	    " ALTER TABLE environments DROP COLUMN wishes;"
	    " ALTER TABLE environments DROP COLUMN targets_tried;"
	    " CREATE INDEX environments_of_project ON environments(project, state);"
	    " CREATE INDEX environments_expiry ON environments(state, expires_at);"
	    " PRAGMA user_version = 4\"",
	    f->bench.folder, f->bench.folder);

	assert_int_equal(system(command), 0);
}

static void an_older_store_is_counted_when_it_is_migrated(void **state)
{
	struct fixture *f = *state;
	struct error err;

	for (int n = 0; n < 400; n++)
		step(f);
	store_close(TAKE(f->bench.store));
	older_store_without_money(f->bench.folder);
	take_growth_back(f);
	if (!store_open(f->bench.folder, true, &f->bench.store, &err))
		fail_msg("%s", err.message);
	compare_tallies(f);
	for (int n = 0; n < 100; n++)
		step(f);
	compare_tallies(f);
}

static void the_place_in_the_queue_is_how_many_are_before(void **state)
{
	struct fixture *f = *state;
	struct queue_cursor page = { 0 };
	int64_t before[ENVIRONMENTS];
	struct error err;

	for (int n = 0; n < 400; n++)
		step(f);
	for (size_t i = 0, queued = 0; i < f->count; i++) {
		AUTO(environment_free) struct environment *env = NULL;
		struct queue_cursor alone = { 0 };
		int64_t found;

		assert_true(store_environment_read(f->bench.store, f->ids[i], &env, &err));
		assert_true(
		    store_tally_queued_before(f->bench.store, env->sequence, &alone, &found, &err));
		assert_int_equal(found, queued);
		before[i] = found;
		queued += env->state == ENV_QUEUED;
	}
	/* As a page asks: newest first, each from the one before. */
	for (size_t i = f->count; i > 0; i--) {
		AUTO(environment_free) struct environment *env = NULL;
		int64_t found;

		assert_true(store_environment_read(f->bench.store, f->ids[i - 1], &env, &err));
		assert_true(
		    store_tally_queued_before(f->bench.store, env->sequence, &page, &found, &err));
		assert_int_equal(found, before[i - 1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_to_be_done_is_found_and_nothing_else,
						open_fixture, close_fixture),
		cmocka_unit_test_setup_teardown(nothing_is_due_before_it_was_announced,
						open_fixture, close_fixture),
		cmocka_unit_test_setup_teardown(counting_agrees_with_looking_at_every_row,
						open_fixture, close_fixture),
		cmocka_unit_test_setup_teardown(an_older_store_is_counted_when_it_is_migrated,
						open_fixture, close_fixture),
		cmocka_unit_test_setup_teardown(the_place_in_the_queue_is_how_many_are_before,
						open_fixture, close_fixture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
