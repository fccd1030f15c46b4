#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/text.h"
#include "model/layer_list.h"

#define HEAD "pulumi: 3.259.0\ncheckout: { folder: projects }\n"
#define ONE "layers: [ { name: one, project: a } ]\n"

static struct layer_list *must_read(const char *text)
{
	struct layer_list *list = NULL;
	struct error err;

	if (!layer_list_parse(text, strlen(text), "layers.yaml", &list, &err))
		fail_msg("refused: %s", err.message);
	return list;
}

static void must_refuse(const char *text, const char *words)
{
	struct layer_list *list = NULL;
	struct error err = { .code = ERR_NONE };

	if (layer_list_parse(text, strlen(text), "layers.yaml", &list, &err))
		fail_msg("accepted:\n%s", text);
	assert_int_equal(err.code, ERR_INVALID);
	if (!strstr(err.message, words))
		fail_msg("says \"%s\", expected \"%s\"", err.message, words);
}

static void everything_that_is_said_is_read(void **state)
{
	struct layer_list *list = must_read(
	    "pulumi: \"3.259.0\"\n"
	    "checkout: { source: mara, ref: \"${components.mara}\", root: pulumi/python, ignore: "
	    "[tools/*] }\n"
	    "python: { version: \"3.11\", requirements: req.txt, venv: pulumi/python/venv }\n"
	    "kubeconfig: \"${parameters.kubeconfig}\"\n"
	    "variables: { AWS_REGION: \"${parameters.region}\" }\n"
	    "config: { \"eks:min_size\": 3, \"kic:tag\": \"1.20\", \"vpc:azs\": [a, b] }\n"
	    "secrets: { \"sirius:pwd\": { random: 16 }, \"aws:key\": { variable: ENVD_SECRET_KEY } "
	    "}\n"
	    "plugins: { acquire: true, needed: [kubernetes] }\n"
	    "parallel: 8\n"
	    "layers:\n"
	    "  - { name: vpc, project: infrastructure/aws/vpc, limit: 10m }\n"
	    "  - { name: merge, up: [hooks/merge, --all], down: [hooks/unmerge], needs: [vpc] }\n"
	    "inventory: { aws: { list: [hooks/aws], remove: [hooks/aws-rm] } }\n"
	    "forwards: { grafana: { namespace: prometheus, service: prometheus-grafana, port: 80, "
	    "local: 3000 } }\n");

	(void)state;
	assert_string_equal(list->pulumi_version, "3.259.0");
	assert_string_equal(list->source, "mara");
	assert_string_equal(list->ignored[0], "tools/*");
	assert_string_equal(list->venv_link, "pulumi/python/venv");
	assert_true(list->acquires_plugins);
	assert_int_equal(list->parallel, 8);
	assert_int_equal(json_integer_value(json_object_get(list->config.plain, "eks:min_size")),
			 3);
	assert_int_equal(list->config.secret_count, 2);
	assert_int_equal(list->config.secrets[0].length, 16);
	assert_int_equal(list->layers[0].limit_ms, 600000);
	assert_string_equal(list->layers[1].up[1], "--all");
	assert_int_equal(list->graph->layers[1].level, 1);
	assert_non_null(layer_list_inventory(list, "aws")->remove);
	assert_null(layer_list_inventory(list, "linode"));
	assert_int_equal(layer_forward_find(&list->forwards, "grafana")->local, 3000);
	assert_null(layer_forward_find(&list->forwards, "kibana"));
	layer_list_free(list);
}

static void a_mistake_is_named_with_its_place(void **state)
{
	static const char *const versions[] = { "latest",   "\"\"",     "3",           "3.259",
						"v3.259.0", "3.259.0x", "\"^3.259.0\"" };

	(void)state;
	must_refuse("checkout: { folder: x }\n" ONE, "\"pulumi\" is missing");
	must_refuse("pulumi: 3.259.0\ncheckout: { folder: a }\n" ONE
		    "forwards: { a: { namespace: b, service: \"c/../d\", port: 80 } }\n",
		    "must be a name of Kubernetes");
	must_refuse("pulumi: 3.259.0\ncheckout: { folder: a }\n" ONE
		    "forwards: { a: { namespace: b, service: c, port: 80000 } }\n",
		    "must be 1 to 65535");
	must_refuse("pulumi: 3.259.0\n" ONE, "\"checkout\" is missing");
	must_refuse("pulumi: 3.259.0\ncheckout: { folder: a, source: b }\n" ONE,
		    "either \"folder\"");
	must_refuse("pulumi: 3.259.0\ncheckout: { folder: ../a }\n" ONE, "inside of the checkout");
	must_refuse(HEAD "layers: []\n", "1 to 100 layers");
	must_refuse(HEAD "layers: [ { name: one } ]\n", "either \"project\" or \"up\"");
	must_refuse(HEAD "layers: [ { name: one, project: a, up: [x] } ]\n",
		    "either \"project\" or");
	must_refuse(HEAD "layers: [ { name: one, project: a, needs: [two] } ]\n",
		    "layers.yaml:3:43: layer \"one\" needs \"two\", which is not there");
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		AUTO(free)
		char *text = xasprintf("pulumi: %s\ncheckout: { folder: a }\n" ONE, versions[i]);

		must_refuse(text,
			    "layers.yaml:1:9: \"pulumi\" must be the exact version of its CLI");
	}
	must_refuse(HEAD "layers: [ { name: one, project: /etc } ]\n", "inside of the checkout");
	must_refuse(HEAD "layers: [ { name: a/b, project: a } ]\n", "a layer needs a \"name\"");
	must_refuse(HEAD "layers: [ { name: a, project: a }, { name: b, project: a } ]\n",
		    "that of layer \"a\" already");
	must_refuse(HEAD "layers: [ { name: a, project: a, needs: [b] }, { name: b, project: b, "
			 "needs: [a] } ]\n",
		    "circle");
	must_refuse(HEAD "layres: []\n" ONE, "unknown key \"layres\"");
	must_refuse(HEAD "parallel: 0\n" ONE, "between 1 and 32");
}

static void a_key_that_pulumi_would_refuse_is_refused_here(void **state)
{
	(void)state;
	must_refuse(HEAD "config: { prometheus.statsd_chart_version: \"1\" }\n" ONE,
		    "expected NAMESPACE:NAME");
	must_refuse(HEAD "config: { \"a:\": \"1\" }\n" ONE, "expected NAMESPACE:NAME");
	must_refuse(HEAD "config: { \"a:b\": 1.20 }\n" ONE, "in quotes");
}

static void a_secret_is_named_and_never_written(void **state)
{
	(void)state;
	must_refuse(HEAD "secrets: { \"a:b\": hunter2 }\n" ONE, "a secret must be a map");
	must_refuse(HEAD "secrets: { \"a:b\": { variable: HOME } }\n" ONE, "ENVD_SECRET_");
	must_refuse(HEAD "secrets: { \"a:b\": { variable: ENVD_SECRET_A, file: /b } }\n" ONE,
		    "needs one of");
	must_refuse(HEAD "secrets: { \"a:b\": { random: 2 } }\n" ONE, "between 8 and 128");
}

static void an_inventory_of_ours_is_read(void **state)
{
	AUTO(layer_list_free)
	struct layer_list *list = must_read(
	    HEAD "inventory:\n  aws: { adapter: aws, regions: [eu-west-1], tags: { Stack: a, "
		 "B: \"2\" }, names: [\"x-*\"], clusters: [c], settle: 2m,\n"
		 "    credentials: { file: /etc/keys } }\n"
		 "  do: { adapter: digitalocean, tags: [word], credentials: { command: [vault, "
		 "read] } }\n" ONE);
	const struct layer_inventory *aws = layer_list_inventory(list, "aws");
	const struct layer_inventory *other = layer_list_inventory(list, "do");

	(void)state;
	assert_string_equal(aws->adapter, "aws");
	assert_string_equal(aws->tags[0], "Stack=a");
	assert_string_equal(aws->tags[1], "B=2");
	assert_null(aws->tags[2]);
	assert_int_equal(aws->settle_ms, 120000);
	assert_string_equal(aws->credentials.from, "/etc/keys");
	assert_null(aws->list);
	assert_string_equal(other->tags[0], "word");
	assert_int_equal(other->settle_ms, 60000);
	assert_string_equal(other->credentials.command[1], "read");
}

static void an_inventory_may_be_for_some_parameters_or_tell_by_anothers_word(void **state)
{
	AUTO(layer_list_free)
	struct layer_list *list = must_read(
	    HEAD "inventory:\n  aws: { adapter: aws, when: { provider: [aws] }, names: [x], "
		 "credentials: [{ variable: ENVD_SECRET_A }, { file: /a }] }\n"
		 "  kubernetes: { list: [hooks/cluster], gone_with: [aws] }\n"
		 "  eks: { gone_with: [aws], when: { provider: aws } }\n" ONE);
	const struct layer_inventory *aws = layer_list_inventory(list, "aws");

	(void)state;
	assert_non_null(json_object_get(aws->when, "provider"));
	assert_string_equal(aws->credentials.otherwise->from, "/a");
	assert_string_equal(layer_list_inventory(list, "kubernetes")->gone_with[0], "aws");
	assert_null(layer_list_inventory(list, "eks")->list);
	must_refuse(HEAD "inventory: { a: { list: [x], when: [a] } }\n" ONE, "must be a map");
	must_refuse(HEAD "inventory: { a: { list: [x], gone_with: [b] } }\n" ONE,
		    "without \"gone_with\" (got \"b\")");
	must_refuse(HEAD "inventory: { a: { list: [x], gone_with: [a] } }\n" ONE,
		    "without \"gone_with\" (got \"a\")");
	must_refuse(HEAD "inventory: { a: { gone_with: [b] }, b: { gone_with: [a] } }\n" ONE,
		    "without \"gone_with\" (got \"b\")");
	must_refuse(HEAD "inventory: { a: { list: [x], gone_with: [] } }\n" ONE, "names nobody");
	must_refuse(HEAD
		    "inventory: { a: { list: [x] }, b: { gone_with: [a], remove: [y] } }\n" ONE,
		    "a \"list\" or \"gone_with\"");
	must_refuse(HEAD
		    "inventory: { a: { adapter: aws, names: [x], gone_with: [b], credentials: { "
		    "file: /a } } }\n" ONE,
		    "unknown key");
	must_refuse(HEAD
		    "inventory: { a: { adapter: aws, names: [x], credentials: [{ file: /a }, { "
		    "none: true }] } }\n" ONE,
		    "cannot be made up");
}

static void an_inventory_that_could_find_nothing_is_refused(void **state)
{
	(void)state;
	must_refuse(HEAD "inventory: { aws: { adapter: aws, credentials: { file: /a } } }\n" ONE,
		    "needs \"tags\", \"names\" or \"clusters\"");
	must_refuse(HEAD "inventory: { aws: { adapter: aws, tags: [a] } }\n" ONE,
		    "needs \"credentials\"");
	must_refuse(
	    HEAD
	    "inventory: { aws: { adapter: aws, tags: [a], credentials: { random: 9 } } }\n" ONE,
	    "cannot be made up");
	must_refuse(HEAD "inventory: { aws: { adapter: aws, list: [x] } }\n" ONE, "unknown key");
	must_refuse(HEAD "inventory: { aws: { remove: [x] } }\n" ONE,
		    "a \"list\" or \"gone_with\"");
	must_refuse(HEAD
		    "inventory: { aws: { adapter: aws, tags: [a], settle: 2h, credentials: { file: "
		    "/a } } }\n" ONE,
		    "at most 10m");
}

static void a_backend_says_where_and_by_whose_keys(void **state)
{
	AUTO(layer_list_free)
	struct layer_list *list = must_read(
	    HEAD "backend: { url: \"s3://b?region=x\", secrets: \"awskms://k\", credentials: { "
		 "variable: ENVD_SECRET_A } }\npolicies: [policies/tags]\n" ONE);

	(void)state;
	assert_string_equal(list->backend.url, "s3://b?region=x");
	assert_string_equal(list->backend.secrets, "awskms://k");
	assert_string_equal(list->policies[0], "policies/tags");
	must_refuse(HEAD "backend: { url: \"s3://b\" }\n" ONE, "needs \"credentials\"");
	must_refuse(HEAD "backend: { credentials: { file: /a } }\n" ONE, "needs a \"url\"");
	must_refuse(HEAD "backend: { url: x, token: y }\n" ONE, "unknown key \"token\"");
}

static void what_keeps_environments_apart_is_not_a_templates_to_set(void **state)
{
	(void)state;
	must_refuse(HEAD "variables: { PULUMI_BACKEND_URL: file:///tmp }\n" ONE, "cannot be set");
	must_refuse(HEAD "variables: { KUBECONFIG: /root/.kube/config }\n" ONE, "cannot be set");
	must_refuse(HEAD "variables: { HOME: /root }\n" ONE, "cannot be set");
}

static void a_secret_can_be_the_first_of_several_that_is_there(void **state)
{
	struct layer_list *list =
	    must_read(HEAD "secrets: { \"a:b\": [ { variable: ENVD_SECRET_A }, { file: /etc/a }, { "
			   "none: true } ] }\n" ONE);
	const struct layer_secret *secret = &list->config.secrets[0];

	(void)state;
	assert_int_equal(secret->kind, LAYER_SECRET_VARIABLE);
	assert_int_equal(secret->otherwise->kind, LAYER_SECRET_FILE);
	assert_string_equal(secret->otherwise->from, "/etc/a");
	assert_int_equal(secret->otherwise->otherwise->kind, LAYER_SECRET_NONE);
	assert_null(secret->otherwise->otherwise->otherwise);
	layer_list_free(list);
	must_refuse(HEAD "secrets: { \"a:b\": [] }\n" ONE, "one of 1 to 5");
	must_refuse(HEAD "secrets: { \"a:b\": { none: false } }\n" ONE, "can only be true");
	must_refuse(HEAD "variables: { A: [ { text: x, file: /y } ] }\n" ONE, "needs one of");
}

static void a_change_says_what_it_is_and_why(void **state)
{
	struct layer_list *list = must_read(
	    HEAD "changes:\n"
		 "  - { rewrite: a/*.yaml, key: image, matching: \"*/x:*\", pin: x, reason: r }\n"
		 "  - { patch: patches/a.patch, when: { patches: true }, reason: r }\n"
		 "  - { copy: own/a, to: b/c, reason: r }\n"
		 "  - { config: { \"eks:k8s_version\": \"1.31\" }, reason: r }\n" ONE);

	(void)state;
	assert_int_equal(list->change_count, 4);
	assert_int_equal(list->changes[1].kind, LAYER_CHANGE_PATCH);
	assert_non_null(json_object_get(list->changes[1].when, "patches"));
	assert_string_equal(list->changes[2].to, "b/c");
	assert_int_equal(list->changes[3].kind, LAYER_CHANGE_CONFIG);
	layer_list_free(list);
	must_refuse(HEAD "changes: [ { patch: a } ]\n" ONE, "needs a \"reason\"");
	must_refuse(HEAD "changes: [ { patch: /etc/a, reason: r } ]\n" ONE, "inside of");
	must_refuse(HEAD "changes: [ { reason: r } ]\n" ONE, "one of rewrite, patch, copy");
	must_refuse(HEAD "changes: [ { rewrite: a, key: image, reason: r } ]\n" ONE,
		    "either \"pin\" or \"to\"");
	must_refuse(HEAD "changes: [ { copy: a, reason: r } ]\n" ONE, "needs \"to\"");
	must_refuse(HEAD "changes: [ { config: { a: b }, reason: r } ]\n" ONE, "NAMESPACE:NAME");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_that_is_said_is_read),
		cmocka_unit_test(a_mistake_is_named_with_its_place),
		cmocka_unit_test(a_key_that_pulumi_would_refuse_is_refused_here),
		cmocka_unit_test(a_secret_is_named_and_never_written),
		cmocka_unit_test(a_secret_can_be_the_first_of_several_that_is_there),
		cmocka_unit_test(a_change_says_what_it_is_and_why),
		cmocka_unit_test(an_inventory_of_ours_is_read),
		cmocka_unit_test(an_inventory_may_be_for_some_parameters_or_tell_by_anothers_word),
		cmocka_unit_test(an_inventory_that_could_find_nothing_is_refused),
		cmocka_unit_test(a_backend_says_where_and_by_whose_keys),
		cmocka_unit_test(what_keeps_environments_apart_is_not_a_templates_to_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
