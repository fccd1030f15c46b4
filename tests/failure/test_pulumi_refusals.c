/*
 * What is wrong is said before anything is built, and names the thing: with the real CLI.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/files.h"
#include "base/json_read.h"
#include "base/text.h"
#include "tests/support/eventually.h"
#include "tests/support/engine_stage.h"
#include "tests/support/pulumi_bench.h"

enum { BUILD_MS = 150000 };

/* One change to a template that works, and what is said about it. */
static const struct refusal {
	const char *name, *file, *from, *to, *says;
} refusals[] = {
	{ "no-exact-version", "layers.yaml", "\"3.259.0\"", "latest",
	  "\"pulumi\" must be the exact version of its CLI, such as \"3.259.0\" (got \"latest\")" },
	{ "needs-unknown", "layers.yaml", "project: two, needs: [one]",
	  "project: two, needs: [onne]", "layer \"two\" needs \"onne\", which is not there" },
	{ "other-version", "layers.yaml", "3.259.0", "3.258.1",
	  "is version 3.259.0, version 3.258.1 is wanted" },
	{ "project-gone", "layers.yaml", "project: two", "project: nowhere",
	  "the checkout has no project \"nowhere\"" },
	{ "project-new", "layers.yaml", "  - { name: three, project: three, needs: [one] }\n", "",
	  "has a project \"three\" that layers.yaml does not list" },
	{ "no-checkout", "layers.yaml", "folder: checkout", "folder: elsewhere",
	  "no folder \"elsewhere\"" },
	{ "no-source", "layers.yaml", "folder: checkout", "source: nowhere",
	  "source \"nowhere\", which the server does not have" },
	{ "config-type", "checkout/two/Pulumi.yaml", "configuration:\n",
	  "config: { version: { type: integer } }\nconfiguration:\n",
	  "\"two:version\" must be of type integer (got 1.20)" },
	{ "no-parameter", "layers.yaml", "${parameters.color}", "${parameters.colour}",
	  "nothing is called \"parameters.colour\"" },
	{ "no-secret", "layers.yaml", "{ random: 20 }", "{ variable: ENVD_SECRET_NOT_THERE }",
	  "the server has no variable ENVD_SECRET_NOT_THERE" },
	{ "no-secret-file", "layers.yaml", "{ random: 20 }", "{ file: /nonexistent/secret }",
	  "secret \"one:password\"" },
	{ "no-plugin", "layers.yaml", "config:\n", "plugins: { needed: [nothing] }\nconfig:\n",
	  "there is no pulumi-resource-nothing" },
	{ "no-kubeconfig", "layers.yaml", "config:\n", "kubeconfig: /nonexistent/kube\nconfig:\n",
	  "the kubeconfig \"/nonexistent/kube\" cannot be read: No such file or directory" },
	{ "relative-kubeconfig", "layers.yaml", "config:\n", "kubeconfig: kube\nconfig:\n",
	  "the kubeconfig must be a file of the server by its absolute path (got \"kube\")" },
	{ "contextless-kubeconfig", "layers.yaml", "config:\n", "kubeconfig: /dev/null\nconfig:\n",
	  "the kubeconfig: /dev/null: it has no current context" },
	{ "other-kubeconfig", "layers.yaml", "config:\n",
	  "config:\n  \"kubernetes:kubeconfig\": /etc/rancher/k3s/k3s.yaml\n",
	  "must be ${kubeconfig}" },
	{ "no-python", "layers.yaml", "config:\n", "python: { version: \"9.9\" }\nconfig:\n",
	  "there is no python9.9" },
	{ "two-of-a-name", "checkout/two/Pulumi.yaml", "name: two", "name: three",
	  "are both project \"three\"" },
	{ "other-checkout", "layers.yaml", "{ folder: checkout }",
	  "{ folder: checkout, expects: [ { path: four, why: this is another shop } ] }",
	  "this is another shop (the checkout has no \"four\")" },
	{ "rewrite-missed", "layers.yaml", "config:\n",
	  "changes: [ { rewrite: \"*/x.yaml\", key: image, pin: app, reason: r } ]\nconfig:\n",
	  "component \"app\": nothing in \"*/x.yaml\" of the checkout has a \"image\"" },
	{ "patch-unfit", "layers.yaml", "config:\n",
	  "changes: [ { patch: layers.yaml, reason: r } ]\nconfig:\n", "patch \"layers.yaml\": " },
	{ "copy-missing", "layers.yaml", "config:\n",
	  "changes: [ { copy: own/x, to: x, reason: r } ]\nconfig:\n",
	  "the template has no \"own/x\"" },
	{ "order-failed", "layers.yaml", "config:\n",
	  "order: [sh, -c, \"echo error: no such cloud >&2; exit 1\"]\nconfig:\n",
	  "no such cloud" },
	{ "order-unread", "layers.yaml", "config:\n", "order: [echo, one]\nconfig:\n",
	  "did not print a JSON list" },
	{ "when-unknown", "layers.yaml", "project: two,", "project: two, when: { colour: red },",
	  "there is no parameter \"colour\"" },
	{ "no-adapter", "layers.yaml", "layers:\n",
	  "inventory: { gcp: { adapter: gcp, tags: [a], credentials: { file: /dev/null } } "
	  "}\nlayers:\n",
	  "there is no adapter \"gcp\" (one of aws, digitalocean, linode)" },
	{ "no-regions", "layers.yaml", "layers:\n",
	  "inventory: { aws: { adapter: aws, tags: [a], credentials: { file: /dev/null } } "
	  "}\nlayers:\n",
	  "inventory \"aws\" needs \"regions\"" },
	{ "fits-all", "layers.yaml", "layers:\n",
	  "inventory: { do: { adapter: digitalocean, names: [\"*\"], credentials: { file: "
	  "/dev/null } } }\n"
	  "layers:\n",
	  "\"*\" would fit everything" },
	{ "no-token", "layers.yaml", "layers:\n",
	  "inventory: { do: { adapter: digitalocean, tags: [a], credentials: { file: /dev/null } } "
	  "}\n"
	  "layers:\n",
	  "secret \"envd:credentials\" is empty" },
	{ "in-clear", "layers.yaml", "layers:\n",
	  "inventory: { do: { adapter: digitalocean, tags: [a], endpoint: \"http://example.com\", "
	  "credentials: { file: /dev/null } } }\nlayers:\n",
	  "an endpoint must begin with https://" },
	{ "other-backend", "layers.yaml", "layers:\n",
	  "backend: { url: \"gs://states\", credentials: { file: /dev/null } }\nlayers:\n",
	  "the backend must begin with s3:// or https://" },
	{ "no-region", "layers.yaml", "layers:\n",
	  "backend: { url: \"s3://states\", credentials: { file: /dev/null } }\nlayers:\n",
	  "needs a region" },
	{ "other-kms", "layers.yaml", "layers:\n",
	  "backend: { url: \"s3://states?region=x\", secrets: \"gcpkms://k\", credentials: { file: "
	  "/dev/null "
	  "} }\nlayers:\n",
	  "must be \"passphrase\" or begin with awskms://" },
	{ "no-organization", "layers.yaml", "layers:\n",
	  "backend: { url: \"https://api.pulumi.com\", credentials: { file: /dev/null } "
	  "}\nlayers:\n",
	  "needs its \"organization\"" },
	{ "not-yaml", "layers.yaml", "layers:\n", "layers: [\n", "layers.yaml:" },
};

static void a_mistake_is_named_before_anything_is_built(void **state)
{
	struct pulumi_bench *bench = *state;
	char ids[ARRAY_SIZE(refusals)][37];

	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		pulumi_bench_template_as(bench, "three", refusals[i].name);
		pulumi_bench_edit(bench, refusals[i].name, refusals[i].file, refusals[i].from,
				  refusals[i].to);
	}
	world_start(bench->world);
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++)
		pulumi_bench_create(bench, refusals[i].name, refusals[i].name, ids[i]);
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		AUTO(free) char *message = pulumi_bench_failure(bench, ids[i]);
		AUTO(free) char *stacks = pulumi_bench_path(bench, ids[i], "backend/.pulumi");

		stage_contains(message, refusals[i].says);
		assert_false(file_exists(stacks));
	}
}

static void pips_line_that_matters_is_the_message(void **state)
{
	struct pulumi_bench *bench = *state;
	AUTO(free) char *message = NULL;
	char id[37];

	pulumi_bench_template(bench, "counted");
	pulumi_bench_edit(bench, "counted", "checkout/requirements.txt", "pulumi==3.259.0",
			  "pulumi==99.0.0");
	world_start(bench->world);
	pulumi_bench_create(bench, "a", "counted", id);
	message = pulumi_bench_failure(bench, id);
	stage_contains(message, "No matching distribution found for pulumi==99.0.0");
}

static void a_template_that_is_not_trusted_runs_nothing(void **state)
{
	struct pulumi_bench *bench = *state;
	AUTO(free) char *argument = xasprintf("--untrusted-templates=%s", bench->world->templates);
	AUTO(free) char *message = NULL;
	AUTO(free) char *elsewhere = xasprintf("%s/other", bench->world->folder);
	struct error err;
	char id[37];

	pulumi_bench_template(bench, "three");
	world_argument(bench->world, argument);
	/* The folder of trusted ones is another one. */
	assert_true(folder_make(elsewhere, 0755, &err));
	snprintf(bench->world->templates, sizeof(bench->world->templates), "%s", elsewhere);
	world_start(bench->world);
	pulumi_bench_create(bench, "a", "three", id);
	message = pulumi_bench_failure(bench, id);
	stage_contains(message, "is not trusted");
}

/* ---- what shows only later ---- */

static void write_passphrase(const struct pulumi_bench *bench, const char *id, const char *text)
{
	AUTO(free) char *path = pulumi_bench_path(bench, id, "passphrase");
	struct error err;

	assert_true(file_write_atomically(path, text, strlen(text), 0600, &err));
}

struct awaited_words {
	struct pulumi_bench *bench;
	const char *id, *words;
};

static bool is_said(void *arg)
{
	struct awaited_words *awaited = arg;
	AUTO(free) char *history = pulumi_bench_history(awaited->bench, awaited->id);

	return strstr(history, awaited->words);
}

static void await_words(struct pulumi_bench *bench, const char *id, const char *words)
{
	struct awaited_words awaited = { bench, id, words };

	if (!eventually(is_said, &awaited, BUILD_MS)) {
		AUTO(free) char *history = pulumi_bench_history(bench, id);

		fail_msg("never said \"%s\":\n%s", words, history);
	}
}

static void a_passphrase_that_does_not_fit_is_said_and_loses_nothing(void **state)
{
	struct pulumi_bench *bench = *state;
	AUTO(free) char *path = NULL;
	AUTO(free) char *right = NULL;
	struct error err;
	char id[37];

	pulumi_bench_template(bench, "three");
	/* A secret in the state, which cannot be read without. */
	pulumi_bench_edit(bench, "three", "checkout/one/Pulumi.yaml", "outputs:\n",
			  "outputs:\n  hidden: { \"fn::secret\": hello }\n");
	world_start(bench->world);
	pulumi_bench_build(bench, "a", "three", id);
	path = pulumi_bench_path(bench, id, "passphrase");
	assert_true(file_read(path, 4096, &right, NULL, &err));
	write_passphrase(bench, id, "another one");
	pulumi_bench_destroy(bench, id);
	await_words(bench, id, "incorrect passphrase");
	write_passphrase(bench, id, right);
	world_wait(bench->world, id, "destroyed", BUILD_MS);
}

static void what_cannot_be_removed_is_named_and_the_rest_goes(void **state)
{
	struct pulumi_bench *bench = *state;
	char id[37];

	pulumi_bench_template(bench, "counted");
	world_start(bench->world);
	pulumi_bench_build(bench, "a", "counted", id);
	pulumi_bench_switch(bench, "keep", "app1");
	pulumi_bench_destroy(bench, id);
	await_words(bench, id, "destroying failed (attempt 1)");
	assert_int_equal(pulumi_bench_count(bench, "app"), 1);
	assert_int_equal(pulumi_bench_count(bench, "side"), 0);
	/* What the layer stands on stays until it is gone. */
	assert_int_equal(pulumi_bench_count(bench, "net"), 3);
	{
		AUTO(json_decref) json_t *env = pulumi_bench_get(bench, id);
		AUTO(free) char *shown = json_to_text(env);

		stage_contains(shown, "app/app1");
		stage_contains(shown, "the world keeps app1");
	}
	pulumi_bench_unswitch(bench, "keep");
	world_wait(bench->world, id, "destroyed", BUILD_MS);
	assert_int_equal(pulumi_bench_count(bench, ""), 0);
}

static bool is_quarantined(void *arg)
{
	struct awaited_words *awaited = arg;
	AUTO(json_decref) json_t *env = pulumi_bench_get(awaited->bench, awaited->id);

	return json_get_bool(env, "quarantined", false);
}

/* Not while it is being tried again. */
static bool is_acknowledged(void *arg)
{
	struct awaited_words *awaited = arg;
	AUTO(json_decref) json_t *body = json_pack("{s:s}", "name", "a");
	AUTO(free) char *target = xasprintf("/v1/environments/%s/acknowledge", awaited->id);
	int status;

	json_decref(world_ask(awaited->bench->world, "POST", target, body, &status));
	return status == 200;
}

static void without_an_inventory_it_is_a_debt_until_somebody_takes_it_on(void **state)
{
	struct pulumi_bench *bench = *state;
	struct awaited_words awaited = { .bench = bench };
	AUTO(json_decref) json_t *env = NULL;
	char id[37];

	pulumi_bench_template(bench, "counted");
	pulumi_bench_edit(bench, "counted", "layers.yaml",
			  "inventory:\n  pulumi-python: { list: [hooks/world, list], remove: "
			  "[hooks/world, remove] }\n",
			  "");
	world_start(bench->world);
	pulumi_bench_build(bench, "a", "counted", id);
	pulumi_bench_destroy(bench, id);
	awaited.id = id;
	if (!eventually(is_quarantined, &awaited, BUILD_MS))
		fail_msg("not quarantined");
	/* Its books are empty, and that is not enough. */
	assert_int_equal(pulumi_bench_count(bench, ""), 0);
	await_words(bench, id, "provider \"pulumi-python\" has no inventory");
	assert_true(eventually(is_acknowledged, &awaited, BUILD_MS));
	world_wait(bench->world, id, "destroyed", BUILD_MS);
	env = pulumi_bench_get(bench, id);
	assert_string_equal(json_get_string(env, "reason", ""), "acknowledged");
}

#define ON_BENCH(story)                                                                            \
	cmocka_unit_test_setup_teardown(story, pulumi_bench_open, pulumi_bench_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BENCH(a_mistake_is_named_before_anything_is_built),
		ON_BENCH(pips_line_that_matters_is_the_message),
		ON_BENCH(a_template_that_is_not_trusted_runs_nothing),
		ON_BENCH(a_passphrase_that_does_not_fit_is_said_and_loses_nothing),
		ON_BENCH(what_cannot_be_removed_is_named_and_the_rest_goes),
		ON_BENCH(without_an_inventory_it_is_a_debt_until_somebody_takes_it_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
