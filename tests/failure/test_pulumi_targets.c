/*
 * Pulumi environments on targets of the targets file, by the real CLI: an account that has no more
 * gives way to the next one, and nothing of the first attempt is left.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <dirent.h>
#include <cmocka.h>

#include "base/files.h"
#include "base/json_read.h"
#include "base/text.h"
#include "tests/support/engine_stage.h"
#include "tests/support/pulumi_bench.h"

enum { BUILD_MS = 200000, THINGS = 7 };

static void write_file(const struct world *world, const char *name, const char *text)
{
	AUTO(free) char *path = path_join(world->folder, name);
	struct error err;

	assert_true(file_write_atomically(path, text, strlen(text), 0600, &err));
}

/* "~" is the world's folder. */
static void use_targets(struct world *world, const char *text)
{
	AUTO(free) char *argument = xasprintf("--targets-file=%s/targets.yaml", world->folder);
	struct text whole = TEXT_EMPTY;
	AUTO(free) char *filled = NULL;

	for (const char *at = text; *at; at++) {
		if (*at == '~')
			text_add(&whole, world->folder);
		else
			text_add_bytes(&whole, at, 1);
	}
	filled = text_take(&whole);
	write_file(world, "targets.yaml", filled);
	world_argument(world, argument);
}

/* Things whose files name this account. */
static size_t count_of_account(const struct pulumi_bench *bench, const char *account)
{
	AUTO(free) char *words = xasprintf("\"account\": \"%s\"", account);
	DIR *folder = opendir(bench->things);
	struct dirent *entry;
	size_t count = 0;

	assert_non_null(folder);
	while ((entry = readdir(folder))) {
		AUTO(free) char *path = path_join(bench->things, entry->d_name);
		AUTO(free) char *text = NULL;
		struct error err;

		if (text_starts_with(entry->d_name, "thing-") &&
		    file_read(path, 1 << 16, &text, NULL, &err))
			count += strstr(text, words) != NULL;
	}
	closedir(folder);
	return count;
}

static void an_account_without_quota_gives_way_and_keeps_nothing(void **state)
{
	struct pulumi_bench *bench = *state;
	AUTO(json_decref) json_t *env = NULL;
	AUTO(free) char *history = NULL;
	char id[37];

	use_targets(bench->world, "targets:\n"
				  "  - name: account-1\n"
				  "    kind: aws\n"
				  "    credentials: { WORLD_ACCOUNT: { file: \"~/one\" } }\n"
				  "  - name: account-2\n"
				  "    kind: aws\n"
				  "    credentials: { WORLD_ACCOUNT: { file: \"~/two\" } }\n");
	write_file(bench->world, "one", "first-account\n");
	write_file(bench->world, "two", "second-account\n");
	pulumi_bench_template(bench, "counted");
	pulumi_bench_switch(bench, "refuse-once", "app1");
	pulumi_bench_switch(bench, "words", ": VcpuLimitExceeded: you have requested more vCPUs");
	world_start(bench->world);
	pulumi_bench_build(bench, "a", "counted", id);
	env = pulumi_bench_get(bench, id);
	assert_string_equal(json_get_string(env, "target", ""), "account-2");
	assert_int_equal(count_of_account(bench, "first-account"), 0);
	assert_int_equal(count_of_account(bench, "second-account"), THINGS);
	history = pulumi_bench_history(bench, id);
	stage_contains(history, "target \"account-1\" has no room for it");
	stage_contains(history, "VcpuLimitExceeded");
	stage_contains(history, "nothing is left on target \"account-1\"");
	/* What was known of the first attempt is kept; what opens it is not. */
	{
		AUTO(free) char *claim = pulumi_bench_path(bench, id, "claim");
		AUTO(free) char *former = pulumi_bench_path(bench, id, "../pulumi-1/states");
		AUTO(free) char *secret = pulumi_bench_path(bench, id, "../pulumi-1/passphrase");

		assert_true(file_exists(claim));
		assert_true(file_exists(former));
		assert_false(file_exists(secret));
	}
	pulumi_bench_end(bench, id);
	assert_int_equal(pulumi_bench_count(bench, ""), 0);
}

static void
a_target_of_which_the_cluster_does_not_answer_is_said_before_anything_is_built(void **state)
{
	struct pulumi_bench *bench = *state;
	AUTO(free) char *why = NULL, *other = NULL;
	char id[37];

	use_targets(bench->world,
		    "targets:\n  - { name: lab, kubeconfig: \"~/lab.kubeconfig\" }\n");
	write_file(bench->world, "lab.kubeconfig",
		   "apiVersion: v1\nkind: Config\ncurrent-context: x\n"
		   "contexts: [{ name: x, context: { cluster: x, user: x } }]\n"
		   "clusters: [{ name: x, cluster: { server: 'https://127.0.0.1:1' } }]\n"
		   "users: [{ name: x, user: { token: t } }]\n");
	pulumi_bench_template(bench, "counted");
	pulumi_bench_template_as(bench, "counted", "counted-astray");
	pulumi_bench_edit(bench, "counted-astray", "layers.yaml", "layers:\n",
			  "kubeconfig: /etc/hostname\nlayers:\n");
	world_start(bench->world);
	pulumi_bench_create(bench, "a", "counted", id);
	why = pulumi_bench_failure(bench, id);
	stage_contains(why, "cluster https://127.0.0.1:1 does not answer");
	world_wait(bench->world, id, "destroyed", BUILD_MS);
	pulumi_bench_create(bench, "b", "counted-astray", id);
	other = pulumi_bench_failure(bench, id);
	stage_contains(other, "target \"lab\" has a kubeconfig of its own");
	assert_int_equal(pulumi_bench_count(bench, ""), 0);
}

/* ---- one that is made ---- */

static void copy_script(const struct pulumi_bench *bench, const char *from, const char *folder,
			const char *name)
{
	AUTO(free)
	char *command = xasprintf("mkdir -p %s/%s && cp %s %s/%s/%s", bench->world->folder, folder,
				  from, bench->world->folder, folder, name);

	assert_int_equal(system(command), 0);
}

static void put_on_path(const struct world *world, const char *folder)
{
	AUTO(free) char *path = xasprintf("%s/%s:%s", world->folder, folder, getenv("PATH"));

	setenv("PATH", path, 1);
}

static void use_made_cluster(struct pulumi_bench *bench)
{
	AUTO(free)
	char *variables =
	    xasprintf("variables:\n  FAKE_CLUSTERS: %s/clusters\n", bench->world->folder);

	pulumi_bench_template(bench, "counted");
	copy_script(bench, "templates/clusters/k3d", "templates/counted/hooks", "k3d");
	copy_script(bench, "tests/support/fake_cluster_tool", "bin", "k3d");
	put_on_path(bench->world, "bin");
	pulumi_bench_edit(bench, "counted", "layers.yaml", "variables:\n", variables);
	pulumi_bench_edit(bench, "counted", "layers.yaml", "layers:\n",
			  "layers:\n  - { name: cluster, up: [hooks/k3d, up], down: [hooks/k3d, "
			  "down] }\n");
	pulumi_bench_edit(bench, "counted", "layers.yaml", "project: net }",
			  "project: net, needs: [cluster] }");
	pulumi_bench_edit(bench, "counted", "layers.yaml", "inventory:\n",
			  "inventory:\n  cluster: { list: [hooks/k3d, list], remove: [hooks/k3d, "
			  "down] }\n");
}

static void a_cluster_is_made_for_one_environment_and_goes_last(void **state)
{
	struct pulumi_bench *bench = *state;
	AUTO(free) char *calls_path = path_join(bench->world->folder, "clusters.calls");
	AUTO(free) char *name = NULL, *cluster = NULL, *kubeconfig = NULL, *text = NULL;
	AUTO(free) char *history = NULL;
	struct error err;
	char id[37];

	use_made_cluster(bench);
	use_targets(bench->world, "targets:\n  - { name: machine, kind: k3d, environments: 2 }\n");
	world_start(bench->world);
	pulumi_bench_build(bench, "a", "counted", id);
	name = xasprintf("clusters/envd-%.8s", id);
	cluster = path_join(bench->world->folder, name);
	assert_true(file_exists(cluster));
	kubeconfig = pulumi_bench_path(bench, id, "kubeconfig");
	assert_true(file_read(kubeconfig, 1 << 16, &text, NULL, &err));
	stage_contains(text, "https://envd-");
	assert_int_equal(pulumi_bench_count(bench, ""), THINGS);

	pulumi_bench_end(bench, id);
	assert_false(file_exists(cluster));
	assert_int_equal(pulumi_bench_count(bench, ""), 0);
	history = pulumi_bench_history(bench, id);
	stage_contains(strstr(history, "net removed") ? strstr(history, "net removed") : history,
		       "cluster removed");
	free(text);
	assert_true(file_read(calls_path, 1 << 16, &text, NULL, &err));
	stage_contains(text, "k3d cluster delete envd-");
}

#define STORY(story) cmocka_unit_test_setup_teardown(story, pulumi_bench_open, pulumi_bench_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(an_account_without_quota_gives_way_and_keeps_nothing),
		STORY(a_cluster_is_made_for_one_environment_and_goes_last),
		STORY(
		    a_target_of_which_the_cluster_does_not_answer_is_said_before_anything_is_built),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
