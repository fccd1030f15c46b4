/*
 * Compose keys whose effect is seen from inside a container, on Podman and on Docker: secrets and
 * read-only roots. Slower ones are in tests/failure/test_compose_effects.c; the corpus
 * (tests/slow/compose-corpus) compares the rest with the real docker compose.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/files.h"
#include "base/text.h"
#include "tests/support/engine_stage.h"

#define SECRET "s3cret-of-the-house"

static void put(struct stage *stage, const char *name, const char *text)
{
	AUTO(free) char *path = path_join(stage->template_folder, name);
	struct error err;

	assert_true(file_write_atomically(path, text, strlen(text), 0644, &err));
}

static void assert_lacks(const char *text, const char *part)
{
	if (text && strstr(text, part))
		fail_msg("\"%s\" is in: %s", part, text);
}

/* By everything that can be asked of the runtime and of the engine. */
static void secrets_are_files_and_nowhere_else(void **state)
{
	struct stage *stage = stage_new(*state);
	AUTO(free) char *data = NULL;
	AUTO(free) char *inspected = NULL;
	AUTO(free) char *lock = NULL;
	json_t *web;

	setenv("ENVD_SECRET_TOKEN", SECRET "-2", 1);
	stage_write(
	    stage,
	    "services:\n"
	    "  web:\n" STAGE_HTTPD_BLOCK
	    "    secrets: [password, { source: token, target: api, mode: 0440, uid: '65534' }]\n"
	    "secrets: { password: { file: ./password.txt }, token: { environment: TOKEN } }\n",
	    NULL);
	put(stage, "password.txt", SECRET);
	stage_must(stage, "create");
	stage_says(stage, "web", "cat /run/secrets/password", SECRET);
	stage_says(stage, "web", "cat /run/secrets/api", SECRET "-2");
	stage_says(stage, "web", "stat -c '%a %u' /run/secrets/api /run/secrets/password",
		   "440 65534\n444 0\n");
	web = stage_look(stage, "web");
	inspected = json_dumps(web, 0);
	data = json_dumps(stage->data, 0);
	lock = json_dumps(stage->lock, 0);
	json_decref(web);
	assert_lacks(inspected, SECRET);
	assert_lacks(data, SECRET);
	assert_lacks(lock, SECRET);
	assert_lacks(stage->said, SECRET);
	unsetenv("ENVD_SECRET_TOKEN");
	stage_free(stage);
}

static void a_secret_of_the_server_is_not_for_the_untrusted(void **state)
{
	struct stage *stage = stage_new(*state);

	setenv("ENVD_SECRET_TOKEN", SECRET, 1);
	stage->request.is_trusted = false;
	stage_write(stage,
		    "services:\n"
		    "  web:\n" STAGE_HTTPD_BLOCK "    secrets: [token]\n"
		    "secrets: { token: { environment: TOKEN } }\n",
		    NULL);
	stage_must_not(stage, "create", "secret_missing");
	stage_contains(stage->err.message,
		       "compose.yaml:6:19: secret \"token\": variable \"TOKEN\"");
	unsetenv("ENVD_SECRET_TOKEN");
	stage_free(stage);
}

static void a_read_only_root_still_gets_its_secrets(void **state)
{
	struct stage *stage = stage_new(*state);

	stage_write(stage,
		    "services:\n"
		    "  web:\n" STAGE_HTTPD_BLOCK "    read_only: true\n"
		    "    tmpfs: ['/scratch:mode=1777']\n"
		    "    volumes: ['conf:/etc/web']\n"
		    "    secrets: [password]\n"
		    "    configs: [{ source: page, target: /etc/web/page }]\n"
		    "secrets: { password: { file: ./password.txt } }\n"
		    "configs: { page: { content: a page } }\n"
		    "volumes: { conf: }\n",
		    NULL);
	put(stage, "password.txt", SECRET);
	stage_must(stage, "create");
	stage_says(stage, "web", "cat /run/secrets/password /etc/web/page", SECRET "a page");
	assert_int_not_equal(stage_exec(stage, "web", "touch /www/x 2>/dev/null", NULL), 0);
	assert_int_equal(stage_exec(stage, "web", "touch /scratch/x", NULL), 0);
	assert_int_equal(stage_count(stage, "volume"), 2);
	stage_must(stage, "destroy");
	assert_int_equal(stage_count_all(stage), 0);
	stage_free(stage);
}

static void a_config_that_nobody_could_write_is_refused(void **state)
{
	struct stage *stage = stage_new(*state);

	stage_write(stage,
		    "services:\n"
		    "  web:\n" STAGE_HTTPD_BLOCK "    read_only: true\n"
		    "    configs: [page]\n"
		    "configs: { page: { content: a page } }\n",
		    NULL);
	stage_must_not(stage, "create", "compose_invalid");
	stage_contains(stage->err.message, "\"read_only\" keeps everybody from writing there");
	stage_free(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_ON_BOTH(secrets_are_files_and_nowhere_else),
		STAGE_ON_PODMAN(a_secret_of_the_server_is_not_for_the_untrusted),
		STAGE_ON_BOTH(a_read_only_root_still_gets_its_secrets),
		STAGE_ON_PODMAN(a_config_that_nobody_could_write_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
