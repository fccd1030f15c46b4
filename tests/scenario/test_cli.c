/*
 * envctl against the real envd on a real runtime, where what is promised depends on both.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/files.h"
#include "base/json_read.h"
#include "base/text.h"
#include "tests/support/eventually.h"
#include "tests/support/world.h"

static int open_world(void **state)
{
	struct world *world = world_new("ENVD_TEST_PODMAN");

	world_write_small_template(world, "small", true);
	world_start(world);
	*state = world;
	return 0;
}

static bool has_no_environment(void *arg)
{
	AUTO(free) char *list = NULL;

	return world_envctl(arg, &list, "list", "-o", "name", NULL) == 0 && !*list;
}

static void a_command_reaches_its_environment_which_is_gone_afterwards(void **state)
{
	struct world *world = *state;
	AUTO(free) char *said = NULL;

	assert_int_equal(world_envctl(world, &said, "run", "small", "--name", "r1", "--ttl", "1m",
				      "--", "sh", "-c",
				      "curl -s \"$ENV_URL\" && echo $ENV_NAME && exit 6", NULL),
			 6);
	assert_string_equal(said, "hello\nr1\n");
	/* Asked for by then; its end is the server's. */
	assert_true(eventually(has_no_environment, world, 60000));
}

static void what_is_built_like_another_has_the_same_lock_byte_by_byte(void **state)
{
	struct world *world = *state;
	AUTO(free) char *first = NULL;
	AUTO(free) char *second = NULL;
	AUTO(free) char *diff = NULL;
	AUTO(free) char *file = path_join(world->folder, "first.lock.json");
	AUTO(json_decref) json_t *json = NULL;
	struct error err;

	assert_int_equal(
	    world_envctl(world, NULL, "create", "small", "--name", "l1", "--pin", "web=1", NULL),
	    0);
	assert_int_equal(world_envctl(world, &first, "lock", "l1", "-o", "json", NULL), 0);
	assert_true(file_write_atomically(file, first, strlen(first), 0600, &err));
	assert_int_equal(world_envctl(world, NULL, "create", "--like", file, "--name", "l2", NULL),
			 0);
	assert_int_equal(world_envctl(world, &second, "lock", "l2", "-o", "json", NULL), 0);
	assert_string_equal(first, second);
	assert_non_null(strstr(first, "sha256:"));
	assert_int_equal(world_envctl(world, &diff, "diff", "l1", "l2", "-o", "json", NULL), 0);
	json = json_loads(diff, 0, NULL);
	assert_true(json_get_bool(json, "same", false));
	assert_true(json_get_int64(json_object_get(json_object_get(json, "timings"), "b"),
				   "provisioning_ms", 0) > 0);
}

static void a_template_that_changed_meanwhile_makes_a_difference(void **state)
{
	struct world *world = *state;
	AUTO(free) char *diff = NULL;

	assert_int_equal(world_envctl(world, NULL, "create", "small", "--name", "t1", NULL), 0);
	world_write_small_template(world, "small", false);
	assert_int_equal(world_envctl(world, NULL, "create", "--like", "t1", NULL), 1);
	assert_int_equal(world_envctl(world, NULL, "create", "small", "--name", "t2", NULL), 0);
	assert_int_equal(world_envctl(world, &diff, "diff", "t1", "t2", NULL), 7);
	assert_non_null(strstr(diff, "inputs.template.digest"));
	assert_non_null(strstr(diff, "verdicts.checks"));
}

static void a_dry_run_says_what_would_be_and_makes_nothing(void **state)
{
	struct world *world = *state;
	AUTO(free) char *plan = NULL;
	AUTO(free) char *again = NULL;
	AUTO(free) char *list = NULL;
	AUTO(json_decref) json_t *json = NULL;
	AUTO(json_decref) json_t *known = NULL;

	assert_int_equal(world_envctl(world, &plan, "create", "small", "--name", "p1", "--ttl",
				      "30m", "--dry-run=server", "--detailed-exitcode", "-o",
				      "json", NULL),
			 7);
	json = json_loads(plan, 0, NULL);
	assert_string_equal(json_get_string(json, "would", ""), "create");
	assert_string_equal(json_get_string(json_object_get(json, "versions"), "web", ""), "1");
	assert_true(json_get_number(json_object_get(json, "price"), "for_the_lease", 0) > 0.17);
	assert_int_equal(json_get_int64(json_object_get(json, "quota"), "environments_then", 0), 1);
	assert_true(json_array_size(json_object_get(json, "not_checked")) > 0);
	assert_int_equal(world_envctl(world, &list, "list", "--all", "-o", "name", NULL), 0);
	assert_string_equal(list, "");
	/* Refused by what would refuse the create. */
	assert_int_equal(world_envctl(world, NULL, "create", "small", "--pin", "web=9",
				      "--dry-run=server", NULL),
			 2);
	assert_int_equal(
	    world_envctl(world, NULL, "create", "small", "--ttl", "9h", "--dry-run=server", NULL),
	    5);
	/* The key of something that is there would make nothing. */
	assert_int_equal(world_envctl(world, NULL, "create", "small", "--name", "p1",
				      "--idempotency-key", "k", NULL),
			 0);
	assert_int_equal(world_envctl(world, &again, "create", "small", "--name", "p1",
				      "--idempotency-key", "k", "--dry-run=server",
				      "--detailed-exitcode", "-o", "json", NULL),
			 0);
	known = json_loads(again, 0, NULL);
	assert_string_equal(json_get_string(known, "would", ""), "nothing");
	assert_int_equal(
	    world_envctl(world, NULL, "create", "small", "--name", "p1", "--dry-run=server", NULL),
	    1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_command_reaches_its_environment_which_is_gone_afterwards, open_world,
		    world_close),
		cmocka_unit_test_setup_teardown(
		    what_is_built_like_another_has_the_same_lock_byte_by_byte, open_world,
		    world_close),
		cmocka_unit_test_setup_teardown(
		    a_template_that_changed_meanwhile_makes_a_difference, open_world, world_close),
		cmocka_unit_test_setup_teardown(a_dry_run_says_what_would_be_and_makes_nothing,
						open_world, world_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
