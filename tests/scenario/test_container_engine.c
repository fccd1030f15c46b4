/*
 * Environments of containers, made on Podman and on Docker. What is checked is the runtime's
 * own word (tests/support/engine_stage.h), not the engine's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <inttypes.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/support/engine_stage.h"
#include "tests/support/http_client.h"

/* ---- create, look, destroy ---- */

static void an_environment_is_created_and_destroyed(void **state)
{
	struct stage *stage = stage_new(*state);
	AUTO(free) char *page = NULL;
	const json_t *web;

	stage_write(stage, STAGE_TWO_SERVICES,
		    "  url: 'http://{{web.host}}:{{web.port.80}}'\n"
		    "  page: { service: web, file: /www/deep/er/page.txt }\n");
	stage_must(stage, "create");
	web = stage_service(stage, "web");
	assert_string_equal(json_get_string(web, "state", ""), "running");
	assert_string_equal(json_get_string(stage_service(stage, "db"), "health", ""), "healthy");
	stage_contains(json_get_string(stage_dig(stage->data, "outputs", NULL), "url", ""),
		       "http://127.0.0.1:");
	assert_string_equal(json_get_string(stage_dig(stage->data, "outputs", NULL), "page", ""),
			    "a page of its own");
	assert_int_equal(stage_exec(stage, "web", "wget -qO- http://db/", &page), 0);
	stage_contains(page, "it works");
	assert_int_equal(stage_count(stage, "container"), 2);

	stage_must(stage, "inspect");
	assert_true(json_get_bool(stage->data, "healthy", false));

	stage_must(stage, "destroy");
	assert_true(json_get_bool(stage->data, "state_empty", false));
	assert_int_equal(stage_count_all(stage), 0);
	stage_must(stage, "inventory");
	assert_true(json_get_bool(stage->data, "complete", false));
	assert_int_equal(json_array_size(stage_dig(stage->data, "items", NULL)), 0);
	stage_free(stage);
}

static void destroying_twice_is_success(void **state)
{
	struct stage *stage = stage_new(*state);

	stage_must(stage, "destroy");
	assert_int_equal(json_get_int64(stage->data, "removed", -1), 0);
	stage_must(stage, "destroy");
	stage_free(stage);
}

static void creating_twice_is_one_environment(void **state)
{
	struct stage *stage = stage_new(*state);
	json_t *first, *second;

	stage_write(stage, STAGE_TWO_SERVICES, NULL);
	stage_must(stage, "create");
	first = stage_look(stage, "web");
	stage_must(stage, "create");
	second = stage_look(stage, "web");
	assert_string_equal(json_get_string(first, "Id", "1"), json_get_string(second, "Id", "2"));
	assert_int_equal(stage_count(stage, "container"), 2);
	json_decref(first);
	json_decref(second);
	stage_free(stage);
}

static void assert_labels(const struct stage *stage, const json_t *labels)
{
	AUTO(free) char *wall = xasprintf("%" PRId64, stage->request.hard_wall_s);

	assert_string_equal(json_get_string(labels, "envd-instance", ""), stage->request.instance);
	assert_string_equal(json_get_string(labels, "envd-environment", ""),
			    stage->request.environment.text);
	assert_string_equal(json_get_string(labels, "envd-sequence", ""), "42");
	assert_string_equal(json_get_string(labels, "envd-hard-wall", ""), wall);
}

static void everything_that_is_made_is_labelled(void **state)
{
	struct stage *stage = stage_new(*state);
	size_t volumes_before, volumes_after, i;
	json_t *answer = NULL, *web;
	const json_t *item;

	http_ask_json(stage->socket, "GET", "/v1.41/volumes", NULL, NULL, &answer);
	volumes_before = json_array_size(json_object_get(answer, "Volumes"));
	json_decref(answer);
	stage_write(stage,
		    "services:\n"
		    "  web:\n" STAGE_HTTPD_BLOCK "    labels: { own: label }\n"
		    "    volumes: ['data:/data', '/anonymous']\n"
		    "volumes: { data: {} }\n",
		    NULL);
	stage_must(stage, "create");
	http_ask_json(stage->socket, "GET", "/v1.41/volumes", NULL, NULL, &answer);
	volumes_after = json_array_size(json_object_get(answer, "Volumes"));
	json_decref(answer);
	assert_int_equal(volumes_after - volumes_before, 2);
	assert_int_equal(stage_count(stage, "volume"), 2);
	assert_int_equal(stage_count(stage, "network"), 1);
	web = stage_look(stage, "web");
	assert_labels(stage, stage_dig(web, "Config", "Labels", NULL));
	assert_string_equal(json_get_string(stage_dig(web, "Config", "Labels", NULL), "own", ""),
			    "label");
	json_decref(web);
	stage_must(stage, "inventory");
	assert_int_equal(json_array_size(stage_dig(stage->data, "items", NULL)), 4);
	json_array_foreach(stage_dig(stage->data, "items", NULL), i, item) {
		assert_int_equal(json_get_int64(item, "sequence", 0), 42);
		assert_int_equal(json_get_int64(item, "hard_wall_s", 0),
				 stage->request.hard_wall_s);
		assert_true(json_get_int64(item, "created_at_s", 0) > clock_wall_ms() / 1000 - 300);
	}
	stage_free(stage);
}

/* ---- order ---- */

static int64_t state_time_ms(const struct stage *stage, const char *service, const char *key)
{
	json_t *seen = stage_look(stage, service);
	struct error err;
	int64_t at_ms = 0;

	assert_true(
	    clock_parse(json_get_string(stage_dig(seen, "State", NULL), key, ""), &at_ms, &err));
	json_decref(seen);
	return at_ms;
}

static void what_depends_starts_after_what_it_needs(void **state)
{
	struct stage *stage = stage_new(*state);

	stage_write(stage,
		    "services:\n"
		    "  after_job:\n" STAGE_HTTPD_BLOCK
		    "    depends_on: { job: { condition: service_completed_successfully } }\n"
		    "  after_slow:\n" STAGE_HTTPD_BLOCK
		    "    depends_on: { slow: { condition: service_healthy } }\n"
		    "  job: { image: " STAGE_IMAGE ", command: [sh, -c, 'sleep 1.5'] }\n"
		    "  slow:\n"
		    "    image: " STAGE_IMAGE "\n"
		    "    command: [sh, -c, 'sleep 1.5; touch /tmp/ok; exec sleep 1000']\n"
		    "    healthcheck: { test: [CMD, test, -f, /tmp/ok], interval: 5s }\n",
		    NULL);
	stage_must(stage, "create");
	assert_true(state_time_ms(stage, "after_job", "StartedAt") >=
		    state_time_ms(stage, "job", "FinishedAt"));
	assert_true(state_time_ms(stage, "after_slow", "StartedAt") >=
		    state_time_ms(stage, "slow", "StartedAt") + 1500);
	/* These two need nothing from each other. */
	assert_true(state_time_ms(stage, "slow", "StartedAt") <
		    state_time_ms(stage, "job", "FinishedAt"));
	stage_must(stage, "inspect");
	assert_true(json_get_bool(stage->data, "healthy", false));
	stage_free(stage);
}

static void a_failed_job_keeps_its_dependents_from_starting(void **state)
{
	struct stage *stage = stage_new(*state);
	json_t *web;

	stage_write(stage,
		    "services:\n"
		    "  web:\n" STAGE_HTTPD_BLOCK
		    "    depends_on: { job: { condition: service_completed_successfully } }\n"
		    "  job: { image: " STAGE_IMAGE ", command: [sh, -c, 'exit 5'] }\n",
		    NULL);
	stage_must_not(stage, "create", "service_exited");
	stage_contains(stage->err.message, "\"job\"");
	web = stage_look(stage, "web");
	assert_false(json_get_bool(stage_dig(web, "State", NULL), "Running", true));
	json_decref(web);
	stage_free(stage);
}

static void a_service_that_is_not_required_may_fail(void **state)
{
	struct stage *stage = stage_new(*state);

	stage_write(stage,
		    "services:\n"
		    "  web:\n" STAGE_HTTPD_BLOCK
		    "    depends_on: { extra: { condition: service_healthy, required: false } }\n"
		    "  extra: { image: " STAGE_IMAGE ", command: [sh, -c, 'exit 5'] }\n",
		    NULL);
	stage_must(stage, "create");
	stage_contains(stage->said, "\"level\":\"warn\"");
	assert_string_equal(json_get_string(stage_service(stage, "web"), "state", ""), "running");
	stage_free(stage);
}

static void a_locked_image_stays_when_its_tag_moves(void **state)
{
	struct stage *stage = stage_new(*state);
	json_t *before, *after;

	stage_ask(stage, "POST", "/v1.41/images/%s/tag?repo=localhost/envd-test/moving&tag=1",
		  STAGE_IMAGE);
	stage_write(stage,
		    "services: { web: { image: 'localhost/envd-test/moving:1', command: [sleep, "
		    "'1000'] } }\n",
		    NULL);
	stage_must(stage, "create");
	before = stage_look(stage, "web");
	stage_load_foreign_image(stage);
	stage_ask(stage, "POST",
		  "/v1.41/images/localhost/envd-test/foreign:1/tag?"
		  "repo=localhost/envd-test/moving&tag=1");
	stage_must(stage, "create");
	after = stage_look(stage, "web");
	assert_string_equal(json_get_string(before, "Id", "1"), json_get_string(after, "Id", "2"));
	json_decref(before);
	json_decref(after);
	stage_free(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_ON_BOTH(an_environment_is_created_and_destroyed),
		STAGE_ON_BOTH(destroying_twice_is_success),
		STAGE_ON_BOTH(creating_twice_is_one_environment),
		STAGE_ON_BOTH(everything_that_is_made_is_labelled),
		STAGE_ON_BOTH(what_depends_starts_after_what_it_needs),
		STAGE_ON_BOTH(a_failed_job_keeps_its_dependents_from_starting),
		STAGE_ON_BOTH(a_service_that_is_not_required_may_fail),
		STAGE_ON_BOTH(a_locked_image_stays_when_its_tag_moves),
	};

	if (getenv("ENVD_TEST_ONLY"))
		cmocka_set_test_filter(getenv("ENVD_TEST_ONLY"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
