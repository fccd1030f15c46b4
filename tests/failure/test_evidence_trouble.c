/*
 * Taking evidence when that goes wrong: an engine that hangs, envd killed in the middle, no room.
 * The claim: nothing waits for it longer than it may, and what there is is kept.
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

#include "base/files.h"
#include "base/json_read.h"
#include "base/text.h"
#include "tests/support/eventually.h"
#include "tests/support/evidence_look.h"
#include "tests/support/fake_world.h"

static char *fake_folder(const struct world *world)
{
	return path_join(world->folder, "fake");
}

static int with_fake_engine(void **state)
{
	*state = fake_world_new();
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
	evidence_create(world, "fake", "e1", NULL, "create=half,inspect=hang", id);
	world_wait(world, id, "destroyed", 60000);
	assert_true(no_thing_is_left(world));
	folder = evidence_unpack(world, id);
	evidence_assert_in(folder, "EVIDENCE.json", "it took too long and was given up");
	evidence_assert_in(folder, "report.json", "create_failed");
	evidence_assert_in(folder, "history.jsonl", "only half of it could be made");
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
	evidence_create(world, "fake", "e1", NULL, "create=half,inspect=hang", id);
	assert_true(eventually(evidence_is_under_way, world, 30000));
	world_end(world, SIGKILL);
	assert_true(eventually(no_thing_is_left, world, 60000));
	world_start(world);
	world_wait(world, id, "destroyed", 30000);
	gone = evidence_get(world, id, "");
	assert_string_equal(json_get_string(gone, "reason", ""), "create_failed");
}

static void a_restart_in_the_middle_takes_the_evidence_all_the_same(void **state)
{
	struct world *world = *state;
	AUTO(free) char *folder = NULL;
	char id[37];

	world_start(world);
	evidence_create(world, "fake", "e1", "on-failure=5m", "create=half,inspect=slow:3000", id);
	assert_true(eventually(evidence_is_under_way, world, 30000));
	world_end(world, SIGKILL);
	world_start(world);
	evidence_await(world, id);
	folder = evidence_unpack(world, id);
	evidence_assert_in(folder, "report.json", "create_failed");
}

static int with_containers(void **state)
{
	struct world *world = world_new("ENVD_TEST_PODMAN");

	world_write_small_template(world, "bad", true);
	world_write(world, "bad", "checks.yaml",
		    "apiVersion: envd/v1\nkind: CheckPlan\nname: small\n"
		    "defaults: { base: '${url}', timeout: 5s }\nstages: [app]\n"
		    "smoke:\n  - name: hello\n    stage: app\n"
		    "    steps: [ { http: { path: / }, expect: [ \"body contains 'goodbye'\" ] } "
		    "]\n");
	*state = world;
	return 0;
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
	evidence_create(world, "bad", "e1", NULL, NULL, id);
	world_wait(world, id, "destroyed", 60000);
	assert_false(file_exists(older));
	folder = evidence_unpack(world, id);
	evidence_assert_in(folder, "logs/web.log", "the last words");
	evidence_assert_in(folder, "logs/web.log", "earlier lines were left out");
	own = xasprintf("%s/evidence/%s.tar.gz", world->data, id);
	assert_int_equal(unlink(own), 0);
	assert_int_equal(world_envctl(world, NULL, "evidence", id, NULL), 6);
}

static void what_failed_is_kept_and_its_own_lease_ends_it_with_envd_dead(void **state)
{
	struct world *world = *state;
	AUTO(json_decref) json_t *gone = NULL;
	AUTO(free) char *folder = NULL;
	char id[37];

	world_argument(world, "--lease-grace=0s");
	world_start(world);
	evidence_create(world, "bad", "e1", "on-failure=15s", NULL, id);
	world_wait(world, id, "failed", 60000);
	assert_true(world_count(world, "envd-environment", id) > 0);
	evidence_await(world, id);
	world_end(world, SIGKILL);
	assert_true(
	    eventually(evidence_nothing_is_left, &(struct evidence_subject){ world, id }, 60000));
	world_start(world);
	world_wait(world, id, "destroyed", 30000);
	gone = evidence_get(world, id, "");
	assert_string_equal(json_get_string(gone, "reason", ""), "check_failed");
	assert_true(evidence_history_has(world, id, "the time to look at it has ended"));
	folder = evidence_unpack(world, id);
	evidence_assert_in(folder, "report.json", "check_failed");
}

#define WITH_CONTAINERS(test) cmocka_unit_test_setup_teardown(test, with_containers, world_close)
#define WITH_FAKE(test) cmocka_unit_test_setup_teardown(test, with_fake_engine, world_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FAKE(an_engine_that_hangs_costs_its_part_and_the_rest_is_kept),
		WITH_FAKE(with_envd_dead_nothing_waits_for_evidence),
		WITH_FAKE(a_restart_in_the_middle_takes_the_evidence_all_the_same),
		WITH_CONTAINERS(the_oldest_evidence_makes_room_for_the_newest),
		WITH_CONTAINERS(what_failed_is_kept_and_its_own_lease_ends_it_with_envd_dead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
