/*
 * kill -9 of envd, of envd-reaper, of workers, and SIGSTOP at a bad moment, while real containers
 * are built, checked and destroyed. The claim is always the same: started again, the environment
 * becomes ready or is proved gone; never two, never none. The witness is the runtime, not our
 * store.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/json_read.h"
#include "tests/support/eventually.h"
#include "tests/support/http_client.h"
#include "tests/support/stop_in_syscall.h"
#include "tests/support/world.h"

static int open_world(void **state)
{
	struct world *world = world_new("ENVD_TEST_PODMAN");

	world_write_small_template(world, "small", true);
	world_argument(world, "--destroy-retry=500ms");
	*state = world;
	return 0;
}

static void destroy(struct world *world, const char *environment)
{
	AUTO(free) char *target = xasprintf("/v1/environments/%s", environment);

	http_ask(world->socket, "DELETE", target, NULL, NULL, NULL);
}

/* A template that takes a while, so that there is a middle to be killed in. */
static void write_slow_template(struct world *world)
{
	world_write(
	    world, "small", "compose.yaml",
	    "services:\n"
	    "  first:\n"
	    "    image: localhost/envd-test/busybox:1\n"
	    "    command: [sh, -c, 'sleep 1; touch /tmp/done; exec sleep 100000']\n"
	    "    healthcheck: { test: [CMD, test, -f, /tmp/done], interval: 100ms, retries: 100 }\n"
	    "  web:\n"
	    "    image: ${WEB_IMAGE:-localhost/envd-test/busybox:1}\n"
	    "    depends_on: { first: { condition: service_healthy } }\n"
	    "    command: [sh, -c, 'mkdir -p /www; echo hello > /www/index.html; exec httpd -f -p "
	    "80 -h /www']\n"
	    "    ports: ['80']\n");
}

struct thing_count {
	struct world *world;
	const char *id;
	size_t wanted;
};

static bool has_at_least(void *arg)
{
	struct thing_count *count = arg;

	return world_count(count->world, "envd-environment", count->id) >= count->wanted;
}

static void wait_for_things(struct world *world, const char *id, size_t wanted)
{
	struct thing_count count = { world, id, wanted };

	assert_true(eventually(has_at_least, &count, 15000));
}

/* Everything that it needs is there once: two containers and a network. */
static void assert_ready_and_single(struct world *world, const char *id)
{
	world_wait(world, id, "ready", 60000);
	assert_int_equal(world_count(world, "envd-environment", id), 3);
}

static void assert_gone(struct world *world, const char *id, int64_t limit_ms)
{
	world_wait(world, id, "destroyed", limit_ms);
	assert_int_equal(world_count(world, "envd-environment", id), 0);
}

/* True if something with this in its command line was killed. */
static bool kill_one(void *needle)
{
	AUTO(closedir) DIR *proc = opendir("/proc");
	struct dirent *entry;
	bool killed = false;

	while (proc && (entry = readdir(proc))) {
		AUTO(free) char *path = xasprintf("/proc/%s/cmdline", entry->d_name);
		AUTO(free) char *line = NULL;
		struct error ignored; /* gone meanwhile, or no process */
		size_t length;

		if (atoi(entry->d_name) <= 0 || !file_read(path, 65536, &line, &length, &ignored))
			continue;
		for (size_t i = 0; i + 1 < length; i++)
			if (!line[i])
				line[i] = ' ';
		if (strstr(line, needle) && kill(atoi(entry->d_name), SIGKILL) == 0)
			killed = true;
	}
	return killed;
}

/* There must be one to be killed, or the story was not told. */
static void kill_by_needle(char *needle)
{
	assert_true(eventually(kill_one, needle, 5000));
}

static void envd_killed_while_building_goes_on_with_the_same_environment(void **state)
{
	struct world *world = *state;
	char id[37];

	write_slow_template(world);
	world_start(world);
	world_create(world, "small", "e1", "10m", id);
	wait_for_things(world, id, 2);
	world_end(world, SIGKILL);
	world_start(world);
	assert_ready_and_single(world, id);
}

static void a_worker_killed_while_building_leaves_one_or_none(void **state)
{
	struct world *world = *state;
	AUTO(free) char *needle = xasprintf("envd-worker %s", world->data);
	char id[37];

	write_slow_template(world);
	world_start(world);
	world_create(world, "small", "e1", "10m", id);
	wait_for_things(world, id, 2);
	kill_by_needle(needle);
	assert_ready_and_single(world, id);
}

static void envd_and_its_worker_killed_together_are_recovered_from(void **state)
{
	struct world *world = *state;
	AUTO(free) char *needle = xasprintf("envd-worker %s", world->data);
	char id[37];

	write_slow_template(world);
	world_start(world);
	world_create(world, "small", "e1", "10m", id);
	wait_for_things(world, id, 2);
	world_end(world, SIGKILL);
	kill_by_needle(needle);
	world_start(world);
	assert_ready_and_single(world, id);
}

static void envd_killed_while_checking_checks_again(void **state)
{
	struct world *world = *state;
	char id[37];

	world_write(world, "small", "checks.yaml",
		    "apiVersion: envd/v1\nkind: CheckPlan\nname: small\n"
		    "defaults: { base: '${url}', timeout: 5s }\nstages: [app]\n"
		    "smoke:\n  - name: slow\n    stage: app\n"
		    "    exec: { service: web, argv: [sleep, '1'], timeout: 5s }\n    expect: [ "
		    "'exit == 0' ]\n");
	world_start(world);
	world_create(world, "small", "e1", "10m", id);
	world_wait(world, id, "checking", 30000);
	world_end(world, SIGKILL);
	world_start(world);
	assert_ready_and_single(world, id);
}

static void the_reaper_killed_while_destroying_is_started_again_and_proves(void **state)
{
	struct world *world = *state;
	char id[37];

	world_start(world);
	world_create(world, "small", "e1", "10m", id);
	world_wait(world, id, "ready", 30000);
	destroy(world, id);
	world_wait(world, id, "destroying", 5000);
	world_kill_reaper(world);
	assert_gone(world, id, 60000);
}

static void a_destroying_worker_killed_is_tried_again(void **state)
{
	struct world *world = *state;
	AUTO(free) char *needle = xasprintf("envd-worker %s", world->data);
	char id[37];

	world_start(world);
	world_create(world, "small", "e1", "10m", id);
	world_wait(world, id, "ready", 30000);
	destroy(world, id);
	world_wait(world, id, "destroying", 5000);
	kill_by_needle(needle);
	assert_gone(world, id, 60000);
}

static void an_unwanted_build_is_stopped_and_removed(void **state)
{
	struct world *world = *state;
	char id[37];

	write_slow_template(world);
	world_start(world);
	world_create(world, "small", "e1", "10m", id);
	wait_for_things(world, id, 2);
	destroy(world, id);
	assert_gone(world, id, 60000);
}

/* ---- the reaper alone: nobody but the runtime can be asked ---- */

struct emptiness {
	struct world *world;
	const char *id;
};

static bool is_empty(void *arg)
{
	struct emptiness *empty = arg;

	return world_count(empty->world, "envd-environment", empty->id) == 0;
}

static void assert_empties(struct world *world, const char *id, int64_t limit_ms)
{
	struct emptiness empty = { world, id };

	if (!eventually(is_empty, &empty, limit_ms))
		fail_msg("%zu things are still there (log: %s/log)",
			 world_count(world, "envd-environment", id), world->folder);
}

static void ready_with_short_lease(struct world *world, char id[37])
{
	world_argument(world, "--lease-grace=0s");
	world_start(world);
	world_create(world, "small", "e1", "10s", id);
	world_wait(world, id, "ready", 30000);
}

/* Half of the time after which a reaper would look by itself. */
static void what_a_dead_envd_was_building_is_taken_over_at_once(void **state)
{
	struct world *world = *state;
	char id[37];

	write_slow_template(world);
	world_start(world);
	world_create(world, "small", "e1", "10m", id);
	wait_for_things(world, id, 2);
	destroy(world, id);
	world_end(world, SIGKILL);
	assert_empties(world, id, 15000);
}

static void a_lease_ends_on_time_with_envd_dead(void **state)
{
	struct world *world = *state;
	int64_t started = clock_mono_ms();
	char id[37];

	ready_with_short_lease(world, id);
	world_end(world, SIGKILL);
	assert_empties(world, id, 30000);
	/* Not early either: it was in use until then. */
	assert_true(clock_mono_ms() - started >= 10000);
	/* Nothing is owed any more, so the reaper has ended by itself when the world is torn down.
	 */
	world_start(world);
	assert_gone(world, id, 5000);
}

static void a_lease_that_ends_with_envd_dead_gets_one_grace(void **state)
{
	struct world *world = *state;
	AUTO(free) char *history = NULL;
	char id[37];

	world_argument(world, "--lease-grace=6s");
	world_start(world);
	world_create(world, "small", "e1", "10s", id);
	world_wait(world, id, "ready", 30000);
	world_end(world, SIGKILL);
	assert_empties(world, id, 40000);
	world_start(world);
	http_ask(world->socket, "GET", "/v1/environments/e1/history?limit=200", NULL, NULL,
		 &history);
	assert_non_null(strstr(history, "grace until"));
}

static void a_lease_ends_on_time_with_envd_stopped(void **state)
{
	struct world *world = *state;
	char id[37];

	ready_with_short_lease(world, id);
	kill(world->envd, SIGSTOP);
	assert_empties(world, id, 40000);
}

/* The store's lock, tried by another process: this one may not be the one to hold it. */
static bool store_is_locked(void *arg)
{
	struct world *world = arg;
	AUTO(free) char *path = path_join(world->data, "store.lock");
	int fd = open(path, O_RDWR | O_CLOEXEC);
	bool is_locked = flock(fd, LOCK_EX | LOCK_NB) != 0;

	close(fd);
	return is_locked;
}

/* Something to write, asked for without waiting for an answer that will not come. */
static void ask_for_a_commit(void *arg)
{
	static const char request[] = "PATCH /v1/environments/e1/lease HTTP/1.1\r\nHost: test\r\n"
				      "Content-Type: application/json\r\nContent-Length: 18\r\n\r\n"
				      "{\"at_least\":\"10s\"}";
	struct world *world = arg;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd =
	    socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0); /* left open: the client waits, too */

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", world->socket);
	assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(send(fd, request, sizeof(request) - 1, 0), sizeof(request) - 1);
}

static void a_lease_ends_with_envd_stopped_in_the_middle_of_a_commit(void **state)
{
	static const long syncs[] = { SYS_fdatasync, SYS_fsync };
	struct world *world = *state;
	char id[37];

	ready_with_short_lease(world, id);
	assert_true(stop_in_syscall(world->envd, syncs, ARRAY_SIZE(syncs), store_is_locked,
				    ask_for_a_commit, world, 8000));
	assert_true(store_is_locked(world));
	assert_empties(world, id, 60000);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, open_world, world_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(envd_killed_while_building_goes_on_with_the_same_environment),
		TEST(a_worker_killed_while_building_leaves_one_or_none),
		TEST(envd_and_its_worker_killed_together_are_recovered_from),
		TEST(envd_killed_while_checking_checks_again),
		TEST(the_reaper_killed_while_destroying_is_started_again_and_proves),
		TEST(a_destroying_worker_killed_is_tried_again),
		TEST(an_unwanted_build_is_stopped_and_removed),
		TEST(what_a_dead_envd_was_building_is_taken_over_at_once),
		TEST(a_lease_ends_on_time_with_envd_dead),
		TEST(a_lease_that_ends_with_envd_dead_gets_one_grace),
		TEST(a_lease_ends_on_time_with_envd_stopped),
		TEST(a_lease_ends_with_envd_stopped_in_the_middle_of_a_commit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
