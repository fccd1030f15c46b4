/*
 * A budget is not exceeded by however many who ask at the same time, and what a refusal names as
 * the way out is accepted. Processes of their own, on one store, as envd and envd-reaper are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/duration.h"
#include "base/text.h"
#include "control/project_budget.h"
#include "store/store_environments.h"
#include "store/store_spending.h"
#include "tests/support/eventually.h"
#include "tests/support/store_bench.h"

enum { ASKING = 4, TURNS = 60, MINUTE_MS = 60000, HOUR_MS = 3600000, LOCK_LIMIT_MS = 60000 };

struct fixture {
	struct store_bench bench;
	struct project project;
	char name[8];
	struct settings settings;
	struct control control;
	struct template *made; /* template.yaml */
	unsigned random;
};

static void make_template(struct fixture *f)
{
	static const char text[] = "apiVersion: envd/v1\nname: t\nprice: { per_hour: 0.10 }\n"
				   "limits: { provision: 1h, lease: { minimum: 10s, default: 2h, "
				   "maximum: 1000h } }\n";
	struct error err;

	assert_true(template_parse(text, strlen(text), "template.yaml", NULL, &f->made, &err));
}

static int open_fixture(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	store_bench_init(&f->bench);
	make_template(f);
	snprintf(f->name, sizeof(f->name), "web");
	f->project = (struct project){ .name = f->name, .quota = quota_unlimited };
	f->project.budget = (struct budget){ (int64_t)50 * MICROCENTS_PER_UNIT, "USD", "ann@team" };
	f->settings.projects = (struct project_list){ &f->project, 1 };
	f->control = (struct control){ .settings = &f->settings, .store = f->bench.store };
	f->random = 7;
	*state = f;
	return 0;
}

static int close_fixture(void **state)
{
	struct fixture *f = *state;

	template_free(f->made);
	store_bench_release(&f->bench);
	free(f);
	return 0;
}

static unsigned pick(struct fixture *f, unsigned below)
{
	return store_bench_random(&f->random, below);
}

/* ---- asking ---- */

static struct environment *wish(struct fixture *f, int64_t lease_ms)
{
	struct environment *env = store_bench_environment("e", "container", "here");
	struct error err;

	free(env->name);
	env->name = xasprintf("e%.8s", env->id.text);
	env->project = xstrdup("web");
	env->queue_limit_ms = env->provision_limit_ms = HOUR_MS;
	env->lease_ms = lease_ms;
	env->hard_wall_at_ms = env->created_at_ms + 5000 * (int64_t)HOUR_MS;
	assert_true(project_budget_quote(&f->control, f->made, env, &err));
	return env;
}

/* As a turn does it. False: refused. */
static bool ask(struct fixture *f, struct environment *env, struct error *err)
{
	struct store_tx *tx;
	struct error failure;
	bool is_accepted;

	assert_true(store_begin_within(f->bench.store, LOCK_LIMIT_MS, &tx, &failure));
	is_accepted = project_budget_admit(&f->control, tx, f->made, env, err);
	if (is_accepted)
		assert_true(store_environment_insert(tx, env, &failure));
	assert_true(store_commit(tx, &failure));
	return is_accepted;
}

static void make_ready(struct fixture *f, struct environment *env)
{
	struct lease_change lease = { .boot_id = "this" };
	struct store_tx *tx;
	struct error err;

	assert_true(store_begin_within(f->bench.store, LOCK_LIMIT_MS, &tx, &err));
	env->provisioning_at_ms = clock_wall_ms();
	lease.expires_at_ms = env->expires_at_ms = env->provisioning_at_ms + env->lease_ms;
	assert_true(store_environment_move(tx, env->id, ENV_QUEUED, ENV_PROVISIONING,
					   env->provisioning_at_ms, &err));
	assert_true(store_environment_move(tx, env->id, ENV_PROVISIONING, ENV_CHECKING,
					   env->provisioning_at_ms, &err));
	assert_true(store_environment_move(tx, env->id, ENV_CHECKING, ENV_READY,
					   env->provisioning_at_ms, &err));
	assert_true(store_environment_set_lease(tx, env->id, &lease, &err));
	assert_true(store_commit(tx, &err));
	env->state = ENV_READY;
}

static bool extend(struct fixture *f, struct environment *env, int64_t more_ms, struct error *err)
{
	struct lease_change lease = { .expires_at_ms = env->expires_at_ms + more_ms,
				      .boot_id = "this" };
	struct store_tx *tx;
	struct error failure;
	bool is_accepted, done;

	assert_true(store_begin_within(f->bench.store, LOCK_LIMIT_MS, &tx, &failure));
	is_accepted = project_budget_extend(&f->control, tx, env, lease.expires_at_ms, err);
	if (is_accepted) {
		assert_true(store_environment_extend(tx, env->id, &lease, &done, &failure));
		assert_true(done);
		env->expires_at_ms = lease.expires_at_ms;
	}
	assert_true(store_commit(tx, &failure));
	return is_accepted;
}

static void give_up(struct fixture *f, struct environment *env)
{
	struct store_tx *tx;
	struct error err;
	bool fell;

	assert_true(store_begin_within(f->bench.store, LOCK_LIMIT_MS, &tx, &err));
	assert_true(store_environment_latch(tx, env->id, REASON_REQUESTED, "m", NULL,
					    clock_wall_ms(), &fell, &err));
	assert_true(store_commit(tx, &err));
}

/* ---- many at once ---- */

static void ask_at_random(struct fixture *f)
{
	struct error refusal;

	for (int n = 0; n < TURNS; n++) {
		AUTO(environment_free)
		struct environment *env =
		    wish(f, (1 + pick(f, 300)) * (int64_t)HOUR_MS + pick(f, 1000));

		if (!ask(f, env, &refusal))
			continue;
		if (pick(f, 4) == 0) {
			give_up(f, env);
			continue;
		}
		make_ready(f, env);
		if (!extend(f, env, pick(f, 40) * (int64_t)HOUR_MS, &refusal))
			assert_string_equal(refusal.slug, "quota_budget");
	}
}

/* Opening writes, too, and one writes at a time. */
static bool can_open(void *arg)
{
	struct fixture *f = arg;
	struct error busy;

	return store_open(f->bench.folder, false, &f->bench.store, &busy);
}

static pid_t start_asking(struct fixture *f, unsigned seed)
{
	pid_t child = fork();

	assert_true(child >= 0);
	if (child > 0)
		return child;
	if (!eventually(can_open, f, LOCK_LIMIT_MS))
		_exit(2);
	f->control.store = f->bench.store;
	f->random = seed;
	ask_at_random(f);
	_exit(0);
}

static int64_t charged(struct fixture *f, struct month month)
{
	int64_t microcents;
	struct error err;

	assert_true(store_spending_charged(f->bench.store, "web", "USD", month, &microcents, &err));
	return microcents;
}

static void a_budget_is_never_exceeded_by_who_ask_at_the_same_time(void **state)
{
	struct fixture *f = *state;
	struct month month = month_of(clock_wall_ms());
	pid_t asking[ASKING];
	int64_t all = 0;
	struct error err;

	/* A connection must not be taken through a fork. */
	store_close(TAKE(f->bench.store));
	for (unsigned i = 0; i < ASKING; i++)
		asking[i] = start_asking(f, 17 + 1000 * i);
	for (size_t i = 0; i < ASKING; i++) {
		int status;

		assert_int_equal(waitpid(asking[i], &status, 0), asking[i]);
		assert_int_equal(status, 0);
	}
	assert_true(store_open(f->bench.folder, true, &f->bench.store, &err));
	for (int n = 0; n < BUDGET_MONTHS_MAX; n++, month = month_after(month)) {
		assert_true(charged(f, month) >= 0);
		if (charged(f, month) > f->project.budget.month_microcents)
			fail_msg("%lld in month %d", (long long)charged(f, month), n);
		all += charged(f, month);
	}
	/* They asked for far more than there was. */
	assert_true(all > f->project.budget.month_microcents / 2);
}

/* ---- the way out ---- */

/* The duration between two words of a hint; -1: it has none. */
static int64_t named_in(const char *hint, const char *before)
{
	const char *at = strstr(hint, before);
	const char *end = at ? strstr(at + strlen(before), " fits") : NULL;
	AUTO(free) char *text = NULL;
	struct error err;
	int64_t ms;

	if (!end)
		return -1;
	at += strlen(before);
	text = xstrndup(at, (size_t)(end - at));
	assert_true(duration_parse(text, "hint", &ms, &err));
	return ms;
}

static void the_shorter_lease_that_a_refusal_names_is_accepted(void **state)
{
	struct fixture *f = *state;
	AUTO(environment_free) struct environment *longest = NULL, *shorter = NULL, *longer = NULL;
	struct error err;
	int64_t fits_ms;

	longest = wish(f, 1000 * (int64_t)HOUR_MS);
	f->project.budget.month_microcents = (int64_t)5 * MICROCENTS_PER_UNIT;
	assert_false(ask(f, longest, &err));
	assert_string_equal(err.slug, "quota_budget");
	assert_int_equal(err.code, ERR_LIMIT);
	assert_non_null(strstr(err.message, "may spend 5.00 USD in 20"));
	assert_non_null(strstr(err.hint, "ask ann@team"));
	fits_ms = named_in(err.hint, "--ttl ");
	assert_true(fits_ms > 0);
	/* Days are told to the hour. */
	longer = wish(f, fits_ms + 2 * HOUR_MS);
	assert_false(ask(f, longer, &err));
	shorter = wish(f, fits_ms);
	assert_true(ask(f, shorter, &err));
}

static void the_shorter_extension_that_a_refusal_names_is_accepted(void **state)
{
	struct fixture *f = *state;
	AUTO(environment_free) struct environment *env = wish(f, 2 * HOUR_MS);
	AUTO(free) char *before = xasprintf("envctl extend %s ", env->name);
	struct error err;
	int64_t fits_ms;

	f->project.budget.month_microcents = MICROCENTS_PER_UNIT;
	assert_true(ask(f, env, &err));
	make_ready(f, env);
	assert_false(extend(f, env, 100 * (int64_t)HOUR_MS, &err));
	assert_string_equal(err.slug, "quota_budget");
	fits_ms = named_in(err.hint, before);
	assert_true(fits_ms > 0);
	assert_false(extend(f, env, fits_ms + 2 * MINUTE_MS, &err));
	assert_true(extend(f, env, fits_ms, &err));
}

static void when_nothing_fits_it_is_said_what_takes_it_and_whom_to_ask(void **state)
{
	struct fixture *f = *state;
	AUTO(environment_free) struct environment *env = wish(f, HOUR_MS);
	struct error err;

	f->project.budget.month_microcents = 1000;
	assert_false(ask(f, env, &err));
	assert_null(strstr(err.hint, "--ttl"));
	assert_non_null(strstr(err.hint, "envctl cost --project web"));
	assert_non_null(strstr(err.hint, "ann@team"));
}

static void what_another_currency_costs_cannot_be_counted_and_is_refused(void **state)
{
	struct fixture *f = *state;
	AUTO(environment_free) struct environment *env = wish(f, HOUR_MS), *free_one = NULL;
	struct error err;

	snprintf(f->project.budget.currency, CURRENCY_SIZE, "EUR");
	assert_false(ask(f, env, &err));
	assert_string_equal(err.slug, "quota_currency");
	free_one = wish(f, HOUR_MS);
	free_one->price_microcents_per_hour = 0;
	assert_true(ask(f, free_one, &err));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)
	const struct CMUnitTest tests[] = {
		TEST(a_budget_is_never_exceeded_by_who_ask_at_the_same_time),
		TEST(the_shorter_lease_that_a_refusal_names_is_accepted),
		TEST(the_shorter_extension_that_a_refusal_names_is_accepted),
		TEST(when_nothing_fits_it_is_said_what_takes_it_and_whom_to_ask),
		TEST(what_another_currency_costs_cannot_be_counted_and_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
