/*
 * Podman's name server goes astray: a second one is started and the first keeps an address, with
 * old names. Here it loses the file that says which process it is, which is what happens when one
 * environment begins in the moment in which the last one ends. The Podman is the test's own.
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
#include "tests/support/own_runtime.h"

#define IMAGE "    image: localhost/envd-test/busybox:1\n"
#define SERVE "    command: [httpd, -f, -p, '80', -h, /www]\n"

static pid_t stray;

/* The name server's own folder, as the test's Podman sees it. */
static char *pid_file(void)
{
	return xasprintf("/proc/%d/root/run/containers/networks/aardvark-dns/aardvark.pid",
			 (int)own_runtime_pid("podman.pid"));
}

static pid_t name_server(void)
{
	AUTO(free) char *path = pid_file();
	AUTO(free) char *text = NULL;
	struct error err;

	return file_read(path, 64, &text, NULL, &err) ? (pid_t)atoi(text) : 0;
}

static void write_template(struct world *world, const char *name, const char *compose)
{
	AUTO(free)
	char *template = xasprintf("apiVersion: envd/v1\nname: %s\nengine: container\n"
				   "source: compose.yaml\n"
				   "limits: { provision: 2m, attempts: 2 }\n",
				   name);

	world_write(world, name, "template.yaml", template);
	world_write(world, name, "compose.yaml", compose);
}

/* After an environment with these names, the first of the two name servers knows them for ever. */
static void let_one_go_astray(struct world *world)
{
	AUTO(free) char *path = pid_file();
	char id[37];

	world_create(world, "pair", "before", "10m", id);
	world_wait(world, id, "ready", 60000);
	stray = name_server();
	assert_true(stray > 1);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(world_envctl(world, NULL, "destroy", "before", NULL), 0);
	assert_int_equal(kill(stray, 0), 0);
}

static int open_world(void **state)
{
	struct world *world = own_runtime_open("tests/support/apart-podman", "podman.sock");

	write_template(world, "pair", "services:\n  web:\n" IMAGE SERVE "  db:\n" IMAGE SERVE);
	write_template(world, "asking",
		       "services:\n  page:\n" IMAGE SERVE
		       "    healthcheck: { test: [CMD, wget, -q, -O, /dev/null, 'http://store/'],\n"
		       "      interval: 200ms, timeout: 5s, retries: 5 }\n"
		       "  store:\n" IMAGE SERVE);
	write_template(world, "alone", "services:\n  web:\n" IMAGE SERVE);
	world_start(world);
	let_one_go_astray(world);
	*state = world;
	return 0;
}

static int close_world(void **state)
{
	pid_t current = name_server();

	if (stray > 1)
		kill(stray, SIGKILL);
	if (current > 1 && current != stray)
		kill(current, SIGKILL);
	own_runtime_close(*state);
	return 0;
}

/* How many lines of its history have this in their message. */
static size_t count_told(struct world *world, const char *name, const char *text)
{
	AUTO(free) char *target = xasprintf("/v1/environments/%s/history?limit=500", name);
	AUTO(json_decref) json_t *page = world_ask(world, "GET", target, NULL, NULL);
	size_t i, count = 0;
	const json_t *row;

	json_array_foreach(json_object_get(page, "items"), i, row)
		count += strstr(json_get_string(row, "message", ""), text) != NULL;
	return count;
}

static void create_ready(struct world *world, const char *template_name)
{
	char id[37];

	world_create(world, template_name, template_name, "10m", id);
	world_wait(world, id, "ready", 90000);
}

static void services_that_cannot_find_each_other_are_moved_to_another_network(void **state)
{
	struct world *world = *state;

	/* The stray knows a "web" and a "db": not these. */
	create_ready(world, "pair");
	assert_int_equal(count_told(world, "pair", "attempt 1 failed"), 1);
	assert_true(count_told(world, "pair", "cannot find each other by name") > 0);
	assert_true(count_told(world, "pair", "the runtime's resolver at") > 0);
}

static void a_service_that_fails_for_want_of_a_name_is_said_to(void **state)
{
	struct world *world = *state;

	/* Ready: it has reached the other by its name. */
	create_ready(world, "asking");
	assert_int_equal(count_told(world, "asking", "attempt 1 failed"), 1);
	assert_true(count_told(world, "asking", "cannot find each other by name") > 0);
}

static void a_service_with_nobody_to_find_is_not_held_up(void **state)
{
	struct world *world = *state;

	create_ready(world, "alone");
	assert_int_equal(count_told(world, "alone", "failed"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(services_that_cannot_find_each_other_are_moved_to_another_network),
		cmocka_unit_test(a_service_that_fails_for_want_of_a_name_is_said_to),
		cmocka_unit_test(a_service_with_nobody_to_find_is_not_held_up),
	};

	return cmocka_run_group_tests(tests, open_world, close_world);
}
