/*
 * Environments out of Pulumi projects, by the real CLI: built in layers, resumed, removed, proved;
 * and whatever is killed in the middle, nothing is made twice and nothing is left. The witness is a
 * world of files (tests/fixtures/pulumi/counted), never Pulumi's state or our store.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/files.h"
#include "base/json_read.h"
#include "tests/support/eventually.h"
#include "tests/support/git_server.h"
#include "tests/support/pulumi_bench.h"

enum { BUILD_MS = 150000, THINGS = 7 };

static int open_bench(void **state)
{
	*state = pulumi_bench_new();
	return 0;
}

static int close_bench(void **state)
{
	pulumi_bench_free(*state);
	return 0;
}

static void contains(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in \"%s\"", part, text);
}

static void comes_before(const char *text, const char *first, const char *second)
{
	const char *at = strstr(text, first);

	if (!at || !strstr(at, second))
		fail_msg("\"%s\" does not come before \"%s\" in:\n%s", first, second, text);
}

static const json_t *dig(const json_t *json, const char *first, const char *second)
{
	return json_object_get(json_object_get(json, first), second);
}

static bool has_begun(void *arg)
{
	return pulumi_bench_count(arg, "") > 0;
}

/* Somebody wrote into a job's folder that it is to end. */
static bool is_stopping(void *arg)
{
	const struct pulumi_bench *bench = arg;
	AUTO(free)
	char *command = xasprintf("ls '%s'/jobs/*/stop >/dev/null 2>&1", bench->world->data);

	return system(command) == 0;
}

static bool is_there(const struct pulumi_bench *bench, const char *id, const char *name)
{
	AUTO(free) char *path = pulumi_bench_path(bench, id, name);

	return file_exists(path);
}

/* ---- a life ---- */

static void layers_are_built_in_order_and_removed_in_reverse(void **state)
{
	struct pulumi_bench *bench = *state;
	AUTO(json_decref) json_t *env = NULL;
	AUTO(json_decref) json_t *gone = NULL;
	AUTO(free) char *history = NULL;
	AUTO(free) char *later = NULL;
	AUTO(free) char *state_file = NULL;
	char id[37];

	pulumi_bench_template(bench, "three");
	/* It waits for "two", which waits for "one": what is read is not always said. */
	pulumi_bench_edit(bench, "three", "layers.yaml", "project: three, needs: [one]",
			  "project: three, needs: [two]");
	world_start(bench->world);
	pulumi_bench_create(bench, "a", "three", id);
	world_wait(bench->world, id, "ready", BUILD_MS);
	env = pulumi_bench_get(bench, id);
	assert_string_equal(json_string_value(dig(env, "outputs", "url")), "http://one/red/1.20");
	history = pulumi_bench_history(bench, id);
	comes_before(history, "one started", "two started");
	comes_before(history, "two ready", "three started");
	assert_null(strstr(history, "does not say that it needs it"));
	assert_true(is_there(bench, id, "passphrase"));

	pulumi_bench_destroy(bench, id);
	world_wait(bench->world, id, "destroyed", BUILD_MS);
	gone = pulumi_bench_get(bench, id);
	assert_string_equal(json_get_string(gone, "reason", ""), "requested");
	later = pulumi_bench_history(bench, id);
	contains(later, "proved gone");
	/* What opened the states goes with them; what they were is kept. */
	assert_false(is_there(bench, id, "passphrase"));
	assert_true(is_there(bench, id, "states/one/last-not-empty.json"));
	state_file = xasprintf("backend/.pulumi/stacks/one/envd-%.8s.json", id);
	assert_false(is_there(bench, id, state_file));
}

static void a_need_that_nobody_wrote_down_is_named(void **state)
{
	struct pulumi_bench *bench = *state;
	AUTO(free) char *history = NULL;
	char id[37];

	pulumi_bench_template(bench, "three");
	/* One after another it works all the same. */
	pulumi_bench_edit(bench, "three", "layers.yaml", "layers:\n", "parallel: 1\nlayers:\n");
	pulumi_bench_edit(bench, "three", "layers.yaml", "project: three, needs: [one]",
			  "project: three");
	pulumi_bench_edit(bench, "three", "layers.yaml", "project: two, needs: [one]",
			  "project: two");
	world_start(bench->world);
	pulumi_bench_create(bench, "a", "three", id);
	world_wait(bench->world, id, "ready", BUILD_MS);
	history = pulumi_bench_history(bench, id);
	contains(history,
		 "layer two reads what layer one exports, but does not say that it needs it");
}

static void the_lock_holds_versions_and_hashes(void **state)
{
	struct pulumi_bench *bench = *state;
	AUTO(json_decref) json_t *lock = NULL;
	AUTO(free) char *target = NULL;
	const json_t *python;
	char id[37];

	pulumi_bench_template(bench, "counted");
	world_start(bench->world);
	pulumi_bench_create(bench, "a", "counted", id);
	world_wait(bench->world, id, "ready", BUILD_MS);
	assert_int_equal(pulumi_bench_count(bench, ""), THINGS);
	target = xasprintf("/v1/environments/%s/lock", id);
	lock = world_ask(bench->world, "GET", target, NULL, NULL);
	lock = json_object_get(lock, "lock") ? json_incref(json_object_get(lock, "lock")) : lock;
	assert_string_equal(json_string_value(dig(lock, "pulumi", "version")), "3.259.0");
	assert_string_equal(json_string_value(dig(lock, "components", "app")), "1.20");
	assert_int_equal(strlen(json_get_string(dig(lock, "layers", "app"), "config_hash", "")),
			 64);
	python = json_object_get(lock, "python");
	assert_int_equal(strlen(json_get_string(python, "requirements_hash", "")), 64);
}

static void what_failed_is_built_on_and_not_anew(void **state)
{
	struct pulumi_bench *bench = *state;
	AUTO(free) char *history = NULL;
	char id[37];

	pulumi_bench_template(bench, "counted");
	pulumi_bench_switch(bench, "refuse-once", "app1");
	world_start(bench->world);
	pulumi_bench_create(bench, "a", "counted", id);
	world_wait(bench->world, id, "ready", BUILD_MS);
	history = pulumi_bench_history(bench, id);
	contains(history, "layer \"app\": Exception calling application: the world refuses app1");
	contains(history, "built by an earlier attempt");
	assert_int_equal(pulumi_bench_count(bench, ""), THINGS);
}

static void two_at_once_see_nothing_of_each_other(void **state)
{
	struct pulumi_bench *bench = *state;
	char first[37], second[37];

	pulumi_bench_template(bench, "counted");
	/* Both want the same packages, which nobody has installed yet. */
	pulumi_bench_own_python(bench);
	world_start(bench->world);
	pulumi_bench_create(bench, "a", "counted", first);
	pulumi_bench_create(bench, "b", "counted", second);
	world_wait(bench->world, first, "ready", 2 * BUILD_MS);
	world_wait(bench->world, second, "ready", 2 * BUILD_MS);
	assert_int_equal(pulumi_bench_count(bench, ""), 2 * THINGS);
	assert_int_equal(pulumi_bench_count_venvs(bench), 1);
	pulumi_bench_destroy(bench, first);
	world_wait(bench->world, first, "destroyed", BUILD_MS);
	assert_int_equal(pulumi_bench_count(bench, ""), THINGS);
}

static void write_configuration(const struct pulumi_bench *bench, const struct git_server *server)
{
	AUTO(free) char *url = git_server_url(server, "https", "demo.git");
	AUTO(free) char *path = path_join(bench->world->folder, "envd.yaml");
	AUTO(free) char *argument = xasprintf("--config=%s", path);
	AUTO(free)
	char *text = xasprintf("sources:\n"
			       "  - name: demo\n"
			       "    repository: %s\n"
			       "    ca_file: %s/ca.pem\n"
			       "    trusted: true\n",
			       url, server->folder);
	struct error err;

	assert_true(file_write_atomically(path, text, strlen(text), 0600, &err));
	world_argument(bench->world, argument);
}

static char *locked_commit(struct pulumi_bench *bench, const char *id)
{
	AUTO(free) char *target = xasprintf("/v1/environments/%s/lock", id);
	AUTO(json_decref) json_t *lock = world_ask(bench->world, "GET", target, NULL, NULL);

	return xstrdup(json_get_string(json_object_get(lock, "checkout"), "commit", "none"));
}

static void a_checkout_is_of_the_commit_that_was_asked_for(void **state)
{
	struct pulumi_bench *bench = *state;
	AUTO(git_server_stop) struct git_server *server = git_server_start();
	AUTO(free)
	char *script =
	    xasprintf("cp -R %s/tests/fixtures/pulumi/three/checkout/. . && git add -A && "
		      "git commit -qm projects && git publish && git rev-parse HEAD",
		      getenv("ENVD_SOURCE"));
	AUTO(free) char *first = git_server_do(server, script);
	AUTO(free) char *second = NULL;
	AUTO(free) char *locked = NULL;
	AUTO(free) char *later = NULL;
	char id[37], other[37];

	write_configuration(bench, server);
	pulumi_bench_template(bench, "three");
	pulumi_bench_edit(bench, "three", "layers.yaml", "folder: checkout",
			  "source: demo, ref: main");
	world_start(bench->world);
	pulumi_bench_create(bench, "a", "three", id);
	world_wait(bench->world, id, "ready", BUILD_MS);
	locked = locked_commit(bench, id);
	assert_string_equal(locked, first);
	second =
	    git_server_do(server, "sed -i s/http/https/ one/Pulumi.yaml && git commit -qam tls && "
				  "git publish && git rev-parse HEAD");
	pulumi_bench_create(bench, "b", "three", other);
	world_wait(bench->world, other, "ready", BUILD_MS);
	later = locked_commit(bench, other);
	assert_string_equal(later, second);
	/* What was built is removed without a repository. */
	git_server_end(server);
	pulumi_bench_destroy(bench, id);
	pulumi_bench_destroy(bench, other);
	world_wait(bench->world, id, "destroyed", BUILD_MS);
	world_wait(bench->world, other, "destroyed", BUILD_MS);
}

/* Everything that was written, but for the file that holds it and states that are encrypted with
 * it. */
static bool is_written_somewhere(const struct pulumi_bench *bench, const char *secret)
{
	AUTO(free)
	char *command = xasprintf("grep -rqF -- '%s' '%s/data/store.db' '%s/data/store.db-wal' "
				  "'%s/data/jobs' '%s/log' '%s/data/environments'",
				  secret, bench->world->folder, bench->world->folder,
				  bench->world->folder, bench->world->folder, bench->world->folder);

	return system(command) == 0;
}

static void a_secret_is_written_nowhere_in_clear(void **state)
{
	struct pulumi_bench *bench = *state;
	char id[37];

	/* Read by the server from its variables, and by the program from its configuration. */
	setenv("ENVD_SECRET_APP", "correct-horse-battery", 1);
	pulumi_bench_template(bench, "counted");
	pulumi_bench_edit(bench, "counted", "layers.yaml", "{ random: 20 }",
			  "{ variable: ENVD_SECRET_APP }");
	world_start(bench->world);
	pulumi_bench_create(bench, "a", "counted", id);
	world_wait(bench->world, id, "ready", BUILD_MS);
	assert_true(is_written_somewhere(bench, "app0")); /* it would be found */
	assert_false(is_written_somewhere(bench, "correct-horse-battery"));
	unsetenv("ENVD_SECRET_APP");
}

static void stopped_while_it_is_built_what_is_under_way_is_finished(void **state)
{
	struct pulumi_bench *bench = *state;
	AUTO(free) char *history = NULL;
	char id[37];

	pulumi_bench_template(bench, "counted");
	pulumi_bench_switch(bench, "gate", "");
	world_start(bench->world);
	pulumi_bench_create(bench, "a", "counted", id);
	assert_true(eventually(has_begun, bench, BUILD_MS));
	pulumi_bench_destroy(bench, id);
	assert_true(eventually(is_stopping, bench, BUILD_MS));
	pulumi_bench_unswitch(bench, "gate");
	world_wait(bench->world, id, "destroyed", BUILD_MS);
	history = pulumi_bench_history(bench, id);
	/* The CLI has noted what it made, so there was nothing to be looked up. */
	assert_null(strstr(history, "was interrupted: looking"));
	assert_null(strstr(history, "app started"));
	assert_int_equal(pulumi_bench_count(bench, ""), 0);
}

static void destroying_needs_no_program(void **state)
{
	struct pulumi_bench *bench = *state;
	AUTO(free) char *checkout = NULL;
	struct error err;
	char id[37];

	pulumi_bench_template(bench, "counted");
	world_start(bench->world);
	pulumi_bench_create(bench, "a", "counted", id);
	world_wait(bench->world, id, "ready", BUILD_MS);
	checkout = pulumi_bench_path(bench, id, "checkout");
	assert_true(folder_remove(checkout, &err));
	pulumi_bench_destroy(bench, id);
	world_wait(bench->world, id, "destroyed", BUILD_MS);
	assert_int_equal(pulumi_bench_count(bench, ""), 0);
}

#define ON_BENCH(story) cmocka_unit_test_setup_teardown(story, open_bench, close_bench)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BENCH(layers_are_built_in_order_and_removed_in_reverse),
		ON_BENCH(a_need_that_nobody_wrote_down_is_named),
		ON_BENCH(the_lock_holds_versions_and_hashes),
		ON_BENCH(what_failed_is_built_on_and_not_anew),
		ON_BENCH(two_at_once_see_nothing_of_each_other),
		ON_BENCH(a_checkout_is_of_the_commit_that_was_asked_for),
		ON_BENCH(a_secret_is_written_nowhere_in_clear),
		ON_BENCH(stopped_while_it_is_built_what_is_under_way_is_finished),
		ON_BENCH(destroying_needs_no_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
