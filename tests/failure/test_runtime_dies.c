/*
 * The container runtime's API service dies, hangs, or restarts in the middle: Podman's is killed
 * with SIGKILL, dockerd is restarted cleanly. Each test has a runtime of its own.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/json_read.h"
#include "tests/support/eventually.h"
#include "tests/support/http_client.h"
#include "tests/support/own_runtime.h"
#include "tests/support/world.h"

#define PODMAN "ci/local/runtime --own"
#define DOCKER "ci/local/runtime --own --docker"

static int open_world(void **state, const char *program, const char *socket)
{
	struct world *world = own_runtime_open(program, socket);

	world_write_small_template(world, "small", true);
	world_write(
	    world, "small", "compose.yaml",
	    "services:\n"
	    "  first:\n"
	    "    image: localhost/envd-test/busybox:1\n"
	    "    command: [sh, -c, 'sleep 2; touch /tmp/done; exec sleep 100000']\n"
	    "    healthcheck: { test: [CMD, test, -f, /tmp/done], interval: 100ms, retries: 100 }\n"
	    "  web:\n"
	    "    image: ${WEB_IMAGE:-localhost/envd-test/busybox:1}\n"
	    "    depends_on: { first: { condition: service_healthy } }\n"
	    "    command: [sh, -c, 'mkdir -p /www; echo hello > /www/index.html; exec httpd -f -p "
	    "80 -h /www']\n"
	    "    ports: ['80']\n");
	world_argument(world, "--destroy-retry=500ms");
	world_start(world);
	*state = world;
	return 0;
}

static int on_podman(void **state)
{
	return open_world(state, PODMAN, "podman.sock");
}

static int on_docker(void **state)
{
	return open_world(state, DOCKER, "docker.sock");
}

static int close_world(void **state)
{
	own_runtime_close(*state);
	return 0;
}

static void kill_podman(void)
{
	AUTO(free) char *socket = own_runtime_path("podman.sock");

	assert_int_equal(kill(own_runtime_pid("podman.pid"), SIGKILL), 0);
	unlink(socket);
}

struct thing_count {
	struct world *world;
	const char *id;
};

static bool has_two_things(void *arg)
{
	struct thing_count *count = arg;

	return world_count(count->world, "envd-environment", count->id) >= 2;
}

static void wait_for_the_middle(struct world *world, const char *id)
{
	struct thing_count count = { world, id };

	assert_true(eventually(has_two_things, &count, 20000));
}

static void destroy(struct world *world, const char *id)
{
	AUTO(free) char *target = xasprintf("/v1/environments/%s", id);

	http_ask(world->socket, "DELETE", target, NULL, NULL, NULL);
}

/* Ready with exactly what it needs, or proved gone with nothing left: never two, never none. */
static void assert_ready_or_gone(struct world *world, const char *id)
{
	char current[32] = "";

	for (int i = 0; i < 2; i++) {
		struct thing_count count = { world, id };

		world_state(world, id, current);
		if (strcmp(current, "ready") == 0 || strcmp(current, "destroyed") == 0)
			break;
		if (strcmp(current, "destroying") == 0)
			world_wait(world, id, "destroyed", 90000);
		else if (has_two_things(&count) || i == 0)
			world_wait(world, id, "ready", 90000);
	}
	world_state(world, id, current);
	assert_int_equal(world_count(world, "envd-environment", id),
			 strcmp(current, "ready") == 0 ? 3 : 0);
}

static void podman_killed_while_building_is_survived(void **state)
{
	struct world *world = *state;
	char id[37];

	world_create(world, "small", "e1", "10m", id);
	wait_for_the_middle(world, id);
	kill_podman();
	own_runtime_start(PODMAN);
	assert_ready_or_gone(world, id);
}

static void podman_killed_while_destroying_is_survived(void **state)
{
	struct world *world = *state;
	char id[37];

	world_create(world, "small", "e1", "10m", id);
	world_wait(world, id, "ready", 30000);
	destroy(world, id);
	world_wait(world, id, "destroying", 5000);
	kill_podman();
	own_runtime_start(PODMAN);
	world_wait(world, id, "destroyed", 90000);
	assert_int_equal(world_count(world, "envd-environment", id), 0);
}

static void a_runtime_that_is_gone_for_long_leaves_it_destroying_never_gone(void **state)
{
	struct world *world = *state;
	AUTO(json_decref) json_t *env = NULL;
	char id[37];

	world_create(world, "small", "e1", "10m", id);
	world_wait(world, id, "ready", 30000);
	kill_podman();
	destroy(world, id);
	world_wait(world, id, "destroying", 5000);
	env = world_ask(world, "GET", "/v1/environments/e1", NULL, NULL);
	assert_string_equal(json_get_string(env, "state", ""), "destroying");
	own_runtime_start(PODMAN);
	world_wait(world, id, "destroyed", 90000);
	assert_int_equal(world_count(world, "envd-environment", id), 0);
}

static void docker_restarted_while_building_is_survived(void **state)
{
	struct world *world = *state;
	char id[37];

	world_create(world, "small", "e1", "10m", id);
	wait_for_the_middle(world, id);
	own_runtime_stop();
	own_runtime_start(DOCKER);
	assert_ready_or_gone(world, id);
}

#define ON_PODMAN(test) cmocka_unit_test_setup_teardown(test, on_podman, close_world)
#define ON_DOCKER(test) cmocka_unit_test_setup_teardown(test, on_docker, close_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_PODMAN(podman_killed_while_building_is_survived),
		ON_PODMAN(podman_killed_while_destroying_is_survived),
		ON_PODMAN(a_runtime_that_is_gone_for_long_leaves_it_destroying_never_gone),
		ON_DOCKER(docker_restarted_while_building_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
