/*
 * What is left of a failure: the bundle that is taken before anything is destroyed and that stays
 * when everything else is gone; and the failed environment itself, kept for a time to be looked at.
 *
 * On real containers; tests/failure/test_evidence_trouble.c has what goes wrong with it.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/json_read.h"
#include "base/text.h"
#include "tests/support/eventually.h"
#include "tests/support/evidence_look.h"
#include "tests/support/http_client.h"
#include "tests/support/world.h"

/* Nobody may find these in what is kept. */
#define CANARY_VARIABLE "canary-variable-93c1"
#define CANARY_HEADER "canary-header-5d02"
#define CANARY_URL "canary-url-7b7a"

static const char talkative[] =
    "services:\n"
    "  web:\n"
    "    image: ${WEB_IMAGE:-localhost/envd-test/busybox:1}\n"
    "    environment: { DB_PASSWORD: " CANARY_VARIABLE ", PLAIN: visible-value }\n"
    "    command: [sh, -c, 'echo starting with $$DB_PASSWORD;"
    " echo \"Authorization: Bearer " CANARY_HEADER "\";"
    " echo connecting to postgres://bank:" CANARY_URL "@db/bank;"
    " echo the ledger is out of balance >&2;"
    " mkdir -p /www; echo hello > /www/index.html; exec httpd -f -p 80 -h /www']\n"
    "    ports: ['80']\n"
    "    healthcheck: { test: [CMD, test, -f, /www/index.html], interval: 100ms, retries: 50 }\n";

static const char bad_checks[] =
    "apiVersion: envd/v1\nkind: CheckPlan\nname: small\n"
    "defaults: { base: '${url}', timeout: 5s }\nstages: [app]\n"
    "smoke:\n  - name: hello\n    stage: app\n"
    "    steps: [ { http: { path: / }, expect: [ \"body contains 'goodbye'\" ] } ]\n";

static int open_world(void **state, const char *runtime)
{
	struct world *world = world_new(runtime);

	world_write_small_template(world, "small", true);
	world_write_small_template(world, "bad", true);
	world_write(world, "bad", "compose.yaml", talkative);
	world_write(world, "bad", "checks.yaml", bad_checks);
	*state = world;
	return 0;
}

static int on_podman(void **state)
{
	return open_world(state, "ENVD_TEST_PODMAN");
}

static int on_docker(void **state)
{
	return open_world(state, "ENVD_TEST_DOCKER");
}

static void evidence_of_a_bad_check_outlives_the_environment(void **state)
{
	struct world *world = *state;
	AUTO(free) char *folder = NULL;
	AUTO(json_decref) json_t *env = NULL;
	char id[37];

	world_start(world);
	evidence_create(world, "bad", "e1", NULL, NULL, id);
	world_wait(world, id, "destroyed", 60000);
	assert_int_equal(world_count(world, "envd-environment", id), 0);
	env = evidence_get(world, id, "");
	assert_string_equal(json_get_string(json_object_get(env, "evidence"), "state", ""),
			    "taken");
	folder = evidence_unpack(world, id);
	evidence_assert_in(folder, "logs/web.log", "the ledger is out of balance");
	evidence_assert_in(folder, "logs/web.log", "starting with ***");
	evidence_assert_in(folder, "report.md", "goodbye");
	evidence_assert_in(folder, "report.json", "check_failed");
	evidence_assert_in(folder, "junit.xml", "<failure");
	evidence_assert_in(folder, "lock.json", "busybox");
	evidence_assert_in(folder, "history.jsonl", "smoke checks failed");
	evidence_assert_in(folder, "runtime.json",
			   "visible-value"); /* it was alive when it was looked at */
	evidence_assert_in(folder, "runtime.json", "httpd");
	evidence_assert_in(folder, "services.json", "healthy");
	evidence_assert_nowhere(folder, CANARY_VARIABLE);
	evidence_assert_nowhere(folder, CANARY_HEADER);
	evidence_assert_nowhere(folder, CANARY_URL);
}

static void evidence_of_a_failed_build_has_the_last_words(void **state)
{
	struct world *world = *state;
	AUTO(free) char *folder = NULL;
	AUTO(free) char *report = NULL;
	AUTO(free) char *log = NULL;

	world_write(world, "bad", "compose.yaml",
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
	world_start(world);
	assert_int_equal(world_envctl(world, NULL, "create", "bad", "--name", "e1", NULL), 4);
	log = evidence_read(world->folder, "log");
	assert_non_null(strstr(log, "envctl evidence e1"));
	world_wait(world, "e1", "destroyed", 60000);
	folder = evidence_unpack(world, "e1");
	evidence_assert_in(folder, "logs/web.log", "the database is on fire");
	evidence_assert_in(folder, "report.json", "create_failed");
	assert_int_equal(world_envctl(world, &report, "report", "e1", NULL), 0);
	assert_non_null(strstr(report, "envctl evidence e1"));
}

static void what_failed_is_kept_to_be_looked_at(void **state)
{
	struct world *world = *state;
	AUTO(json_decref) json_t *extend = json_pack("{s:s}", "extend", "5h");
	AUTO(json_decref) json_t *kept = NULL;
	AUTO(json_decref) json_t *gone = NULL;
	AUTO(free) char *logs = NULL;
	AUTO(free) char *listed = NULL;
	char id[37];
	int status;

	world_start(world);
	evidence_create(world, "bad", "e1", "on-failure=10m", NULL, id);
	world_wait(world, id, "failed", 60000);
	kept = evidence_get(world, id, "");
	assert_string_equal(json_get_string(kept, "reason", ""), "check_failed");
	assert_string_equal(json_get_string(kept, "desired", ""), "present");
	assert_true(json_has(json_object_get(kept, "kept"), "until"));
	assert_true(evidence_history_has(world, id, "to be looked at"));
	assert_int_equal(world_envctl(world, &logs, "logs", "e1", NULL), 0);
	assert_non_null(strstr(logs, "the ledger is out of balance"));
	assert_int_equal(world_envctl(world, &listed, "list", NULL), 0);
	assert_non_null(strstr(listed, "failed (kept)"));
	json_decref(world_ask(world, "PATCH", "/v1/environments/e1/lease", extend, &status));
	assert_int_equal(status, 400);
	assert_int_equal(world_envctl(world, NULL, "extend", "e1", "10m", NULL), 0);
	assert_true(world_count(world, "envd-environment", id) > 0);
	assert_int_equal(world_envctl(world, NULL, "destroy", "e1", NULL), 0);
	gone = evidence_get(world, id, "");
	assert_string_equal(json_get_string(gone, "state", ""), "destroyed");
	assert_int_equal(world_count(world, "envd-environment", id), 0);
}

static void evidence_of_a_ready_environment_is_taken_when_asked_for(void **state)
{
	struct world *world = *state;
	AUTO(free) char *folder = NULL;
	AUTO(free) char *body = NULL;
	char id[37], state_now[32];

	world_write(world, "small", "compose.yaml", talkative);
	world_start(world);
	evidence_create(world, "small", "e1", NULL, NULL, id);
	world_wait(world, id, "ready", 60000);
	assert_int_equal(
	    http_ask(world->socket, "GET", "/v1/environments/e1/evidence", NULL, NULL, &body), 404);
	assert_non_null(strstr(body, "no_evidence"));
	folder = evidence_unpack(world, "e1");
	evidence_assert_in(folder, "logs/web.log", "the ledger is out of balance");
	evidence_assert_nowhere(folder, CANARY_VARIABLE);
	world_state(world, id, state_now);
	assert_string_equal(state_now, "ready");
}

#define ON_PODMAN(test) cmocka_unit_test_setup_teardown(test, on_podman, world_close)
#define ON_DOCKER(test) { #test " (docker)", test, on_docker, world_close, NULL }

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_PODMAN(evidence_of_a_bad_check_outlives_the_environment),
		ON_DOCKER(evidence_of_a_bad_check_outlives_the_environment),
		ON_PODMAN(evidence_of_a_failed_build_has_the_last_words),
		ON_PODMAN(what_failed_is_kept_to_be_looked_at),
		ON_PODMAN(evidence_of_a_ready_environment_is_taken_when_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
