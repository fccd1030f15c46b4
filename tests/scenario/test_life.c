/*
 * The life of an environment, on a real container runtime: asked for, built, checked, lent,
 * extended, ended, proved gone. What exists is asked of the runtime, never of our own store.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/json_read.h"
#include "tests/support/eventually.h"
#include "tests/support/http_client.h"
#include "tests/support/world.h"

static int with_world(void **state, const char *runtime)
{
	struct world *world = world_new(runtime);

	world_write_small_template(world, "small", true);
	world_start(world);
	*state = world;
	return 0;
}

static int on_podman(void **state)
{
	return with_world(state, "ENVD_TEST_PODMAN");
}

static int on_docker(void **state)
{
	return with_world(state, "ENVD_TEST_DOCKER");
}

static json_t *get(struct world *world, const char *environment, const char *more)
{
	AUTO(free) char *target = xasprintf("/v1/environments/%s%s", environment, more);

	return world_ask(world, "GET", target, NULL, NULL);
}

static int destroy(struct world *world, const char *environment)
{
	AUTO(free) char *target = xasprintf("/v1/environments/%s", environment);

	return http_ask(world->socket, "DELETE", target, NULL, NULL, NULL);
}

static void assert_proved(const json_t *env)
{
	static const char *const kinds[] = { "destroy_ended", "state_empty", "inventory_empty",
					     "no_process" };
	const json_t *proofs = json_object_get(env, "proofs");
	size_t i;
	json_t *proof;

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		bool found = false;

		json_array_foreach((json_t *)(uintptr_t)proofs, i, proof)
			found |= strcmp(json_get_string(proof, "kind", ""), kinds[k]) == 0;
		if (!found)
			fail_msg("there is no proof \"%s\"", kinds[k]);
	}
}

static void an_environment_is_built_checked_lent_and_proved_gone(void **state)
{
	struct world *world = *state;
	AUTO(json_decref) json_t *ready = NULL;
	AUTO(json_decref) json_t *gone = NULL;
	char id[37];

	world_create(world, "small", "e1", "10m", id);
	world_wait(world, id, "ready", 30000);
	/* Two containers and one network. */
	assert_int_equal(world_count(world, "envd-environment", id), 3);
	ready = get(world, "e1", "");
	assert_string_equal(json_get_string(json_object_get(ready, "checks"), "verdict", ""),
			    "passed");
	assert_non_null(strstr(json_get_string(json_object_get(ready, "outputs"), "url", ""),
			       "http://127.0.0.1:"));
	assert_int_equal(destroy(world, "e1"), 202);
	world_wait(world, id, "destroyed", 30000);
	assert_int_equal(world_count(world, "envd-environment", id), 0);
	gone = get(world, id, "");
	assert_proved(gone);
	assert_int_equal(destroy(world, id), 200);
}

static void a_lease_ends_by_itself_and_not_before(void **state)
{
	struct world *world = *state;
	AUTO(json_decref) json_t *ready = NULL;
	AUTO(json_decref) json_t *gone = NULL;
	int64_t expires, unwanted;
	struct error err;
	char id[37];

	world_create(world, "small", NULL, "10s", id);
	world_wait(world, id, "ready", 30000);
	ready = get(world, id, "");
	assert_true(clock_parse(json_get_string(ready, "expires_at", ""), &expires, &err));
	world_wait(world, id, "destroyed", 40000);
	gone = get(world, id, "");
	assert_string_equal(json_get_string(gone, "reason", ""), "lease_ended");
	assert_true(clock_parse(json_get_string(gone, "ended_at", ""), &unwanted, &err));
	assert_true(unwanted >= expires);
	assert_int_equal(world_count(world, "envd-environment", id), 0);
	assert_proved(gone);
}

static void an_extension_is_honoured_and_the_ended_are_refused_with_when_and_why(void **state)
{
	struct world *world = *state;
	AUTO(json_decref) json_t *extend = json_pack("{s:s}", "extend", "5m");
	AUTO(json_decref) json_t *before = NULL;
	AUTO(json_decref) json_t *after = NULL;
	AUTO(json_decref) json_t *refused = NULL;
	int64_t first, second;
	struct error err;
	char id[37];
	int status;

	world_create(world, "small", "e1", "10m", id);
	world_wait(world, id, "ready", 30000);
	before = get(world, id, "");
	after = world_ask(world, "PATCH", "/v1/environments/e1/lease", extend, &status);
	assert_int_equal(status, 200);
	assert_true(clock_parse(json_get_string(before, "expires_at", ""), &first, &err));
	assert_true(clock_parse(json_get_string(after, "expires_at", ""), &second, &err));
	assert_int_equal(second - first, 300000);
	destroy(world, id);
	world_wait(world, id, "destroyed", 30000);
	refused = world_ask(world, "PATCH", "/v1/environments/e1/lease", extend, &status);
	assert_int_equal(status, 410);
	assert_non_null(strstr(json_get_string(refused, "detail", ""), "requested"));
}

static void ending_one_of_two_environments_leaves_the_other(void **state)
{
	struct world *world = *state;
	char one[37], two[37];

	world_create(world, "small", "one", "10m", one);
	world_create(world, "small", "two", "10m", two);
	world_wait(world, one, "ready", 30000);
	world_wait(world, two, "ready", 30000);
	assert_int_equal(world_count(world, "envd-environment", one), 3);
	assert_int_equal(world_count(world, "envd-environment", two), 3);
	assert_int_equal(destroy(world, one), 202);
	world_wait(world, one, "destroyed", 30000);
	/* Ending one leaves the other as it was. */
	assert_int_equal(world_count(world, "envd-environment", two), 3);
}

static void the_same_key_gives_the_same_environment(void **state)
{
	struct world *world = *state;
	static const char headers[] = "Idempotency-Key: build-17\r\n";
	AUTO(json_decref) json_t *request = json_pack("{s:s}", "template", "small");
	AUTO(json_decref)
	json_t *other = json_pack("{s:s, s:s}", "template", "small", "ttl", "20m");
	AUTO(json_decref) json_t *first = NULL;
	AUTO(json_decref) json_t *again = NULL;
	AUTO(json_decref) json_t *refused = NULL;

	assert_int_equal(
	    http_ask_json(world->socket, "POST", "/v1/environments", headers, request, &first),
	    201);
	assert_int_equal(
	    http_ask_json(world->socket, "POST", "/v1/environments", headers, request, &again),
	    200);
	assert_string_equal(json_get_string(first, "id", "a"), json_get_string(again, "id", "b"));
	assert_int_equal(
	    http_ask_json(world->socket, "POST", "/v1/environments", headers, other, &refused),
	    422);
	assert_string_equal(json_get_string(refused, "code", ""), "idempotency_key_reused");
}

static void one_that_was_never_started_is_proved_gone_without_a_job(void **state)
{
	struct world *world = *state;
	AUTO(json_decref) json_t *gone = NULL;
	char first[37], second[37];

	world_end(world, SIGTERM);
	world_argument(world, "--environments=1");
	world_start(world);
	world_create(world, "small", NULL, NULL, first);
	world_create(world, "small", NULL, NULL, second);
	assert_int_equal(destroy(world, second), 202);
	world_wait(world, second, "destroyed", 10000);
	gone = get(world, second, "");
	assert_string_equal(
	    json_get_string(json_array_get(json_object_get(gone, "proofs"), 0), "kind", ""),
	    "never_started");
}

static void a_missing_image_is_named_and_nothing_is_left(void **state)
{
	struct world *world = *state;
	AUTO(json_decref)
	json_t *request = json_pack("{s:s, s:{s:s}}", "template", "small", "pins", "web", "404");
	AUTO(json_decref) json_t *made = NULL;
	AUTO(json_decref) json_t *gone = NULL;
	const char *id;
	int status;

	made = world_ask(world, "POST", "/v1/environments", request, &status);
	assert_int_equal(status, 201);
	id = json_get_string(made, "id", "");
	world_wait(world, id, "destroyed", 30000);
	gone = get(world, id, "");
	assert_string_equal(json_get_string(gone, "reason", ""), "create_failed");
	assert_string_equal(json_get_string(json_object_get(gone, "error"), "slug", ""),
			    "image_missing");
	assert_non_null(
	    strstr(json_get_string(gone, "message", ""), "localhost/envd-test/busybox:404"));
	assert_int_equal(world_count(world, "envd-environment", id), 0);
}

static void a_service_that_dies_says_its_last_words(void **state)
{
	struct world *world = *state;
	AUTO(json_decref) json_t *gone = NULL;
	char id[37];

	world_write(world, "small", "compose.yaml",
		    "services:\n"
		    "  web:\n"
		    "    image: ${WEB_IMAGE:-localhost/envd-test/busybox:1}\n"
		    "    command: [sh, -c, 'echo the database is on fire; exit 3']\n"
		    "    ports: ['80']\n"
		    "    healthcheck: { test: [CMD, 'true'], interval: 100ms }\n"
		    "  side:\n"
		    "    image: localhost/envd-test/busybox:1\n"
		    "    command: [sleep, '100000']\n"
		    "    depends_on: { web: { condition: service_healthy } }\n");
	world_create(world, "small", NULL, NULL, id);
	world_wait(world, id, "destroyed", 60000);
	gone = get(world, id, "");
	assert_non_null(strstr(json_get_string(gone, "message", ""), "web"));
	assert_non_null(strstr(json_get_string(gone, "message", ""), "the database is on fire"));
	assert_int_equal(world_count(world, "envd-environment", id), 0);
}

static void a_bad_verdict_destroys_at_once_and_says_what_was_seen(void **state)
{
	struct world *world = *state;
	AUTO(json_decref) json_t *gone = NULL;
	char id[37];

	world_write(
	    world, "small", "checks.yaml",
	    "apiVersion: envd/v1\nkind: CheckPlan\nname: small\n"
	    "defaults: { base: '${url}', timeout: 5s }\nstages: [app]\n"
	    "smoke:\n  - name: hello\n    stage: app\n"
	    "    steps: [ { http: { path: / }, expect: [ \"body contains 'goodbye'\" ] } ]\n");
	world_create(world, "small", NULL, NULL, id);
	world_wait(world, id, "destroyed", 60000);
	gone = get(world, id, "");
	assert_string_equal(json_get_string(gone, "reason", ""), "check_failed");
	assert_non_null(strstr(json_get_string(gone, "message", ""), "goodbye"));
	assert_non_null(strstr(json_get_string(gone, "message", ""), "hello"));
}

static void what_it_cost_is_on_every_environment(void **state)
{
	struct world *world = *state;
	AUTO(json_decref) json_t *env = NULL;
	AUTO(json_decref) json_t *costs = NULL;
	const json_t *cost;
	char id[37];

	world_create(world, "small", NULL, "10m", id);
	world_wait(world, id, "ready", 30000);
	env = get(world, id, "");
	cost = json_object_get(env, "cost");
	assert_true(json_get_number(cost, "per_hour", 0) > 0.359 &&
		    json_get_number(cost, "per_hour", 0) < 0.361);
	assert_true(json_get_number(cost, "at_expiry", 0) >= 0.06);
	costs = world_ask(world, "GET", "/v1/costs?by=owner", NULL, NULL);
	assert_int_equal(json_array_size(json_object_get(costs, "items")), 1);
}

static void bad_requests_are_refused_with_a_name_and_a_hint(void **state)
{
	static const struct {
		const char *body;
		int status;
		const char *says;
	} cases[] = {
		{ "{\"template\":\"smal\"}", 404, "small" },
		{ "{\"template\":\"small\",\"pins\":{\"wbe\":\"1\"}}", 400, "web" },
		{ "{\"template\":\"small\",\"pins\":{\"web\":\"9\"}}", 400, "9" },
		{ "{\"template\":\"small\",\"parameters\":{\"x\":1}}", 400, "x" },
		{ "{\"template\":\"small\",\"ttl\":\"0s\"}", 400, "10s to 1h" },
		{ "{\"template\":\"small\",\"ttl\":\"-1h\"}", 400, "duration" },
		{ "{\"template\":\"small\",\"ttl\":\"2 hours\"}", 400, "duration" },
		{ "{\"template\":\"small\",\"ttl\":\"2h\"}", 400, "10s to 1h" },
		{ "{\"template\":\"small\",\"name\":\"Not A Name\"}", 400, "name" },
		{ "{\"template\":\"small\",\"tll\":\"1h\"}", 400, "ttl" },
		{ "{\"template\":\"small\",\"template\":\"small\"}", 400, "duplicate" },
		{ "{\"template\":\"small\"} x", 400, "JSON" },
		{ "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"
		  "]",
		  400, "deep" },
	};
	struct world *world = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(free) char *body = NULL;
		int status =
		    http_ask(world->socket, "POST", "/v1/environments", NULL, cases[i].body, &body);

		if (status != cases[i].status || !strstr(body, cases[i].says))
			fail_msg("%s: expected %d and \"%s\", got %d and %s", cases[i].body,
				 cases[i].status, cases[i].says, status, body);
	}
	assert_int_equal(http_ask(world->socket, "GET", "/readyz", NULL, NULL, NULL), 200);
}

#define ON_PODMAN(test) cmocka_unit_test_setup_teardown(test, on_podman, world_close)
#define ON_DOCKER(test) { #test " (docker)", test, on_docker, world_close, NULL }

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_PODMAN(an_environment_is_built_checked_lent_and_proved_gone),
		ON_DOCKER(an_environment_is_built_checked_lent_and_proved_gone),
		ON_PODMAN(a_lease_ends_by_itself_and_not_before),
		ON_PODMAN(an_extension_is_honoured_and_the_ended_are_refused_with_when_and_why),
		ON_PODMAN(ending_one_of_two_environments_leaves_the_other),
		ON_DOCKER(ending_one_of_two_environments_leaves_the_other),
		ON_PODMAN(the_same_key_gives_the_same_environment),
		ON_PODMAN(one_that_was_never_started_is_proved_gone_without_a_job),
		ON_PODMAN(a_missing_image_is_named_and_nothing_is_left),
		ON_PODMAN(a_service_that_dies_says_its_last_words),
		ON_PODMAN(a_bad_verdict_destroys_at_once_and_says_what_was_seen),
		ON_PODMAN(what_it_cost_is_on_every_environment),
		ON_PODMAN(bad_requests_are_refused_with_a_name_and_a_hint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
