/*
 * templates/mara as it is shipped: which layers each provider has, and what comes before what.
 * The orders are those of MARA's provider classes.
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
#include "model/layer_select.h"

#define K8S_BEGIN "infrastructure/kubeconfig", "kubernetes/secrets"
#define INGRESS "kubernetes/nginx/ingress-controller"
#define SERVICES                                                                                   \
	"kubernetes/logstore", "kubernetes/logagent", "kubernetes/certmgr",                        \
	    "kubernetes/prometheus", "kubernetes/observability", "kubernetes/applications/sirius", \
	    NULL

static const char *const aws[] = { "infrastructure/aws/vpc",
				   "infrastructure/aws/eks",
				   "infrastructure/aws/ecr",
				   K8S_BEGIN,
				   "utility/kic-image-build",
				   "utility/kic-image-push",
				   INGRESS "-namespace",
				   INGRESS,
				   SERVICES };
static const char *const digitalocean[] = {
	"infrastructure/digitalocean/container-registry",
	"infrastructure/digitalocean/domk8s",
	K8S_BEGIN,
	"utility/kic-image-build",
	"utility/kic-image-push",
	INGRESS "-namespace",
	"infrastructure/digitalocean/container-registry-credentials",
	INGRESS,
	"infrastructure/digitalocean/dns-record",
	SERVICES
};
static const char *const linode[] = { "infrastructure/linode/lke",
				      K8S_BEGIN,
				      "infrastructure/linode/harbor",
				      "utility/kic-image-build",
				      "infrastructure/linode/harbor-configuration",
				      "utility/kic-image-push",
				      INGRESS "-namespace",
				      "infrastructure/linode/container-registry-credentials",
				      INGRESS,
				      SERVICES };
static const char *const kubeconfig[] = { K8S_BEGIN, INGRESS "-repo-only", SERVICES };
/* The branch SumoLogic: one project in place of four. */
static const char *const sumo[] = { K8S_BEGIN,
				    INGRESS "-repo-only",
				    "kubernetes/sumo",
				    "kubernetes/certmgr",
				    "kubernetes/applications/sirius",
				    NULL };

static bool fill(void *arg, const char *text, char **filled, struct error *err)
{
	(void)arg;
	(void)err;
	*filled = xstrdup(strcmp(text, "${parameters.application}") == 0
			      ? "kubernetes/applications/sirius"
			  : *text == '$' ? ""
					 : text);
	return true;
}

static struct layer_list *choose(const char *provider, const char *profile, bool patches,
				 const char *const *projects)
{
	const char *source = getenv("ENVD_SOURCE");
	AUTO(free) char *folder = path_join(source ? source : ".", "templates/mara");
	AUTO(json_decref)
	json_t *parameters = json_pack("{s:s, s:s, s:b, s:s, s:s}", "provider", provider, "profile",
				       profile, "patches", patches, "sumo", "", "application",
				       "kubernetes/applications/sirius");
	AUTO(json_decref) json_t *order = json_array();
	struct layer_choice choice = { .parameters = parameters, .order = order, .fill = fill };
	struct layer_list *list = NULL;
	struct error err;

	for (; *projects; projects++)
		json_array_append_new(order, json_string(*projects));
	if (!layer_list_load(folder, "layers.yaml", &list, &err) ||
	    !layer_list_select(list, &choice, &err))
		fail_msg("%s", err.message);
	return list;
}

static bool reaches(const struct layer_graph *graph, size_t from, size_t to)
{
	for (size_t i = 0; i < graph->layers[from].need_count; i++)
		if (graph->layers[from].needs[i] == to ||
		    reaches(graph, graph->layers[from].needs[i], to))
			return true;
	return false;
}

static bool is_there(const struct layer_list *list, const char *name)
{
	size_t index;

	return layer_graph_find(list->graph, name, &index);
}

/* `later` is never begun before `first` is up. */
static void comes_after(const struct layer_list *list, const char *later, const char *first)
{
	size_t from = 0, to = 0;

	if (!layer_graph_find(list->graph, later, &from) ||
	    !layer_graph_find(list->graph, first, &to) || !reaches(list->graph, from, to))
		fail_msg("\"%s\" does not come after \"%s\"", later, first);
}

static size_t count_projects(const struct layer_list *list)
{
	size_t count = 0;

	for (size_t i = 0; i < list->count; i++)
		count += list->layers[i].project != NULL;
	return count;
}

/* What MARA's programs read of each other or take for granted, on every provider. */
static void needs_are_there(const struct layer_list *list)
{
	comes_after(list, "prometheus", "secrets");
	comes_after(list, "prometheus", "ingress-namespace");
	comes_after(list, "observability", "certmgr");
	comes_after(list, "application", "ingress-controller");
	comes_after(list, "application", "certmgr");
	comes_after(list, "application", "prometheus");
	comes_after(list, "logagent", "logstore");
}

static void needs_of_a_cloud_are_there(const struct layer_list *list)
{
	needs_are_there(list);
	comes_after(list, "secrets", "cluster-access");
	comes_after(list, "logstore", "cluster-access");
	comes_after(list, "certmgr", "cluster-access");
	comes_after(list, "ingress-namespace", "cluster-access");
	comes_after(list, "image-push", "registry");
	comes_after(list, "ingress-controller", "image-push");
	comes_after(list, "ingress-controller", "ingress-namespace");
	assert_false(is_there(list, "crds"));
	assert_false(is_there(list, "pull-secret"));
}

static void every_provider_builds_all_of_its_projects_in_an_order_that_works(void **state)
{
	struct layer_list *list = choose("aws", "full", true, aws);

	(void)state;
	assert_int_equal(count_projects(list), 15);
	needs_of_a_cloud_are_there(list);
	comes_after(list, "kubeconfig", "aws-eks");
	comes_after(list, "logstore", "ebs-csi");
	layer_list_free(list);

	list = choose("do", "full", true, digitalocean);
	assert_int_equal(count_projects(list), 16);
	needs_of_a_cloud_are_there(list);
	comes_after(list, "kubeconfig", "do-k8s");
	comes_after(list, "ingress-controller", "registry-credentials");
	comes_after(list, "dns-record", "ingress-controller");
	layer_list_free(list);

	list = choose("linode", "full", true, linode);
	assert_int_equal(count_projects(list), 16);
	needs_of_a_cloud_are_there(list);
	comes_after(list, "registry", "secrets");
	comes_after(list, "image-push", "registry-configuration");
	layer_list_free(list);

	list = choose("kubeconfig", "full", true, kubeconfig);
	assert_int_equal(count_projects(list), 9);
	needs_are_there(list);
	comes_after(list, "certmgr", "crds");
	comes_after(list, "ingress-controller", "pull-secret");
	assert_false(is_there(list, "cluster-access"));
	layer_list_free(list);
}

static void what_can_be_built_at_the_same_time_is(void **state)
{
	struct layer_list *list = choose("aws", "full", true, aws);
	size_t vpc = 0, build = 0, registry = 0;

	(void)state;
	assert_true(layer_graph_find(list->graph, "aws-vpc", &vpc) &&
		    layer_graph_find(list->graph, "image-build", &build) &&
		    layer_graph_find(list->graph, "registry", &registry));
	assert_int_equal(list->graph->layers[vpc].level, 0);
	assert_int_equal(list->graph->layers[build].level, 0);
	assert_int_equal(list->graph->layers[registry].level, 0);
	layer_list_free(list);
}

static void a_profile_leaves_out_what_costs(void **state)
{
	struct layer_list *list = choose("kubeconfig", "no-log-store", true, kubeconfig);

	(void)state;
	assert_false(is_there(list, "logstore") || is_there(list, "logagent"));
	assert_true(is_there(list, "observability"));
	layer_list_free(list);
	list = choose("kubeconfig", "metrics", true, kubeconfig);
	assert_false(is_there(list, "logstore") || is_there(list, "observability"));
	assert_true(is_there(list, "prometheus"));
	layer_list_free(list);
}

static void another_branch_has_its_own_projects_in_its_own_order(void **state)
{
	struct layer_list *list = choose("kubeconfig", "full", true, sumo);

	(void)state;
	assert_false(is_there(list, "logstore") || is_there(list, "prometheus"));
	comes_after(list, "kubernetes-sumo", "ingress-controller");
	comes_after(list, "application", "kubernetes-sumo");
	layer_list_free(list);
}

static void patches_can_be_left_out(void **state)
{
	struct layer_list *list = choose("aws", "full", false, aws);

	(void)state;
	assert_false(is_there(list, "ebs-csi"));
	layer_list_free(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_provider_builds_all_of_its_projects_in_an_order_that_works),
		cmocka_unit_test(what_can_be_built_at_the_same_time_is),
		cmocka_unit_test(a_profile_leaves_out_what_costs),
		cmocka_unit_test(another_branch_has_its_own_projects_in_its_own_order),
		cmocka_unit_test(patches_can_be_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
