/*
 * kill -9 in the middle of a create, at several moments: the next create goes on, or a destroy
 * leaves nothing. What is checked is the runtime's own word (tests/support/engine_stage.h), not the
 * engine's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "tests/support/engine_stage.h"
#include "tests/support/eventually.h"
#include "tests/support/http_client.h"

struct wanted_count {
	struct stage *stage;
	size_t count;
};

static bool has_things(void *arg)
{
	const struct wanted_count *wanted = arg;

	return stage_count_all(wanted->stage) >= wanted->count;
}

static void kill_create_at(struct stage *stage, size_t count)
{
	struct wanted_count wanted = { .stage = stage, .count = count };
	pid_t pid = stage_begin(stage, "create");

	assert_true(eventually(has_things, &wanted, 20000));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void a_create_killed_in_the_middle_goes_on(void **state)
{
	for (size_t count = 1; count <= 4; count++) {
		struct stage *stage = stage_new(*state);

		stage_write(stage, STAGE_TWO_SERVICES, NULL);
		kill_create_at(stage, count);
		stage_must(stage, "recover");
		stage_must(stage, "create");
		assert_int_equal(stage_count(stage, "container"), 2);
		assert_int_equal(stage_count(stage, "network"), 1);
		assert_int_equal(stage_count(stage, "volume"), 1);
		stage_must_reach(stage, "web", "db");
		stage_free(stage);
	}
}

static bool is_empty(void *arg)
{
	struct stage *stage = arg;

	return stage_do(stage, "destroy") && stage_count_all(stage) == 0;
}

static void a_create_killed_in_the_middle_is_destroyed(void **state)
{
	for (size_t count = 1; count <= 4; count++) {
		struct stage *stage = stage_new(*state);

		stage_write(stage, STAGE_TWO_SERVICES, NULL);
		kill_create_at(stage, count);
		/* The runtime may still be making what was asked before the kill. */
		stage_must(stage, "recover");
		assert_true(eventually(is_empty, stage, 20000));
		poll(NULL, 0, 1000);
		assert_int_equal(stage_count_all(stage), 0);
		stage_free(stage);
	}
}

static void what_never_started_is_removed_by_recover(void **state)
{
	struct stage *stage = stage_new(*state);
	AUTO(free) char *name = NULL;
	AUTO(json_decref) json_t *body = NULL;
	AUTO(free) char *target = NULL;
	json_t *answer = NULL;

	stage_write(stage, STAGE_TWO_SERVICES, NULL);
	stage_must(stage, "create");
	name = stage_container(stage, "half");
	target = xasprintf("/v1.41/containers/create?name=%s", name);
	body = json_pack("{s:s, s:{s:s, s:s, s:s, s:s}}", "Image", STAGE_IMAGE, "Labels",
			 "envd-instance", stage->request.instance, "envd-environment",
			 stage->request.environment.text, "envd-sequence", "42", "envd-hard-wall",
			 "1");
	assert_int_equal(http_ask_json(stage->socket, "POST", target, NULL, body, &answer), 201);
	json_decref(answer);
	assert_int_equal(stage_count(stage, "container"), 3);
	stage_must(stage, "recover");
	assert_true(json_get_int64(stage->data, "found", 0) >= 3);
	assert_int_equal(stage_count(stage, "container"), 2);
	stage_free(stage);
}

static void somebody_elses_container_is_left_alone(void **state)
{
	struct stage *stage = stage_new(*state);
	AUTO(free) char *name = stage_container(stage, "web");
	AUTO(free) char *target = xasprintf("/v1.41/containers/create?name=%s", name);
	AUTO(json_decref) json_t *body = json_pack("{s:s}", "Image", STAGE_IMAGE);
	json_t *answer = NULL, *seen;

	assert_int_equal(http_ask_json(stage->socket, "POST", target, NULL, body, &answer), 201);
	json_decref(answer);
	stage_write(stage, STAGE_TWO_SERVICES, NULL);
	stage_must_not(stage, "create", "name_taken");
	stage_contains(stage->err.message, name);
	stage_must(stage, "destroy");
	seen = stage_look(stage, "web");
	assert_non_null(seen);
	json_decref(seen);
	assert_int_equal(stage_ask(stage, "DELETE", "/v1.41/containers/%s?force=1", name) / 100, 2);
	stage_free(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_ON_BOTH(a_create_killed_in_the_middle_goes_on),
		STAGE_ON_BOTH(a_create_killed_in_the_middle_is_destroyed),
		STAGE_ON_BOTH(what_never_started_is_removed_by_recover),
		STAGE_ON_BOTH(somebody_elses_container_is_left_alone),
	};

	if (getenv("ENVD_TEST_ONLY"))
		cmocka_set_test_filter(getenv("ENVD_TEST_ONLY"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
