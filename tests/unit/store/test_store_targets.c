#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/text.h"
#include "store/store_environments.h"
#include "store/store_tally.h"
#include "store/store_targets.h"
#include "tests/support/older_store.h"
#include "tests/support/store_bench.h"

static struct env_id insert(struct store_bench *f, const char *name)
{
	AUTO(environment_free)
	struct environment *env = store_bench_environment(name, "pulumi", "lab");
	struct store_tx *tx = store_bench_begin(f);
	struct error err;

	env->currency = xstrdup("USD");
	env->lease_ms = 60000;
	env->provision_limit_ms = 1000;
	env->wishes = json_pack("[{s:s}]", "name", "lab");
	assert_true(store_environment_insert(tx, env, &err));
	store_bench_commit(tx);
	return env->id;
}

static bool claim(struct store_bench *f, const char *target, struct env_id id, int64_t places)
{
	struct store_tx *tx = store_bench_begin(f);
	struct error err;

	if (store_claim(tx, target, id, places, clock_wall_ms(), &err)) {
		store_bench_commit(tx);
		return true;
	}
	store_rollback(tx);
	return false;
}

static int64_t number_of(struct store_bench *f, struct env_id id, const char *target)
{
	struct claim claim;
	struct error err;

	assert_true(store_claim_read(f->store, id, target, &claim, &err));
	return claim.number;
}

static struct target_row row_of(struct store_bench *f, const char *target)
{
	struct target_row row;
	struct error err;

	assert_true(store_target_read(f->store, target, &row, &err));
	return row;
}

/* Granted, unwanted, proved gone. */
static void live(struct store_bench *f, struct env_id id, enum env_state until)
{
	struct store_tx *tx = store_bench_begin(f);
	struct error err;
	bool fell;

	if (until == ENV_PROVISIONING)
		assert_true(store_environment_move(tx, id, ENV_QUEUED, ENV_PROVISIONING, 5, &err));
	if (until == ENV_DESTROYED)
		assert_true(
		    store_environment_latch(tx, id, REASON_REQUESTED, "m", NULL, 5, &fell, &err) &&
		    store_environment_move(tx, id, ENV_PROVISIONING, ENV_DESTROYING, 6, &err) &&
		    store_proof_add(tx, id, "never_started", 7, NULL, &err) &&
		    store_environment_move(tx, id, ENV_DESTROYING, ENV_DESTROYED, 8, &err));
	store_bench_commit(tx);
}

/* As somebody would who goes past our code. */
static bool sql(struct store_bench *f, const char *statement)
{
	AUTO(free)
	char *command = xasprintf("sqlite3 %s/store.db \"%s\" 2>/dev/null", f->folder, statement);

	return system(command) == 0;
}

/* ---- stories ---- */

static void there_are_never_more_claims_than_places(void **state)
{
	struct store_bench *f = *state;
	struct env_id a = insert(f, "a"), b = insert(f, "b"), c = insert(f, "c");

	assert_true(claim(f, "lab", a, 1));
	assert_false(claim(f, "lab", b, 1));
	assert_int_equal(row_of(f, "lab").holders, 1);
	assert_true(claim(f, "shared", b, 2));
	assert_true(claim(f, "shared", c, 2));
	assert_int_equal(row_of(f, "shared").holders, 2);
	/* The last net: not even past our code. */
	assert_false(sql(f, "INSERT INTO claims(target, environment, places, claimed_at)"
			    " SELECT 'lab', id, 1, 0 FROM environments WHERE name = 'b'"));
	/* Asking again is fine. */
	assert_true(claim(f, "lab", a, 1));
	assert_int_equal(row_of(f, "lab").holders, 1);
}

static void a_place_is_free_again_only_with_the_proofs(void **state)
{
	struct store_bench *f = *state;
	struct env_id a = insert(f, "a"), b = insert(f, "b");

	assert_true(claim(f, "lab", a, 1));
	live(f, a, ENV_PROVISIONING);
	assert_false(sql(f, "DELETE FROM claims"));
	assert_false(claim(f, "lab", b, 1));
	live(f, a, ENV_DESTROYED);
	assert_int_equal(row_of(f, "lab").holders, 0);
	assert_int_equal(number_of(f, a, "lab"), 0);
	assert_true(claim(f, "lab", b, 1));
}

static void a_later_claim_has_a_higher_number_also_when_the_former_is_gone(void **state)
{
	struct store_bench *f = *state;
	int64_t before = 0;

	for (int i = 0; i < 5; i++) {
		AUTO(free) char *name = xasprintf("e%d", i);
		struct env_id id = insert(f, name);

		assert_true(claim(f, "lab", id, 1));
		assert_true(number_of(f, id, "lab") > before);
		before = number_of(f, id, "lab");
		assert_int_equal(row_of(f, "lab").last_claim, before);
		live(f, id, ENV_PROVISIONING);
		live(f, id, ENV_DESTROYED);
	}
}

static void what_is_dirty_or_for_something_unwanted_is_not_claimed(void **state)
{
	struct store_bench *f = *state;
	struct env_id a = insert(f, "a"), gone = insert(f, "gone");
	struct store_tx *tx = store_bench_begin(f);
	struct error err;
	bool done;

	assert_true(store_target_soil(tx, "lab", "smells", 9, &done, &err) && done);
	assert_true(store_target_soil(tx, "lab", "again", 10, &done, &err) && !done);
	store_bench_commit(tx);
	assert_false(claim(f, "lab", a, 1));
	assert_string_equal(row_of(f, "lab").why, "smells");
	live(f, gone, ENV_PROVISIONING);
	live(f, gone, ENV_DESTROYED);
	assert_false(claim(f, "elsewhere", gone, 1));
}

static void cleaning_begins_when_nobody_has_it_and_its_pause_is_over(void **state)
{
	struct store_bench *f = *state;
	struct env_id a = insert(f, "a");
	struct store_tx *tx;
	struct error err;
	bool done;

	assert_true(claim(f, "lab", a, 1));
	tx = store_bench_begin(f);
	assert_true(store_target_soil(tx, "lab", "smells", 9, &done, &err));
	assert_true(store_target_clean_begin(tx, "lab", 10, &done, &err) && !done);
	store_bench_commit(tx);
	live(f, a, ENV_PROVISIONING);
	live(f, a, ENV_DESTROYED);
	tx = store_bench_begin(f);
	assert_true(store_target_clean_begin(tx, "lab", 10, &done, &err) && done);
	assert_true(store_target_clean_failed(tx, "lab", "stuck", 500, &err));
	assert_true(store_target_clean_begin(tx, "lab", 499, &done, &err) && !done);
	assert_true(store_target_clean_begin(tx, "lab", 500, &done, &err) && done);
	store_bench_commit(tx);
	assert_int_equal(row_of(f, "lab").condition, TARGET_CLEANING);
	assert_int_equal(row_of(f, "lab").attempts, 2);
	tx = store_bench_begin(f);
	assert_true(store_target_cleaned(tx, "lab", 600, &done, &err) && done);
	store_bench_commit(tx);
	assert_int_equal(row_of(f, "lab").condition, TARGET_CLEAN);
}

/* A listing takes a while; what was claimed meanwhile puts things there that are no left-overs. */
static void a_free_one_is_not_soiled_by_what_was_seen_before_it_was_claimed(void **state)
{
	struct store_bench *f = *state;
	struct env_id a = insert(f, "a");
	int64_t seen = row_of(f, "lab").last_claim;
	struct store_tx *tx;
	struct error err;
	bool done;

	assert_true(claim(f, "lab", a, 1));
	tx = store_bench_begin(f);
	assert_true(store_target_soil_free(tx, "lab", "x", seen, 9, &done, &err) && !done);
	store_bench_commit(tx);
	live(f, a, ENV_PROVISIONING);
	live(f, a, ENV_DESTROYED);
	tx = store_bench_begin(f);
	assert_true(store_target_soil_free(tx, "lab", "x", seen, 9, &done, &err) && !done);
	seen = row_of(f, "lab").last_claim;
	assert_true(store_target_soil_free(tx, "lab", "x", seen, 9, &done, &err) && done);
	store_bench_commit(tx);
}

static void one_that_goes_elsewhere_gives_back_the_first_when_that_is_proved_empty(void **state)
{
	struct store_bench *f = *state;
	struct env_id a = insert(f, "a");
	AUTO(environment_free) struct environment *env = NULL;
	struct target_use use;
	struct store_tx *tx;
	struct error err;
	struct claim next;

	assert_true(claim(f, "lab", a, 1));
	live(f, a, ENV_PROVISIONING);
	assert_true(claim(f, "other", a, 1));
	tx = store_bench_begin(f);
	assert_true(store_claim_leave(tx, a, "lab", &err));
	store_bench_commit(tx);
	assert_false(sql(f, "DELETE FROM claims WHERE target = 'lab'"));
	assert_false(sql(f, "UPDATE claims SET leaving = 0"));
	assert_int_equal(row_of(f, "lab").holders, 1);
	assert_true(store_claim_next(f->store, a, &next, &err));
	assert_string_equal(next.target, "other");
	tx = store_bench_begin(f);
	assert_true(store_claim_vacate(tx, a, "lab", "other", 9, &err));
	store_bench_commit(tx);
	assert_int_equal(row_of(f, "lab").holders, 0);
	assert_int_equal(row_of(f, "other").holders, 1);
	assert_true(store_environment_read(f->store, a, &env, &err));
	assert_string_equal(env->target, "other");
	assert_true(store_tally_target(f->store, "lab", &use, &err));
	assert_int_equal(use.environments, 0);
	assert_true(store_tally_target(f->store, "other", &use, &err));
	assert_int_equal(use.environments, 1);
}

static void holders_are_told_with_the_end_that_they_can_have_at_most(void **state)
{
	struct store_bench *f = *state;
	struct env_id a = insert(f, "a");
	struct holder_list list = { NULL, 0 };
	struct claim claimed;
	struct error err;

	assert_true(claim(f, "lab", a, 2));
	assert_true(store_claim_read(f->store, a, "lab", &claimed, &err));
	live(f, a, ENV_PROVISIONING);
	assert_true(store_target_holders(f->store, "lab", 10, &list, &err));
	assert_int_equal(list.count, 1);
	assert_string_equal(list.items[0].name, "a");
	/* What it may build for, and its lease. */
	assert_int_equal(list.items[0].until_ms, claimed.claimed_at_ms + 1000 + 60000);
	holder_list_release(&list);
}

static void what_lived_before_there_were_claims_has_one(void **state)
{
	struct store_bench *f = *state;
	struct env_id built = insert(f, "built"), queued = insert(f, "queued");
	struct error err;

	live(f, built, ENV_PROVISIONING);
	store_close(TAKE(f->store));
	older_store_without_money(f->folder);
	assert_true(sql(f, "DROP TRIGGER environments_give_back; DROP TABLE claims;"
			   " DROP TABLE targets; DROP TRIGGER tallies_target_go;"
			   " DROP TRIGGER tallies_target_come;"
			   " ALTER TABLE environments DROP COLUMN wishes;"
			   " ALTER TABLE environments DROP COLUMN targets_tried;"
			   " PRAGMA user_version = 6"));
	assert_true(store_open(f->folder, true, &f->store, &err));
	assert_true(number_of(f, built, "lab") > 0);
	assert_int_equal(number_of(f, queued, "lab"), 0);
	assert_int_equal(row_of(f, "lab").holders, 1);
	live(f, built, ENV_DESTROYED);
	assert_int_equal(row_of(f, "lab").holders, 0);
}

#define STORY(story) cmocka_unit_test_setup_teardown(story, store_bench_open, store_bench_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(there_are_never_more_claims_than_places),
		STORY(a_place_is_free_again_only_with_the_proofs),
		STORY(a_later_claim_has_a_higher_number_also_when_the_former_is_gone),
		STORY(what_is_dirty_or_for_something_unwanted_is_not_claimed),
		STORY(cleaning_begins_when_nobody_has_it_and_its_pause_is_over),
		STORY(a_free_one_is_not_soiled_by_what_was_seen_before_it_was_claimed),
		STORY(one_that_goes_elsewhere_gives_back_the_first_when_that_is_proved_empty),
		STORY(holders_are_told_with_the_end_that_they_can_have_at_most),
		STORY(what_lived_before_there_were_claims_has_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
