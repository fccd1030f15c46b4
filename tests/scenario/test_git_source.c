/*
 * Environments of a template in a git repository: the ref that was asked for, the commit that was
 * built, and what stays when the repository moves on or goes away.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/files.h"
#include "base/json_read.h"
#include "base/text.h"
#include "tests/support/eventually.h"
#include "tests/support/git_server.h"
#include "tests/support/world.h"

struct stage {
	struct git_server *server;
	struct world *world;
};

static void write_configuration(const struct stage *stage, const char *trusted)
{
	AUTO(free) char *url = git_server_url(stage->server, "https", "demo.git");
	AUTO(free)
	char *text = xasprintf("sources:\n"
			       "  - name: demo\n"
			       "    repository: %s\n"
			       "    ca_file: %s/ca.pem\n"
			       "    path: templates\n"
			       "    trusted: %s\n",
			       url, stage->server->folder, trusted);
	AUTO(free) char *path = path_join(stage->world->folder, "envd.yaml");
	AUTO(free) char *argument = xasprintf("--config=%s", path);
	struct error err;

	assert_true(file_write_atomically(path, text, strlen(text), 0600, &err));
	world_argument(stage->world, argument);
}

static int open_stage(void **state, const char *trusted)
{
	struct stage *stage = xcalloc(1, sizeof(*stage));

	stage->server = git_server_start();
	stage->world = world_new("ENVD_TEST_PODMAN");
	write_configuration(stage, trusted);
	world_start(stage->world);
	*state = stage;
	return 0;
}

static int open_trusted(void **state)
{
	return open_stage(state, "true");
}

static int open_untrusted(void **state)
{
	return open_stage(state, "false");
}

static int close_stage(void **state)
{
	struct stage *stage = *state;

	world_free(stage->world);
	git_server_stop(stage->server);
	free(stage);
	return 0;
}

static json_t *lock_of(const struct stage *stage, const char *name)
{
	AUTO(free) char *target = xasprintf("/v1/environments/%s/lock", name);

	return world_ask(stage->world, "GET", target, NULL, NULL);
}

static void assert_commit(const struct stage *stage, const char *name, const char *commit)
{
	AUTO(free) char *target = xasprintf("/v1/environments/%s", name);
	AUTO(json_decref) json_t *env = world_ask(stage->world, "GET", target, NULL, NULL);
	AUTO(json_decref) json_t *lock = lock_of(stage, name);
	const json_t *source = json_object_get(env, "source");

	assert_string_equal(json_get_string(source, "commit", ""), commit);
	assert_true(json_equal(source, json_object_get(lock, "source")));
}

/* "version" in the snapshot of the environment; the caller frees. */
static char *version_of(const struct stage *stage, const char *name)
{
	AUTO(free) char *target = xasprintf("/v1/environments/%s", name);
	AUTO(json_decref) json_t *env = world_ask(stage->world, "GET", target, NULL, NULL);
	AUTO(free)
	char *path = xasprintf("%s/environments/%s/template/version", stage->world->data,
			       json_get_string(env, "id", "?"));
	struct error err;
	char *content;

	if (!file_read(path, 100, &content, NULL, &err))
		fail_msg("%s", err.message);
	content[strcspn(content, "\n")] = '\0';
	return content;
}

static int create(const struct stage *stage, const char *template, const char *name,
		  const char *more, const char *value)
{
	return world_envctl(stage->world, NULL, "create", template, "--name", name, "--ttl", "5m",
			    more, value, NULL);
}

static void assert_said(const struct stage *stage, const char *what)
{
	AUTO(free) char *path = path_join(stage->world->folder, "log");
	AUTO(free) char *log = NULL;
	struct error err;

	assert_true(file_read(path, 16 << 20, &log, NULL, &err));
	if (!strstr(log, what))
		fail_msg("nobody said \"%s\": %s", what, log);
}

static bool template_is_listed(void *arg)
{
	AUTO(free) char *names = NULL;

	return world_envctl(arg, &names, "template", "list", "-o", "name", NULL) == 0 &&
	       strstr(names, "demo/hello") != NULL;
}

static void a_branch_that_moved_is_a_new_commit_and_what_runs_stays(void **state)
{
	struct stage *stage = *state;
	AUTO(free)
	char *one = git_server_do(stage->server, "git tag v1; git publish; git rev-parse HEAD");
	AUTO(free) char *two = NULL;
	AUTO(free) char *kept = NULL;
	AUTO(free) char *tagged = NULL;

	assert_int_equal(create(stage, "demo/hello", "e1", NULL, NULL), 0);
	two =
	    git_server_do(stage->server, "echo two > templates/hello/version; git commit -qam two;"
					 " git publish; git rev-parse HEAD");
	assert_true(eventually(template_is_listed, stage->world, 20000));
	assert_int_equal(create(stage, "hello", "e2", NULL, NULL), 0);
	assert_int_equal(create(stage, "demo/hello", "e3", "--template-ref", "v1"), 0);
	assert_commit(stage, "e1", one);
	assert_commit(stage, "e2", two);
	assert_commit(stage, "e3", one);
	kept = version_of(stage, "e1");
	tagged = version_of(stage, "e3");
	assert_string_equal(kept, "one");
	assert_string_equal(tagged, "one");
}

static void destroying_and_a_repeated_request_need_no_git(void **state)
{
	struct stage *stage = *state;
	AUTO(free) char *gone = NULL;
	AUTO(free) char *names = NULL;

	assert_int_equal(create(stage, "demo/hello", "e1", "--idempotency-key", "k1"), 0);
	git_server_end(stage->server);
	assert_int_equal(create(stage, "demo/hello", "e1", "--idempotency-key", "k1"), 0);
	assert_int_equal(create(stage, "demo/hello", "e2", NULL, NULL), 4);
	assert_said(stage, "error[source_failed]");
	assert_int_equal(world_envctl(stage->world, &gone, "destroy", "e1", NULL), 0);
	assert_non_null(strstr(gone, "inventory_empty"));
	/* What could not be fetched made nothing. */
	assert_int_equal(world_envctl(stage->world, &names, "list", "-o", "name", NULL), 0);
	assert_string_equal(names, "");
}

static char *lock_document(const struct stage *stage, const char *name)
{
	char *text = NULL;

	assert_int_equal(world_envctl(stage->world, &text, "lock", name, "-o", "json", NULL), 0);
	return text;
}

static void what_is_like_another_has_its_commit_although_the_branch_moved(void **state)
{
	struct stage *stage = *state;
	AUTO(free) char *one = git_server_do(stage->server, "git rev-parse HEAD");
	AUTO(free) char *moved = NULL;
	AUTO(free) char *version = NULL;
	AUTO(free) char *of_first = NULL;
	AUTO(free) char *of_second = NULL;

	assert_int_equal(create(stage, "demo/hello", "e1", "--pin", "web=@1"), 0);
	assert_int_equal(create(stage, "demo/hello", "e9", "--dry-run", "server"), 0);
	moved =
	    git_server_do(stage->server, "echo two > templates/hello/version; git commit -qam two;"
					 " git publish; git rev-parse HEAD");
	assert_string_not_equal(one, moved);
	assert_int_equal(
	    world_envctl(stage->world, NULL, "create", "--like", "e1", "--name", "e2", NULL), 0);
	assert_commit(stage, "e2", one);
	version = version_of(stage, "e2");
	assert_string_equal(version, "one");
	of_first = lock_document(stage, "e1");
	of_second = lock_document(stage, "e2");
	assert_string_equal(of_first, of_second);
	/* Nothing of git is needed for a commit that the server has. */
	git_server_end(stage->server);
	assert_int_equal(
	    world_envctl(stage->world, NULL, "create", "--like", "e1", "--name", "e3", NULL), 0);
	assert_commit(stage, "e3", one);
}

static void a_commit_that_nobody_has_any_more_is_a_template_that_changed(void **state)
{
	struct stage *stage = *state;
	AUTO(free) char *mirror = xasprintf("%s/sources", stage->world->data);
	AUTO(free) char *nothing = NULL;
	AUTO(free) char *names = NULL;
	struct error err;

	assert_int_equal(create(stage, "demo/hello", "e1", NULL, NULL), 0);
	/* History is rewritten; the server's copy may be deleted at any time. */
	nothing = git_server_do(
	    stage->server, "echo two > templates/hello/version; git commit -qa --amend -m other;"
			   " git publish; git -C ../repositories/demo.git reflog expire "
			   "--expire=now --all; git -C ../repositories/demo.git gc -q --prune=now");
	assert_true(folder_remove(mirror, &err));
	assert_int_equal(
	    world_envctl(stage->world, NULL, "create", "--like", "e1", "--name", "e2", NULL), 1);
	assert_said(stage, "error[template_changed]");
	assert_said(stage, "cannot be had any more");
	assert_said(stage, "push that commit there again");
	assert_int_equal(world_envctl(stage->world, &names, "list", "-o", "name", NULL), 0);
	assert_string_equal(names, "env/e1\n");
}

static void what_is_not_in_the_repository_is_a_usage_error(void **state)
{
	struct stage *stage = *state;
	AUTO(free) char *shown = NULL;

	assert_int_equal(create(stage, "demo/hello", "e1", "--template-ref", "nobody"), 2);
	assert_said(stage, "no branch, tag or commit \"nobody\"");
	assert_int_equal(create(stage, "demo/hello", "e1", "--template-ref", "a..b"), 2);
	assert_int_equal(create(stage, "demo/helo", "e1", NULL, NULL), 6);
	assert_said(stage, "source \"demo\" has no template \"helo\"");
	assert_int_equal(create(stage, "dmo/hello", "e1", NULL, NULL), 6);
	world_write_small_template(stage->world, "small", false);
	assert_int_equal(create(stage, "small", "e1", "--template-ref", "v1"), 2);
	assert_said(stage, "is a folder of the server and has no refs");
	assert_int_equal(world_envctl(stage->world, &shown, "template", "show", "demo/hello", NULL),
			 0);
	assert_non_null(strstr(shown, "main at "));
	assert_non_null(strstr(shown, "pr:NUMBER"));
}

static void pins_by_branch_and_pull_request_meet_in_one_environment(void **state)
{
	struct stage *stage = *state;
	AUTO(json_decref) json_t *lock = NULL;
	const json_t *components;

	/* The image of branch "1" and of pull request 1 is the one that there is. */
	assert_int_equal(world_envctl(stage->world, NULL, "create", "demo/hello", "--name", "e1",
				      "--pin", "web=@1", "--pin", "side=pr:1", NULL),
			 0);
	lock = lock_of(stage, "e1");
	components = json_object_get(lock, "components");
	assert_string_equal(json_get_string(json_object_get(components, "web"), "version", ""),
			    "@1");
	assert_string_equal(json_get_string(json_object_get(components, "web"), "image", ""),
			    "localhost/envd-test/busybox:1");
	assert_string_equal(json_get_string(json_object_get(components, "side"), "image", ""),
			    "localhost/envd-test/busybox:1");
	assert_int_equal(create(stage, "demo/hello", "e2", "--pin", "side=@main"), 2);
	assert_said(stage, "component \"side\" cannot be pinned to a branch");
}

/* It mounts the machine's /etc, which only a trusted one may. */
static void commit_a_mount(const struct stage *stage, const char *publish)
{
	AUTO(free)
	char *script = xasprintf("sed -i 's|command|volumes: [\"/etc:/mnt:ro\"], command|' "
				 "templates/hello/compose.yaml; git checkout -q -b mount; "
				 "git commit -qam mount; git push -q ../repositories/demo.git %s",
				 publish);
	AUTO(free) char *nothing = git_server_do(stage->server, script);
}

static void what_is_not_trusted_reaches_nothing_of_the_machine(void **state)
{
	struct stage *stage = *state;

	commit_a_mount(stage, "mount");
	assert_int_equal(create(stage, "demo/hello", "e1", "--template-ref", "mount"), 4);
	assert_said(stage, "volumes");
}

static void a_pull_request_is_not_trusted_even_of_a_trusted_source(void **state)
{
	struct stage *stage = *state;
	AUTO(free) char *publish_merged = NULL;

	commit_a_mount(stage, "mount:refs/pull/1/head");
	assert_int_equal(create(stage, "demo/hello", "e1", "--template-ref", "refs/pull/1/head"),
			 4);
	assert_said(stage, "volumes");
	/* Somebody who may write to the repository takes it over. */
	publish_merged = git_server_do(
	    stage->server, "git push -q ../repositories/demo.git mount:refs/heads/merged");
	assert_int_equal(create(stage, "demo/hello", "e2", "--template-ref", "merged"), 0);
}

static bool only_git_moves(void *arg)
{
	AUTO(free) char *found = git_server_do(arg, "grep -c POST ../requests || true");

	return strcmp(found, "0") != 0;
}

static void nothing_else_waits_for_a_repository_that_does_not_answer(void **state)
{
	struct stage *stage = *state;
	AUTO(free) char *nothing = NULL;
	AUTO(free) char *names = NULL;

	assert_true(eventually(template_is_listed, stage->world, 20000));
	git_server_set(stage->server, "stall", "1");
	nothing =
	    git_server_do(stage->server, "rm -f ../requests; git commit -q --allow-empty -m x; "
					 "git publish");
	if (fork() == 0) {
		create(stage, "demo/hello", "e1", NULL, NULL);
		_exit(0);
	}
	assert_true(eventually(only_git_moves, stage->server, 20000));
	world_write_small_template(stage->world, "small", false);
	assert_int_equal(create(stage, "small", "e2", NULL, NULL), 0);
	assert_int_equal(world_envctl(stage->world, &names, "list", "-o", "name", NULL), 0);
	assert_string_equal(names, "env/e2\n");
}

#define TRUSTED(test) cmocka_unit_test_setup_teardown(test, open_trusted, close_stage)
#define UNTRUSTED(test) cmocka_unit_test_setup_teardown(test, open_untrusted, close_stage)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TRUSTED(a_branch_that_moved_is_a_new_commit_and_what_runs_stays),
		TRUSTED(destroying_and_a_repeated_request_need_no_git),
		TRUSTED(what_is_like_another_has_its_commit_although_the_branch_moved),
		TRUSTED(a_commit_that_nobody_has_any_more_is_a_template_that_changed),
		TRUSTED(what_is_not_in_the_repository_is_a_usage_error),
		TRUSTED(pins_by_branch_and_pull_request_meet_in_one_environment),
		UNTRUSTED(what_is_not_trusted_reaches_nothing_of_the_machine),
		TRUSTED(a_pull_request_is_not_trusted_even_of_a_trusted_source),
		TRUSTED(nothing_else_waits_for_a_repository_that_does_not_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
