/*
 * The container runtime's API service dies, hangs, or restarts in the middle: Podman's is killed
 * with SIGKILL, dockerd is restarted cleanly. Each test has a runtime of its own.
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
#include "tests/support/eventually.h"
#include "tests/support/http_client.h"
#include "tests/support/world.h"

static char runtime_folder[64];

static bool succeeds(const char *program, const char *argument)
{
	const char *source = getenv("ENVD_SOURCE");
	AUTO(free) char *command = NULL;

	if (!source)
		fail_msg("ENVD_SOURCE is not set: run the tests with tests/run");
	command = xasprintf("cd %s && %s %s >>%s.log 2>&1 </dev/null", source, program, argument,
			    runtime_folder);
	return system(command) == 0;
}

static void run(const char *program, const char *argument)
{
	if (!succeeds(program, argument))
		fail_msg("%s %s failed; see %s.log", program, argument, runtime_folder);
}

/* dockerd sometimes waits in vain for its containerd when it was stopped a moment ago. */
static void start_runtime(const char *kind)
{
	AUTO(free) char *command = xasprintf("ci/local/runtime %s", kind);

	for (int tries = 0; tries < 3; tries++)
		if (succeeds(command, runtime_folder))
			return;
	fail_msg("no runtime could be started; see %s.log", runtime_folder);
}

static int open_world(void **state, const char *kind, const char *socket)
{
	AUTO(free) char *path = NULL;
	struct world *world;

	snprintf(runtime_folder, sizeof(runtime_folder), "/tmp/envd-runtime-XXXXXX");
	assert_non_null(mkdtemp(runtime_folder));
	start_runtime(kind);
	path = path_join(runtime_folder, socket);
	run("tests/support/busybox-image", path);
	setenv("ENVD_TEST_OWN", path, 1);
	world = world_new("ENVD_TEST_OWN");
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
	return open_world(state, "--own", "podman.sock");
}

static int on_docker(void **state)
{
	return open_world(state, "--own --docker", "docker.sock");
}

static int close_world(void **state)
{
	AUTO(free) char *log = xasprintf("%s.log", runtime_folder);
	struct error ignored; /* a folder that stays is only untidy */

	world_free(*state);
	run("ci/local/runtime --stop", runtime_folder);
	unlink(log);
	if (!folder_remove(runtime_folder, &ignored))
		print_message("%s\n", ignored.message);
	return 0;
}

static pid_t service_pid(const char *name)
{
	AUTO(free) char *path = path_join(runtime_folder, name);
	AUTO(free) char *text = NULL;
	struct error err;

	if (!file_read(path, 64, &text, NULL, &err))
		fail_msg("%s", err.message);
	return (pid_t)atoi(text);
}

static void kill_podman(void)
{
	AUTO(free) char *socket = path_join(runtime_folder, "podman.sock");

	assert_int_equal(kill(service_pid("podman.pid"), SIGKILL), 0);
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
	start_runtime("--own");
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
	start_runtime("--own");
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
	start_runtime("--own");
	world_wait(world, id, "destroyed", 90000);
	assert_int_equal(world_count(world, "envd-environment", id), 0);
}

static void docker_restarted_while_building_is_survived(void **state)
{
	struct world *world = *state;
	char id[37];

	world_create(world, "small", "e1", "10m", id);
	wait_for_the_middle(world, id);
	run("ci/local/runtime --stop", runtime_folder);
	start_runtime("--own --docker");
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
