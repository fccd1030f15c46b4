/*
 * `build:` of a Compose file, by real runtimes: what comes out, what is left behind, what somebody
 * whom we do not trust may not have built.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/files.h"
#include "tests/support/engine_stage.h"

#define WEB "services:\n  web: { build: %s, command: [httpd, -f, -p, '80', -h, /www] }\n"
#define FROM "FROM " STAGE_IMAGE "\n"

static void write_file(struct stage *stage, const char *name, const char *text)
{
	AUTO(free) char *path = path_join(stage->template_folder, name);
	AUTO(free) char *parent = xstrndup(path, (size_t)(strrchr(path, '/') - path));
	struct error err;

	assert_true(folder_make(parent, 0755, &err));
	assert_true(file_write_atomically(path, text, strlen(text), 0644, &err));
}

static void write_build(struct stage *stage, const char *build, const char *dockerfile)
{
	AUTO(free) char *compose = xasprintf(WEB, build);

	stage_write(stage, compose, NULL);
	write_file(stage, "web/Dockerfile", dockerfile);
}

/* By its id: the test leaves no image. */
static void remove_image(const struct stage *stage, const char *id)
{
	stage_ask(stage, "DELETE", "/v1.41/images/%s?force=1", id);
}

static char *planned_id(const struct stage *stage)
{
	return xstrdup(json_get_string(stage_dig(stage->data, "lock", "services", "web", NULL),
				       "image_id", ""));
}

static void a_context_is_built_streamed_labelled_and_locked(void **state)
{
	struct stage *stage = stage_new(*state);
	AUTO(json_decref) json_t *container = NULL;
	AUTO(free) char *said = NULL;
	AUTO(free) char *id = NULL;

	write_build(
	    stage,
	    "{ context: ./web, dockerfile: sub/Web.dockerfile, target: second, args: { WORD: "
	    "built }, labels: { mine: 'yes' } }",
	    "FROM nothing\n");
	write_file(stage, "web/sub/Web.dockerfile",
		   FROM "ARG WORD\nRUN echo step of the build; echo $WORD >/www/word\n"
			"FROM " STAGE_IMAGE " AS second\nARG WORD\nCOPY . /www/\n"
			"RUN echo $WORD >/www/word\n"
			"FROM " STAGE_IMAGE "\nRUN false\n");
	write_file(stage, "web/page.txt", "a page");
	write_file(stage, "web/unique", stage->request.environment.text);
	write_file(stage, "web/secret/key", "not for the image");
	write_file(stage, "web/.dockerignore", "secret\n");
	stage_must(stage, "plan");
	id = planned_id(stage);
	stage_contains(stage->said, "build web: ");
	stage_contains(
	    json_get_string(stage_dig(stage->data, "lock", "services", "web", NULL), "image", ""),
	    "localhost/envd-build/11111111-1111:");
	stage_must(stage, "create");
	assert_int_equal(stage_exec(stage, "web", "cat /www/word /www/page.txt; ls /www", &said),
			 0);
	stage_contains(said, "built\na page");
	assert_null(strstr(said, "secret"));
	container = stage_look(stage, "web");
	assert_string_equal(
	    json_get_string(stage_dig(container, "Config", "Labels", NULL), "mine", ""), "yes");
	assert_string_equal(
	    json_get_string(stage_dig(container, "Config", "Labels", NULL), "envd-built-by", ""),
	    stage->request.instance);
	stage_must(stage, "destroy");
	remove_image(stage, id);
	stage_free(stage);
}

static void the_same_files_are_built_once_and_a_changed_one_again(void **state)
{
	struct stage *stage = stage_new(*state);
	AUTO(free) char *first = NULL;
	AUTO(free) char *second = NULL;
	AUTO(free) char *third = NULL;

	write_build(stage, "./web", FROM "COPY page /www/page\n");
	write_file(stage, "web/unique", stage->request.environment.text);
	write_file(stage, "web/page", "1");
	stage_must(stage, "plan");
	first = planned_id(stage);
	stage_must(stage, "plan");
	second = planned_id(stage);
	assert_string_equal(first, second);
	assert_null(strstr(stage->said, "building"));
	write_file(stage, "web/page", "2");
	stage_must(stage, "plan");
	third = planned_id(stage);
	assert_string_not_equal(first, third);
	remove_image(stage, first);
	remove_image(stage, third);
	stage_free(stage);
}

static void a_build_that_fails_shows_its_last_lines(void **state)
{
	struct stage *stage = stage_new(*state);

	write_build(stage, "web", FROM "RUN echo the vault is locked; exit 3\n");
	stage_must_not(stage, "create", "build_failed");
	stage_contains(stage->err.message, "\"web\"");
	stage_contains(stage->err.message, "the vault is locked");
	assert_int_equal(stage_count_all(stage), 0);
	stage_free(stage);
}

static void what_is_wrong_with_a_context_is_named(void **state)
{
	struct stage *stage = stage_new(*state);
	AUTO(free) char *link = path_join(stage->template_folder, "web/link");

	write_build(stage, "./none", FROM);
	stage_must_not(stage, "plan", "compose_invalid");
	stage_contains(stage->err.message, "./none");
	write_build(stage, "{ context: web, dockerfile: absent }", FROM);
	stage_must_not(stage, "plan", "not_found");
	stage_contains(stage->err.message, "absent");
	write_build(stage, "web", FROM);
	assert_int_equal(symlink("/etc/hostname", link), 0);
	stage_must_not(stage, "plan", "build_context");
	stage_contains(stage->err.message, "\"link\" is a link");
	stage_free(stage);
}

static void a_build_that_is_not_trusted_stays_in_its_folder_and_off_the_hosts_network(void **state)
{
	static const struct {
		const char *build;
		const char *dockerfile;
		const char *part;
	} cases[] = {
		{ "..", FROM, "\"build.context\" \"..\", which has \"..\" in it" },
		{ "/etc", FROM, "\"build.context\" \"/etc\", which is an absolute path" },
		{ "{ context: web, dockerfile: ../template.yaml }", FROM, "\"build.dockerfile\"" },
		{ "./link", FROM, "which is or passes a link" },
		{ "{ context: web, network: host }", FROM, "\"build.network: host\"" },
		{ "web", FROM "ADD http://127.0.0.1:1/x /x\n", "line 2 of its Dockerfile: ADD" },
		{ "web", "ARG B\nFROM $B\n", "line 2 of its Dockerfile: FROM with a variable" },
		{ "{ context: web, args: { A: 'http://169.254.169.254/' } }", FROM, "metadata" },
	};
	struct stage *stage = stage_new(*state);
	AUTO(free) char *link = path_join(stage->template_folder, "link");
	AUTO(free) char *id = NULL;

	stage->request.is_trusted = false;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		write_build(stage, cases[i].build, cases[i].dockerfile);
		assert_true(i > 0 || symlink("/etc", link) == 0);
		stage_must_not(stage, "plan", "template_not_trusted");
		stage_contains(stage->err.message, cases[i].part);
	}
	write_build(stage, "{ context: web, network: none }", FROM "COPY Dockerfile /www/d\n");
	stage_must(stage, "plan");
	id = planned_id(stage);
	remove_image(stage, id);
	stage_free(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_ON_BOTH(a_context_is_built_streamed_labelled_and_locked),
		STAGE_ON_BOTH(the_same_files_are_built_once_and_a_changed_one_again),
		STAGE_ON_BOTH(a_build_that_fails_shows_its_last_lines),
		STAGE_ON_PODMAN(what_is_wrong_with_a_context_is_named),
		STAGE_ON_PODMAN(
		    a_build_that_is_not_trusted_stays_in_its_folder_and_off_the_hosts_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
