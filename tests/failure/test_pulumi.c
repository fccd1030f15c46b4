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
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/files.h"
#include "base/json_read.h"
#include "engine/pulumi/pulumi_place.h"
#include "tests/support/eventually.h"
#include "tests/support/engine_stage.h"
#include "tests/support/pulumi_bench.h"

/* A call that stands still is given up after two minutes. */
enum { BUILD_MS = 150000, MEANWHILE_MS = 90000, THINGS = 7 };

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
	pulumi_bench_build(bench, "a", "three", id);
	env = pulumi_bench_get(bench, id);
	assert_string_equal(json_string_value(dig(env, "outputs", "url")), "http://one/red/1.20");
	history = pulumi_bench_history(bench, id);
	comes_before(history, "one started", "two started");
	comes_before(history, "two ready", "three started");
	assert_null(strstr(history, "does not say that it needs it"));
	assert_true(is_there(bench, id, "passphrase"));

	pulumi_bench_end(bench, id);
	gone = pulumi_bench_get(bench, id);
	assert_string_equal(json_get_string(gone, "reason", ""), "requested");
	later = pulumi_bench_history(bench, id);
	stage_contains(later, "proved gone");
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
	pulumi_bench_build(bench, "a", "three", id);
	history = pulumi_bench_history(bench, id);
	stage_contains(history,
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
	pulumi_bench_build(bench, "a", "counted", id);
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
	pulumi_bench_build(bench, "a", "counted", id);
	history = pulumi_bench_history(bench, id);
	stage_contains(history,
		       "layer \"app\": Exception calling application: the world refuses app1");
	stage_contains(history, "built by an earlier attempt");
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
	pulumi_bench_end(bench, first);
	assert_int_equal(pulumi_bench_count(bench, ""), THINGS);
}

static void a_template_changes_its_own_copy_and_asks_it_for_its_order(void **state)
{
	struct pulumi_bench *bench = *state;
	AUTO(json_decref) json_t *env = NULL;
	AUTO(free) char *history = NULL;
	AUTO(free) char *untouched = NULL;
	AUTO(free)
	char *path = path_join(bench->world->templates, "three/checkout/one/Pulumi.yaml");
	struct error err;
	char id[37];

	pulumi_bench_template(bench, "three");
	pulumi_bench_edit(bench, "three", "layers.yaml", "config:\n",
			  "order: [echo, '[\"one\", \"two\", \"three\", \"four\"]']\n"
			  "changes:\n"
			  "  - { rewrite: one/Pulumi.yaml, key: url, matching: \"http:*\", to: "
			  "\"https://changed/$${color}\", reason: r }\n"
			  "  - { patch: add.patch, reason: r }\n"
			  "  - { patch: missing.patch, when: { color: blue }, reason: r }\n"
			  "config:\n");
	/* A project that layers.yaml does not know. */
	world_write(bench->world, "three", "add.patch",
		    "diff --git a/four/Pulumi.yaml b/four/Pulumi.yaml\nnew file mode 100644\n"
		    "--- /dev/null\n+++ b/four/Pulumi.yaml\n@@ -0,0 +1,2 @@\n+name: four\n"
		    "+runtime: yaml\n");
	world_start(bench->world);
	pulumi_bench_build(bench, "a", "three", id);
	env = pulumi_bench_get(bench, id);
	assert_string_equal(json_string_value(dig(env, "outputs", "url")),
			    "https://changed/red/1.20");
	history = pulumi_bench_history(bench, id);
	comes_before(history, "three ready", "four started");
	assert_true(file_read(path, 10000, &untouched, NULL, &err));
	assert_null(strstr(untouched, "changed"));
	pulumi_bench_end(bench, id);
}

static void one_is_made_like_another_and_nothing_is_different(void **state)
{
	struct pulumi_bench *bench = *state;
	AUTO(free) char *same = NULL;
	AUTO(free) char *other = NULL;
	char id[37];

	pulumi_bench_template(bench, "three");
	world_start(bench->world);
	pulumi_bench_build(bench, "a", "three", id);
	assert_int_equal(world_envctl(bench->world, NULL, "create", "--like", "a", "--name", "b",
				      "--ttl", "10m", NULL),
			 0);
	assert_int_equal(world_envctl(bench->world, &same, "diff", "a", "b", NULL), 0);
	assert_int_equal(world_envctl(bench->world, NULL, "create", "three", "--name", "c", "--ttl",
				      "10m", "--param", "color=blue", NULL),
			 0);
	assert_int_equal(world_envctl(bench->world, &other, "diff", "a", "c", NULL), 7);
	stage_contains(other, "inputs.parameters.color");
	stage_contains(other, "inputs.layers.one.config_hash");
}

/* Before the real CLI: where it is to write a secret down it waits for somebody to let go. */
static void stall_secrets(const struct pulumi_bench *bench, const char *let_go)
{
	AUTO(free) char *real = find_on_path("pulumi");
	AUTO(free) char *script = NULL;
	AUTO(free) char *own = path_join(bench->world->folder, "stalling");
	AUTO(free) char *program = path_join(own, "pulumi");
	AUTO(free) char *path = xasprintf("%s:%s", own, getenv("PATH"));
	struct error err;

	assert_non_null(real);
	script = xasprintf("#!/bin/sh\n[ \"$1\" != config ] || read -r _ <'%s'\nexec '%s' \"$@\"\n",
			   let_go, real);
	assert_true(folder_make(own, 0700, &err));
	assert_true(file_write_atomically(program, script, strlen(script), 0700, &err));
	assert_int_equal(mkfifo(let_go, 0600), 0);
	setenv("PATH", path, 1);
}

static bool aside_is_built(void *arg)
{
	AUTO(free) char *history = pulumi_bench_history(arg, "a");

	return strstr(history, "aside ready") != NULL;
}

static void while_a_secret_is_written_down_other_layers_go_on(void **state)
{
	struct pulumi_bench *bench = *state;
	AUTO(free) char *before = xstrdup(getenv("PATH"));
	AUTO(free) char *let_go = path_join(bench->world->folder, "let-go");
	AUTO(close) int hold = -1;
	char id[37], now[32];

	pulumi_bench_template(bench, "three");
	pulumi_bench_edit(bench, "three", "layers.yaml", "layers:\n",
			  "layers:\n  - { name: aside, up: [\"true\"] }\n");
	stall_secrets(bench, let_go);
	world_start(bench->world);
	setenv("PATH", before, 1);
	pulumi_bench_create(bench, "a", "three", id);
	assert_true(eventually(aside_is_built, bench, MEANWHILE_MS));
	world_state(bench->world, id, now);
	assert_string_equal(now, "provisioning");
	/* Open to read as well: whoever comes finds a line, and nobody waits for a writer. */
	hold = open(let_go, O_RDWR | O_CLOEXEC);
	assert_true(hold >= 0);
	assert_int_equal(write(hold, "\n\n\n", 3), 3);
	world_wait(bench->world, id, "ready", BUILD_MS);
}

#define ON_BENCH(story)                                                                            \
	cmocka_unit_test_setup_teardown(story, pulumi_bench_open, pulumi_bench_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BENCH(layers_are_built_in_order_and_removed_in_reverse),
		ON_BENCH(a_need_that_nobody_wrote_down_is_named),
		ON_BENCH(the_lock_holds_versions_and_hashes),
		ON_BENCH(a_template_changes_its_own_copy_and_asks_it_for_its_order),
		ON_BENCH(one_is_made_like_another_and_nothing_is_different),
		ON_BENCH(what_failed_is_built_on_and_not_anew),
		ON_BENCH(two_at_once_see_nothing_of_each_other),
		ON_BENCH(while_a_secret_is_written_down_other_layers_go_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
