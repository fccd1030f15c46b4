#include "tests/support/metrics_look.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/json_read.h"
#include "tests/support/fake_world.h"
#include "tests/support/http_client.h"

int metrics_open(void **state)
{
	struct world *world = fake_world_new();

	world_argument(world, "--metrics-listen=127.0.0.1:0");
	world_start(world);
	*state = world;
	return 0;
}

int metrics_close(void **state)
{
	world_free(*state);
	return 0;
}

char *metrics_scrape(const struct world *world)
{
	char *body = NULL;

	assert_int_equal(http_ask(world->socket, "GET", "/metrics", NULL, NULL, &body), 200);
	return body;
}

void metrics_assert_say(const char *text, const char *line)
{
	if (!strstr(text, line))
		fail_msg("\"%s\" is not in:\n%s", line, text);
}

void metrics_create(struct world *world, const char *name, const char *fake, char id[37])
{
	AUTO(json_decref)
	json_t *request = json_pack("{s:s, s:s, s:s, s:{s:s}}", "template", "fake", "name", name,
				    "ttl", "10s", "parameters", "fake", fake);
	AUTO(json_decref) json_t *answer = NULL;
	int status;

	answer = world_ask(world, "POST", "/v1/environments", request, &status);
	assert_int_equal(status, 201);
	snprintf(id, 37, "%s", json_get_string(answer, "id", ""));
}
