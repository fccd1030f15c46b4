/*
 * What triggers keep of money, against reckoning it from every single row, after every step of
 * random lives that cross the ends of months.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/text.h"
#include "model/cost.h"
#include "store/store_environments.h"
#include "store/store_jobs.h"
#include "store/store_spending.h"
#include "tests/support/older_store.h"
#include "tests/support/store_bench.h"

enum { ENVIRONMENTS = 60, STEPS = 700, MINUTE_MS = 60000, HOUR_MS = 3600000, MONTHS = 12 };
#define DAY_MS ((int64_t)24 * HOUR_MS)

struct fixture {
	struct store_bench bench;
	struct store_tx *tx;
	struct env_id ids[ENVIRONMENTS];
	int64_t settled_at_ms[ENVIRONMENTS]; /* 0: it was not */
	size_t count;
	int64_t now_ms;
	unsigned random;
};

static const char *const projects[] = { "web", "shop" };
static const char *const currencies[] = { "USD", "EUR" };

static int open_fixture(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	store_bench_init(&f->bench);
	f->now_ms = month_begin_ms((struct month){ 2026, 11 }) + 20 * DAY_MS;
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

/* ---- random lives ---- */

static void add(struct fixture *f)
{
	AUTO(free) char *name = xasprintf("e%zu", f->count);
	AUTO(environment_free)
	struct environment *env = store_bench_environment(name, "container", "here");
	struct error err;

	free(env->template_name);
	env->template_name = xstrdup(pick(f, 2) ? "small" : "large");
	env->project = xstrdup(projects[pick(f, 2)]);
	env->currency = xstrdup(currencies[pick(f, 4) == 0]);
	env->created_at_ms = f->now_ms;
	env->queue_limit_ms = HOUR_MS;
	env->provision_limit_ms = HOUR_MS;
	env->lease_ms = (1 + pick(f, 20 * 24)) * (int64_t)HOUR_MS;
	env->keep_ms = pick(f, 3) ? 0 : pick(f, 90) * (int64_t)HOUR_MS;
	env->hard_wall_at_ms = f->now_ms + 1000 * DAY_MS;
	env->attempts_max = 2;
	env->price_microcents_per_hour = pick(f, 4) ? (int64_t)pick(f, 1u << 31) * 50 : 0;
	assert_true(store_environment_insert(f->tx, env, &err));
	f->ids[f->count++] = env->id;
}

static void latch(struct fixture *f, const struct environment *env)
{
	struct error err;
	bool fell;

	assert_true(store_environment_latch(f->tx, env->id, REASON_REQUESTED, "m", NULL, f->now_ms,
					    &fell, &err));
	assert_true(
	    store_environment_move(f->tx, env->id, env->state, ENV_DESTROYING, f->now_ms, &err));
}

static void lend(struct fixture *f, const struct environment *env, int64_t more_ms)
{
	struct lease_change lease = { .expires_at_ms = f->now_ms + more_ms,
				      .expires_boot_ms = f->now_ms + more_ms,
				      .boot_id = "this" };
	struct error err;

	assert_true(store_environment_set_lease(f->tx, env->id, &lease, &err));
}

static void step_wanted(struct fixture *f, const struct environment *env)
{
	static const enum env_state next[] = { [ENV_QUEUED] = ENV_PROVISIONING,
					       [ENV_PROVISIONING] = ENV_CHECKING,
					       [ENV_CHECKING] = ENV_READY };
	struct error err;

	if (pick(f, 5) == 0) {
		latch(f, env);
	} else if (env->state == ENV_READY) {
		lend(f, env, (1 + pick(f, 40 * 24)) * (int64_t)HOUR_MS);
	} else {
		assert_true(store_environment_move(f->tx, env->id, env->state, next[env->state],
						   f->now_ms, &err));
		if (next[env->state] == ENV_READY)
			lend(f, env, env->lease_ms);
	}
}

static void end(struct fixture *f, const struct environment *env, bool is_acknowledged)
{
	static const char *const kinds[] = { "destroy_ended", "state_empty", "inventory_empty",
					     "no_process" };
	struct error err;

	for (size_t i = 0; !is_acknowledged && i < ARRAY_SIZE(kinds); i++)
		assert_true(store_proof_add(f->tx, env->id, kinds[i], f->now_ms, NULL, &err));
	if (is_acknowledged) {
		assert_true(
		    store_environment_set_reason(f->tx, env->id, REASON_ACKNOWLEDGED, &err));
		assert_true(store_proof_add(f->tx, env->id, "acknowledged", f->now_ms, NULL, &err));
	}
	assert_true(
	    store_environment_move(f->tx, env->id, ENV_DESTROYING, ENV_DESTROYED, f->now_ms, &err));
}

static void settle(struct fixture *f, size_t i, const struct environment *env)
{
	bool was_owed;
	struct error err;

	assert_true(store_spending_settle(f->tx, env->id, f->now_ms, &was_owed, &err));
	if (was_owed)
		f->settled_at_ms[i] = f->now_ms;
}

static void step(struct fixture *f)
{
	AUTO(environment_free) struct environment *env = NULL;
	struct error err;
	size_t i;

	f->now_ms += pick(f, 12 * HOUR_MS);
	assert_true(store_begin(f->bench.store, &f->tx, &err));
	if (pick(f, 40) == 0)
		assert_true(
		    store_spending_count_debts(f->tx, month_begin_ms(month_of(f->now_ms)), &err));
	if (f->count < ENVIRONMENTS && pick(f, 4) == 0)
		add(f);
	if (f->count) {
		i = pick(f, (unsigned)f->count);
		assert_true(store_environment_read(f->bench.store, f->ids[i], &env, &err));
		if (env->desired == DESIRED_PRESENT)
			step_wanted(f, env);
		else if (env->state == ENV_DESTROYING && pick(f, 3) == 0)
			end(f, env, pick(f, 3) == 0);
		else if (env->state == ENV_DESTROYED && pick(f, 6) == 0)
			settle(f, i, env);
	}
	/* What a turn takes back leaves nothing behind. */
	if (pick(f, 10) == 0) {
		assert_true(store_savepoint(f->tx, &err));
		if (f->count < ENVIRONMENTS) {
			add(f);
			f->count--;
		}
		store_savepoint_undo(f->tx);
	}
	assert_true(store_commit(f->tx, &err));
}

/* ---- the same, from every row ---- */

static struct charge charge_of(const struct environment *env)
{
	struct charge charge = { env->price_microcents_per_hour, env->provisioning_at_ms, 0 };
	int64_t kept_ms = env->keep_ms > env->lease_ms ? env->keep_ms : env->lease_ms;

	if (!charge.from_ms && env->state == ENV_QUEUED && env->desired == DESIRED_PRESENT)
		charge.from_ms = env->created_at_ms;
	if (!charge.from_ms)
		return charge;
	if (env->desired == DESIRED_ABSENT)
		charge.until_ms = env->unwanted_at_ms;
	else if (env->expires_at_ms)
		charge.until_ms = env->expires_at_ms;
	else
		charge.until_ms = charge.from_ms + env->provision_limit_ms + kept_ms;
	return charge;
}

/* From unwanted until it is paid for, or until now. */
static struct charge debt_of(const struct fixture *f, size_t i, const struct environment *env)
{
	struct charge debt = { env->price_microcents_per_hour, env->unwanted_at_ms, f->now_ms };
	bool is_acknowledged = text_equal(env->reason, REASON_ACKNOWLEDGED);

	if (env->desired == DESIRED_PRESENT || !env->provisioning_at_ms)
		debt.until_ms = 0;
	else if (env->ended_at_ms && !is_acknowledged)
		debt.until_ms = env->ended_at_ms;
	else if (f->settled_at_ms[i])
		debt.until_ms = f->settled_at_ms[i];
	return debt;
}

struct sums {
	int64_t charged; /* by the rule, debts until now included */
	int64_t kept;    /* as the store has it */
	int64_t parts;   /* each was rounded */
};

static void add_row(struct fixture *f, size_t i, const char *project, const char *currency,
		    struct month month, struct sums *sums)
{
	AUTO(environment_free) struct environment *env = NULL;
	struct charge charge, debt;
	struct error err;

	assert_true(store_environment_read(f->bench.store, f->ids[i], &env, &err));
	if (strcmp(env->project, project) != 0 || strcmp(env->currency, currency) != 0)
		return;
	charge = charge_of(env);
	debt = debt_of(f, i, env);
	sums->charged += charge_in(&charge, month) + charge_in(&debt, month);
	sums->parts += 4;
}

static void compare_month(struct fixture *f, const char *project, const char *currency,
			  struct month month)
{
	struct sums sums = { 0, 0, 0 };
	struct owed_sum owed = { 0, 0 };
	struct error err;

	assert_true(
	    store_spending_charged(f->bench.store, project, currency, month, &sums.kept, &err));
	if (month_begin_ms(month) <= f->now_ms && f->now_ms < month_begin_ms(month_after(month)))
		assert_true(
		    store_spending_owed(f->bench.store, project, currency, f->now_ms, &owed, &err));
	for (size_t i = 0; i < f->count; i++)
		add_row(f, i, project, currency, month, &sums);
	if (llabs(sums.charged - sums.kept - owed.microcents) > sums.parts)
		fail_msg("%s %s %d-%02d: %lld by the rule, %lld kept and %lld owed", project,
			 currency, month.year, month.number, (long long)sums.charged,
			 (long long)sums.kept, (long long)owed.microcents);
}

static void compare_all_of(struct fixture *f, struct month month)
{
	for (size_t p = 0; p < ARRAY_SIZE(projects); p++)
		for (size_t c = 0; c < ARRAY_SIZE(currencies); c++)
			compare_month(f, projects[p], currencies[c], month);
}

/* This month is right at any time; what was owed in an earlier one is charged to it once it has
 * been counted. */
static void compare(struct fixture *f)
{
	struct month month = { 2026, 11 };
	struct error err;

	compare_all_of(f, month_of(f->now_ms));
	assert_true(store_begin(f->bench.store, &f->tx, &err));
	assert_true(store_spending_count_debts(f->tx, month_begin_ms(month_of(f->now_ms)), &err));
	assert_true(store_commit(f->tx, &err));
	for (int n = 0; n < MONTHS; n++, month = month_after(month))
		compare_all_of(f, month);
}

static void what_is_charged_agrees_with_reckoning_every_row(void **state)
{
	for (int n = 0; n < STEPS; n++) {
		step(*state);
		if (n % 20 == 0)
			compare(*state);
		else
			compare_all_of(*state, month_of(((struct fixture *)*state)->now_ms));
	}
}

static void when_all_is_proved_gone_nothing_is_owed(void **state)
{
	struct fixture *f = *state;
	struct error err;

	for (int n = 0; n < 400; n++)
		step(f);
	assert_true(store_begin(f->bench.store, &f->tx, &err));
	for (size_t i = 0; i < f->count; i++) {
		AUTO(environment_free) struct environment *env = NULL;

		assert_true(store_environment_read(f->bench.store, f->ids[i], &env, &err));
		if (env->desired == DESIRED_PRESENT) {
			latch(f, env);
			env->state = ENV_DESTROYING;
		}
		if (env->state == ENV_DESTROYING)
			end(f, env, false);
		else
			settle(f, i, env);
	}
	assert_true(store_commit(f->tx, &err));
	for (size_t p = 0; p < 2; p++) {
		for (size_t c = 0; c < 2; c++) {
			struct owed_sum owed;

			assert_true(store_spending_owed(f->bench.store, projects[p], currencies[c],
							f->now_ms + 100 * DAY_MS, &owed, &err));
			assert_int_equal(owed.microcents_per_hour, 0);
			assert_int_equal(owed.microcents, 0);
		}
	}
	compare(f);
}

/* What somebody had acknowledged before was taken on without a price. */
static void an_older_store_is_charged_when_it_is_migrated(void **state)
{
	struct fixture *f = *state;
	struct error err;

	for (int n = 0; n < 400; n++)
		step(f);
	assert_true(store_begin(f->bench.store, &f->tx, &err));
	for (size_t i = 0; i < f->count; i++) {
		AUTO(environment_free) struct environment *env = NULL;

		assert_true(store_environment_read(f->bench.store, f->ids[i], &env, &err));
		if (text_equal(env->reason, REASON_ACKNOWLEDGED))
			f->settled_at_ms[i] = env->ended_at_ms;
	}
	assert_true(store_commit(f->tx, &err));
	store_close(TAKE(f->bench.store));
	older_store_without_money(f->bench.folder);
	if (!store_open(f->bench.folder, true, &f->bench.store, &err))
		fail_msg("%s", err.message);
	compare(f);
	for (int n = 0; n < 100; n++)
		step(f);
	compare(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_charged_agrees_with_reckoning_every_row,
						open_fixture, close_fixture),
		cmocka_unit_test_setup_teardown(when_all_is_proved_gone_nothing_is_owed,
						open_fixture, close_fixture),
		cmocka_unit_test_setup_teardown(an_older_store_is_charged_when_it_is_migrated,
						open_fixture, close_fixture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
