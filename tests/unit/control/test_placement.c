#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/files.h"
#include "base/json_read.h"
#include "base/text.h"
#include "control/placement.h"
#include "store/store_environments.h"
#include "store/store_targets.h"
#include "tests/support/store_bench.h"

/* ---- which would do ---- */

static char container[] = "container", pulumi[] = "pulumi";
static char local[] = "local", other[] = "other", aws_1[] = "aws-1", lab[] = "lab",
	    aws_2[] = "aws-2";

static struct target targets[] = {
	{ .name = local, .engine = container, .environments_max = 9 },
	{ .name = other, .engine = container, .environments_max = 9 },
	{ .name = aws_1, .engine = pulumi, .environments_max = 1, .is_listed = true },
	{ .name = lab, .engine = pulumi, .environments_max = 1, .is_listed = true },
	{ .name = aws_2, .engine = pulumi, .environments_max = 1, .is_listed = true },
};

/* "aws-1 aws-2": all that would do, in order; the caller frees. */
static char *candidates(const char *engine, const char *wish)
{
	const struct settings settings = { .targets = targets,
					   .target_count = ARRAY_SIZE(targets) };
	AUTO(json_decref) json_t *wishes = wish ? json_array() : NULL;
	struct text names = TEXT_EMPTY;
	const struct target *target;
	struct error err;
	size_t at = 0;
	json_t *one;

	if (wish) {
		assert_true(target_wish_parse(wish, &one, &err));
		json_array_append_new(wishes, one);
	}
	while ((target = placement_candidate(&settings, engine, wishes, &at)))
		text_format(&names, "%s%s", names.length ? " " : "", target->name);
	return text_take(&names);
}

static void assert_candidates(const char *engine, const char *wish, const char *expected)
{
	AUTO(free) char *names = candidates(engine, wish);

	assert_string_equal(names, expected);
}

static void without_a_wish_it_is_one_of_the_file_or_else_the_first(void **unused)
{
	(void)unused;
	targets[2].labels = json_pack("{s:s}", "cloud", "aws");
	targets[4].labels = json_pack("{s:s}", "cloud", "aws");
	assert_candidates("container", NULL, "local");
	assert_candidates("pulumi", NULL, "aws-1 lab aws-2");
	assert_candidates("pulumi", "cloud=aws", "aws-1 aws-2");
	assert_candidates("pulumi", "lab", "lab");
	assert_candidates("container", "other", "other");
	assert_candidates("container", "lab", "");
	assert_candidates("external", NULL, "");
	json_decref(targets[2].labels);
	json_decref(targets[4].labels);
	targets[2].labels = targets[4].labels = NULL;
}

static void a_wish_that_nothing_fits_is_refused_by_name(void **unused)
{
	const struct settings settings = { .targets = targets,
					   .target_count = ARRAY_SIZE(targets) };
	AUTO(json_decref) json_t *wishes = json_pack("[{s:s}]", "name", "nowhere");
	const struct target *target;
	struct error err;

	(void)unused;
	assert_false(placement_first(&settings, "pulumi", wishes, &target, &err));
	assert_string_equal(err.slug, "target_not_found");
	assert_non_null(strstr(err.message, "\"nowhere\""));
	assert_false(placement_first(&settings, "external", NULL, &target, &err));
	assert_string_equal(err.slug, "no_target");
}

/* ---- the fence ---- */

struct fixture {
	struct store_bench bench;
	struct settings settings;
	struct control control;
};

static struct environment *insert(struct fixture *f, const char *name)
{
	struct environment *env = store_bench_environment(name, "pulumi", "lab");
	struct store_tx *tx = store_bench_begin(&f->bench);
	struct error err;

	env->currency = xstrdup("USD");
	assert_true(store_environment_insert(tx, env, &err));
	assert_true(store_claim(tx, "lab", env->id, 1, 5, &err));
	assert_true(store_environment_move(tx, env->id, ENV_QUEUED, ENV_PROVISIONING, 5, &err));
	store_bench_commit(tx);
	return env;
}

static void end(struct fixture *f, struct env_id id)
{
	struct store_tx *tx;
	struct error err;
	bool fell;

	assert_true(store_begin(f->control.store, &tx, &err));
	assert_true(store_environment_latch(tx, id, REASON_REQUESTED, "m", NULL, 5, &fell, &err) &&
		    store_environment_move(tx, id, ENV_PROVISIONING, ENV_DESTROYING, 6, &err) &&
		    store_proof_add(tx, id, "never_started", 7, NULL, &err) &&
		    store_environment_move(tx, id, ENV_DESTROYING, ENV_DESTROYED, 8, &err));
	assert_true(store_commit(tx, &err));
}

/* The file of its claim; the caller frees. */
static char *raise_fence(struct fixture *f, const struct environment *env)
{
	AUTO(json_decref) json_t *fence = NULL;
	struct error err;

	if (!placement_fence(&f->control, env, &fence, &err))
		fail_msg("%s", err.message);
	assert_non_null(fence);
	return xstrdup(json_get_string(fence, "file", ""));
}

static void nobody_new_begins_while_an_old_claim_may_still_act(void **unused)
{
	struct fixture f = { .settings = { .targets = targets,
					   .target_count = ARRAY_SIZE(targets) } };
	AUTO(environment_free) struct environment *first = NULL, *second = NULL;
	AUTO(free) char *old = NULL, *again = NULL, *new = NULL;

	(void)unused;
	store_bench_init(&f.bench);
	f.settings.data = f.bench.folder;
	f.control = (struct control){ .settings = &f.settings, .store = f.bench.store };
	first = insert(&f, "first");
	old = raise_fence(&f, first);
	assert_true(file_exists(old));
	again = raise_fence(&f, first);
	assert_string_equal(again, old);
	end(&f, first->id);
	second = insert(&f, "second");
	new = raise_fence(&f, second);
	assert_string_not_equal(new, old);
	assert_true(file_exists(new));
	assert_false(file_exists(old));
	store_bench_release(&f.bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_wish_it_is_one_of_the_file_or_else_the_first),
		cmocka_unit_test(a_wish_that_nothing_fits_is_refused_by_name),
		cmocka_unit_test(nobody_new_begins_while_an_old_claim_may_still_act),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
