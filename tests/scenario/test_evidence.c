/*
 * What is left of a failure: the bundle that is taken before anything is destroyed and that stays
 * when everything else is gone; and the failed environment itself, kept for a time to be looked at.
 *
 * Real containers, and an external engine (tests/support/fake_engine) where one has to hang.
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

static int close_world(void **state)
{
	world_free(*state);
	return 0;
}

/* ---- asking ---- */

static json_t *get(struct world *world, const char *environment, const char *more)
{
	AUTO(free) char *target = xasprintf("/v1/environments/%s%s", environment, more);

	return world_ask(world, "GET", target, NULL, NULL);
}

static void create(struct world *world, const char *template_name, const char *name,
		   const char *keep, const char *fake, char id[37])
{
	AUTO(json_decref)
	json_t *request =
	    json_pack("{s:s, s:s, s:s*}", "template", template_name, "name", name, "keep", keep);
	AUTO(json_decref) json_t *answer = NULL;
	int status;

	if (fake)
		json_object_set_new(request, "parameters", json_pack("{s:s}", "fake", fake));
	answer = world_ask(world, "POST", "/v1/environments", request, &status);
	if (status != 201)
		fail_msg("create answered %d: %s", status, json_get_string(answer, "detail", "?"));
	snprintf(id, 37, "%s", json_get_string(answer, "id", ""));
}

static bool history_has(struct world *world, const char *environment, const char *words)
{
	AUTO(free) char *target = xasprintf("/v1/environments/%s/history?limit=500", environment);
	AUTO(free) char *body = NULL;

	http_ask(world->socket, "GET", target, NULL, NULL, &body);
	return body && strstr(body, words);
}

/* ---- looking into a bundle ---- */

/* Unpacked by tar itself, into a folder of the world. */
static char *unpack(struct world *world, const char *environment)
{
	AUTO(free) char *file = xasprintf("%s/bundle.tar.gz", world->folder);
	char *folder = xasprintf("%s/bundle", world->folder);
	AUTO(free)
	char *command = xasprintf("rm -rf %s && mkdir %s && tar -xzf %s -C %s --strip-components=1",
				  folder, folder, file, folder);

	assert_int_equal(world_envctl(world, NULL, "evidence", environment, "-O", file, NULL), 0);
	assert_int_equal(system(command), 0);
	return folder;
}

static char *read_in(const char *folder, const char *name)
{
	AUTO(free) char *path = path_join(folder, name);
	char *bytes;
	struct error err;

	if (!file_read(path, 64 << 20, &bytes, NULL, &err))
		fail_msg("%s", err.message);
	return bytes;
}

static void assert_in(const char *folder, const char *name, const char *words)
{
	AUTO(free) char *bytes = read_in(folder, name);

	if (!strstr(bytes, words))
		fail_msg("%s does not say \"%s\": %.2000s", name, words, bytes);
}

static void assert_nowhere(const char *folder, const char *words)
{
	AUTO(free) char *command = xasprintf("grep -rl -e '%s' %s", words, folder);

	if (system(command) == 0)
		fail_msg("\"%s\" is in the bundle", words);
}

struct subject {
	struct world *world;
	const char *id;
};

static bool nothing_is_left(void *arg)
{
	const struct subject *subject = arg;

	return world_count(subject->world, "envd-environment", subject->id) == 0;
}

static bool evidence_is_taken(void *arg)
{
	const struct subject *subject = arg;
	AUTO(json_decref) json_t *env = get(subject->world, subject->id, "");

	return strcmp(json_get_string(json_object_get(env, "evidence"), "state", ""), "taken") == 0;
}

static void await_evidence(struct world *world, const char *id)
{
	assert_true(eventually(evidence_is_taken, &(struct subject){ world, id }, 40000));
}

/* ---- stories ---- */

static void evidence_of_a_bad_check_outlives_the_environment(void **state)
{
	struct world *world = *state;
	AUTO(free) char *folder = NULL;
	AUTO(json_decref) json_t *env = NULL;
	char id[37];

	world_start(world);
	create(world, "bad", "e1", NULL, NULL, id);
	world_wait(world, id, "destroyed", 60000);
	assert_int_equal(world_count(world, "envd-environment", id), 0);
	env = get(world, id, "");
	assert_string_equal(json_get_string(json_object_get(env, "evidence"), "state", ""),
			    "taken");
	folder = unpack(world, id);
	assert_in(folder, "logs/web.log", "the ledger is out of balance");
	assert_in(folder, "logs/web.log", "starting with ***");
	assert_in(folder, "report.md", "goodbye");
	assert_in(folder, "report.json", "check_failed");
	assert_in(folder, "junit.xml", "<failure");
	assert_in(folder, "lock.json", "busybox");
	assert_in(folder, "history.jsonl", "smoke checks failed");
	assert_in(folder, "runtime.json", "visible-value"); /* it was alive when it was looked at */
	assert_in(folder, "runtime.json", "httpd");
	assert_in(folder, "services.json", "healthy");
	assert_nowhere(folder, CANARY_VARIABLE);
	assert_nowhere(folder, CANARY_HEADER);
	assert_nowhere(folder, CANARY_URL);
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
	log = read_in(world->folder, "log");
	assert_non_null(strstr(log, "envctl evidence e1"));
	world_wait(world, "e1", "destroyed", 60000);
	folder = unpack(world, "e1");
	assert_in(folder, "logs/web.log", "the database is on fire");
	assert_in(folder, "report.json", "create_failed");
	assert_int_equal(world_envctl(world, &report, "report", "e1", NULL), 0);
	assert_non_null(strstr(report, "envctl evidence e1"));
}

static void what_failed_is_kept_and_its_own_lease_ends_it_with_envd_dead(void **state)
{
	struct world *world = *state;
	AUTO(json_decref) json_t *extend = json_pack("{s:s}", "extend", "2h");
	AUTO(json_decref) json_t *kept = NULL;
	AUTO(json_decref) json_t *gone = NULL;
	AUTO(free) char *folder = NULL;
	AUTO(free) char *logs = NULL;
	AUTO(free) char *listed = NULL;
	char id[37];
	int status;

	world_argument(world, "--lease-grace=0s");
	world_start(world);
	create(world, "bad", "e1", "on-failure=15s", NULL, id);
	world_wait(world, id, "failed", 60000);
	kept = get(world, id, "");
	assert_string_equal(json_get_string(kept, "reason", ""), "check_failed");
	assert_string_equal(json_get_string(kept, "desired", ""), "present");
	assert_true(json_has(json_object_get(kept, "kept"), "until"));
	assert_true(history_has(world, id, "to be looked at"));
	assert_int_equal(world_envctl(world, &logs, "logs", "e1", NULL), 0);
	assert_non_null(strstr(logs, "the ledger is out of balance"));
	assert_int_equal(world_envctl(world, &listed, "list", NULL), 0);
	assert_non_null(strstr(listed, "failed (kept)"));
	json_decref(world_ask(world, "PATCH", "/v1/environments/e1/lease", extend, &status));
	assert_int_equal(status, 400);
	assert_true(world_count(world, "envd-environment", id) > 0);
	await_evidence(world, id);
	world_end(world, SIGKILL);
	assert_true(eventually(nothing_is_left, &(struct subject){ world, id }, 60000));
	world_start(world);
	world_wait(world, id, "destroyed", 30000);
	gone = get(world, id, "");
	assert_string_equal(json_get_string(gone, "reason", ""), "check_failed");
	assert_true(history_has(world, id, "the time to look at it has ended"));
	folder = unpack(world, id);
	assert_in(folder, "logs/web.log", "the ledger is out of balance");
}

/* ---- with an engine that can hang ---- */

static const char fake_template[] =
    "apiVersion: envd/v1\n"
    "name: fake\n"
    "engine: external\n"
    "source: fake_engine\n"
    "parameters: { fake: { type: string, default: '' } }\n"
    "limits: { attempts: 1, lease: { default: 10m, minimum: 10s, maximum: 1h } }\n"
    "price: { per_hour: 0.36, currency: USD }\n";

static char *fake_folder(const struct world *world)
{
	return path_join(world->folder, "fake");
}

static int with_fake_engine(void **state)
{
	struct world *world = world_new("ENVD_TEST_PODMAN");
	AUTO(free) char *bytes = NULL, *path = NULL, *folder = fake_folder(world);
	struct error err;
	size_t length;

	world_write(world, "fake", "template.yaml", fake_template);
	path = xasprintf("%s/fake/fake_engine", world->templates);
	assert_true(file_read("tests/support/fake_engine", 1 << 20, &bytes, &length, &err));
	assert_true(file_write_atomically(path, bytes, length, 0755, &err));
	assert_true(folder_make(folder, 0755, &err));
	setenv("ENVD_EXTERNAL_FAKE_WORLD", folder, 1);
	*state = world;
	return 0;
}

static bool no_thing_is_left(void *arg)
{
	AUTO(free) char *folder = fake_folder(arg);
	AUTO(free) char *command = xasprintf("test -z \"$(ls %s/items)\"", folder);

	return system(command) == 0;
}

static void an_engine_that_hangs_costs_its_part_and_the_rest_is_kept(void **state)
{
	struct world *world = *state;
	AUTO(free) char *folder = NULL;
	char id[37];

	world_argument(world, "--evidence-limit=6s");
	world_start(world);
	create(world, "fake", "e1", NULL, "create=half,inspect=hang", id);
	world_wait(world, id, "destroyed", 60000);
	assert_true(no_thing_is_left(world));
	folder = unpack(world, id);
	assert_in(folder, "EVIDENCE.json", "it took too long and was given up");
	assert_in(folder, "report.json", "create_failed");
	assert_in(folder, "history.jsonl", "only half of it could be made");
}

static bool evidence_is_under_way(void *arg)
{
	AUTO(free) char *folder = fake_folder(arg);
	AUTO(free) char *command = xasprintf("grep -q '^inspect' %s/calls", folder);

	return system(command) == 0;
}

static void with_envd_dead_nothing_waits_for_evidence(void **state)
{
	struct world *world = *state;
	AUTO(json_decref) json_t *gone = NULL;
	char id[37];

	world_start(world);
	create(world, "fake", "e1", NULL, "create=half,inspect=hang", id);
	assert_true(eventually(evidence_is_under_way, world, 30000));
	world_end(world, SIGKILL);
	assert_true(eventually(no_thing_is_left, world, 60000));
	world_start(world);
	world_wait(world, id, "destroyed", 30000);
	gone = get(world, id, "");
	assert_string_equal(json_get_string(gone, "reason", ""), "create_failed");
}

static void a_restart_in_the_middle_takes_the_evidence_all_the_same(void **state)
{
	struct world *world = *state;
	AUTO(free) char *folder = NULL;
	char id[37];

	world_start(world);
	create(world, "fake", "e1", "on-failure=5m", "create=half,inspect=slow:3000", id);
	assert_true(eventually(evidence_is_under_way, world, 30000));
	world_end(world, SIGKILL);
	world_start(world);
	await_evidence(world, id);
	folder = unpack(world, id);
	assert_in(folder, "report.json", "create_failed");
}

/* ---- of one that lives ---- */

static void evidence_of_a_ready_environment_is_taken_when_asked_for(void **state)
{
	struct world *world = *state;
	AUTO(free) char *folder = NULL;
	AUTO(free) char *body = NULL;
	char id[37], state_now[32];

	world_write(world, "small", "compose.yaml", talkative);
	world_start(world);
	create(world, "small", "e1", NULL, NULL, id);
	world_wait(world, id, "ready", 60000);
	assert_int_equal(
	    http_ask(world->socket, "GET", "/v1/environments/e1/evidence", NULL, NULL, &body), 404);
	assert_non_null(strstr(body, "no_evidence"));
	folder = unpack(world, "e1");
	assert_in(folder, "logs/web.log", "the ledger is out of balance");
	assert_nowhere(folder, CANARY_VARIABLE);
	world_state(world, id, state_now);
	assert_string_equal(state_now, "ready");
}

static void the_oldest_evidence_makes_room_for_the_newest(void **state)
{
	struct world *world = *state;
	AUTO(free) char *folder = NULL;
	AUTO(free) char *older = xasprintf("%s/evidence/older.tar.gz", world->data);
	AUTO(free) char *own = NULL;
	AUTO(free) char *fill = xasprintf("head -c 900000 /dev/urandom > %s", older);
	char id[37];

	/* What cannot be compressed fills a bundle to its bound. */
	world_write(world, "bad", "compose.yaml",
		    "services:\n"
		    "  web:\n"
		    "    image: ${WEB_IMAGE:-localhost/envd-test/busybox:1}\n"
		    "    command: [sh, -c, 'head -c 1100000 /dev/urandom | base64;"
		    " echo the last words; mkdir -p /www; echo hello > /www/index.html;"
		    " exec httpd -f -p 80 -h /www']\n"
		    "    ports: ['80']\n"
		    "    healthcheck: { test: [CMD, test, -f, /www/index.html], interval: 100ms, "
		    "retries: 50 }\n");
	world_argument(world, "--evidence-size=1");
	world_argument(world, "--evidence-total=1");
	world_start(world);
	assert_int_equal(system(fill), 0);
	create(world, "bad", "e1", NULL, NULL, id);
	world_wait(world, id, "destroyed", 60000);
	assert_false(file_exists(older));
	folder = unpack(world, id);
	assert_in(folder, "logs/web.log", "the last words");
	assert_in(folder, "logs/web.log", "earlier lines were left out");
	own = xasprintf("%s/evidence/%s.tar.gz", world->data, id);
	assert_int_equal(unlink(own), 0);
	assert_int_equal(world_envctl(world, NULL, "evidence", id, NULL), 6);
}

#define ON_PODMAN(test) cmocka_unit_test_setup_teardown(test, on_podman, close_world)
#define ON_DOCKER(test) { #test " (docker)", test, on_docker, close_world, NULL }
#define WITH_FAKE(test) cmocka_unit_test_setup_teardown(test, with_fake_engine, close_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_PODMAN(evidence_of_a_bad_check_outlives_the_environment),
		ON_DOCKER(evidence_of_a_bad_check_outlives_the_environment),
		ON_PODMAN(evidence_of_a_failed_build_has_the_last_words),
		ON_PODMAN(what_failed_is_kept_and_its_own_lease_ends_it_with_envd_dead),
		WITH_FAKE(an_engine_that_hangs_costs_its_part_and_the_rest_is_kept),
		WITH_FAKE(with_envd_dead_nothing_waits_for_evidence),
		WITH_FAKE(a_restart_in_the_middle_takes_the_evidence_all_the_same),
		ON_PODMAN(evidence_of_a_ready_environment_is_taken_when_asked_for),
		ON_PODMAN(the_oldest_evidence_makes_room_for_the_newest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
