#include "tests/support/evidence_look.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/files.h"
#include "base/json_read.h"
#include "base/text.h"
#include "tests/support/eventually.h"
#include "tests/support/http_client.h"

json_t *evidence_get(struct world *world, const char *environment, const char *more)
{
	AUTO(free) char *target = xasprintf("/v1/environments/%s%s", environment, more);

	return world_ask(world, "GET", target, NULL, NULL);
}

void evidence_create(struct world *world, const char *template_name, const char *name,
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

bool evidence_history_has(struct world *world, const char *environment, const char *words)
{
	AUTO(free) char *target = xasprintf("/v1/environments/%s/history?limit=500", environment);
	AUTO(free) char *body = NULL;

	http_ask(world->socket, "GET", target, NULL, NULL, &body);
	return body && strstr(body, words);
}

/* Unpacked by tar itself, into a folder of the world. */
char *evidence_unpack(struct world *world, const char *environment)
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

char *evidence_read(const char *folder, const char *name)
{
	AUTO(free) char *path = path_join(folder, name);
	char *bytes;
	struct error err;

	if (!file_read(path, 64 << 20, &bytes, NULL, &err))
		fail_msg("%s", err.message);
	return bytes;
}

void evidence_assert_in(const char *folder, const char *name, const char *words)
{
	AUTO(free) char *bytes = evidence_read(folder, name);

	if (!strstr(bytes, words))
		fail_msg("%s does not say \"%s\": %.2000s", name, words, bytes);
}

void evidence_assert_nowhere(const char *folder, const char *words)
{
	AUTO(free) char *command = xasprintf("grep -rl -e '%s' %s", words, folder);

	if (system(command) == 0)
		fail_msg("\"%s\" is in the bundle", words);
}

bool evidence_nothing_is_left(void *arg)
{
	const struct evidence_subject *subject = arg;

	return world_count(subject->world, "envd-environment", subject->id) == 0;
}

static bool evidence_is_taken(void *arg)
{
	const struct evidence_subject *subject = arg;
	AUTO(json_decref) json_t *env = evidence_get(subject->world, subject->id, "");

	return strcmp(json_get_string(json_object_get(env, "evidence"), "state", ""), "taken") == 0;
}

void evidence_await(struct world *world, const char *id)
{
	assert_true(eventually(evidence_is_taken, &(struct evidence_subject){ world, id }, 40000));
}
