/*
 * A target with a limit of memory: who does not fit waits and says for what, who never can is
 * refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/files.h"
#include "base/json_read.h"
#include "base/text.h"
#include "tests/support/http_client.h"
#include "tests/support/world.h"

static void write_template(struct world *world, const char *name, const char *memory)
{
	AUTO(free)
	char *text = xasprintf("apiVersion: envd/v1\nname: %s\nengine: container\n"
			       "source: compose.yaml\nlimits: { memory: %s }\n",
			       name, memory);

	world_write(world, name, "template.yaml", text);
	world_write(world, name, "compose.yaml",
		    "services: { web: { image: localhost/envd-test/busybox:1, command: [httpd, -f, "
		    "-h, /www] } }\n");
}

static void write_config(struct world *world)
{
	AUTO(free) char *path = path_join(world->folder, "envd.yaml");
	AUTO(free) char *argument = xasprintf("--config=%s", path);
	AUTO(free)
	char *text = xasprintf("targets:\n  - { name: local, engine: container, socket: '%s', "
			       "memory: 600m }\n",
			       world->runtime);
	struct error err;

	assert_true(file_write_atomically(path, text, strlen(text), 0600, &err));
	world_argument(world, argument);
}

static void memory_that_is_taken_is_waited_for(void **state)
{
	struct world *world = world_new(*state);
	AUTO(json_decref) json_t *waiting = NULL;
	AUTO(json_decref) json_t *refused = NULL;
	AUTO(json_decref) json_t *wish = json_pack("{s:s}", "template", "huge");
	char first[37], second[37];
	int status;

	write_template(world, "big", "400m");
	write_template(world, "huge", "700m");
	write_config(world);
	world_start(world);
	refused = world_ask(world, "POST", "/v1/environments", wish, &status);
	assert_true(status >= 400 && status < 500);
	assert_non_null(strstr(json_get_string(refused, "detail", ""), "700 MiB of memory"));

	world_create(world, "big", "first", "10m", first);
	world_wait(world, "first", "ready", 60000);
	world_create(world, "big", "second", "10m", second);
	waiting = world_ask(world, "GET", "/v1/environments/second", NULL, &status);
	assert_string_equal(json_get_string(waiting, "state", ""), "queued");
	assert_non_null(strstr(json_get_string(waiting, "message", ""),
			       "waits for memory: it needs 400 MiB, and 400 MiB of the 600 MiB"));
	assert_int_equal(
	    http_ask(world->socket, "DELETE", "/v1/environments/first", NULL, NULL, NULL), 202);
	world_wait(world, "second", "ready", 60000);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(memory_that_is_taken_is_waited_for,
					  (void *)(uintptr_t)"ENVD_TEST_DOCKER"),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
