/*
 * templates/mara as it is shipped: which layers each provider has, what comes before what, who is
 * asked what is left, and what it costs by the price books that are shipped.
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
#include "model/month.h"
#include "model/quote.h"

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

static bool is_asked(const struct layer_list *list, const char *provider)
{
	return layer_list_inventory(list, provider) != NULL;
}

/* Which clouds are asked, with this provider. */
static void must_ask(const char *provider, const char *cloud)
{
	static const char *const clouds[] = { "aws", "digitalocean", "linode" };
	const char *const *projects = strcmp(provider, "aws") == 0  ? aws
				      : strcmp(provider, "do") == 0 ? digitalocean
				      : *provider == 'l'            ? linode
								    : kubeconfig;
	AUTO(json_decref) json_t *parameters = json_pack("{s:s}", "provider", provider);
	struct layer_list *list = choose(provider, "full", true, projects);
	struct error err;

	if (!layer_list_choose_inventories(list, parameters, &err))
		fail_msg("%s", err.message);
	for (size_t i = 0; i < ARRAY_SIZE(clouds); i++)
		if (is_asked(list, clouds[i]) != (strcmp(clouds[i], cloud) == 0))
			fail_msg("with provider %s, %s is%s asked", provider, clouds[i],
				 is_asked(list, clouds[i]) ? "" : " not");
	assert_true(is_asked(list, "kubernetes"));
	assert_true(is_asked(list, "eks") == (strcmp(cloud, "aws") == 0));
	layer_list_free(list);
}

static void each_cloud_is_asked_what_is_left_where_it_was_built_and_nowhere_else(void **state)
{
	(void)state;
	must_ask("aws", "aws");
	must_ask("do", "digitalocean");
	must_ask("linode", "linode");
	must_ask("kubeconfig", "");
}

/* ---- what it costs ---- */

struct priced {
	struct template *made;
	struct price_books books;
	json_t *parameters;
	struct quote quote;
};

static void add_book(struct price_books *books, const char *name)
{
	const char *source = getenv("ENVD_SOURCE");
	AUTO(free)
	char *path = xasprintf("%s/templates/prices/%s.yaml", source ? source : ".", name);
	AUTO(free) char *bytes = NULL;
	struct price_book *book;
	struct error err;
	size_t length;

	if (!file_read(path, 1 << 20, &bytes, &length, &err) ||
	    !price_book_parse(bytes, length, path, &book, &err) ||
	    !price_books_add(books, book, &err))
		fail_msg("%s", err.message);
}

/* `given` is taken. */
static void ask_price(struct priced *priced, json_t *given)
{
	const char *source = getenv("ENVD_SOURCE");
	AUTO(free) char *folder = path_join(source ? source : ".", "templates/mara");
	struct error err;

	*priced = (struct priced){ NULL };
	add_book(&priced->books, "aws-us-east-1");
	add_book(&priced->books, "digitalocean-sfo3");
	add_book(&priced->books, "linode-us-central");
	if (!template_load(folder, "mara", &priced->made, &err) ||
	    !template_resolve_parameters(priced->made, given, &priced->parameters, &err) ||
	    !quote_make(&(struct quote_ask){ &priced->made->price, priced->parameters,
					     &priced->books,
					     month_begin_ms((struct month){ 2027, 1 }) },
			&priced->quote, &err))
		fail_msg("%s", err.message);
	json_decref(given);
}

static void priced_release(struct priced *priced)
{
	quote_release(&priced->quote);
	price_books_release(&priced->books);
	template_free(priced->made);
	json_decref(priced->parameters);
}

/* Everything has a price there, and the sum is that of the books. */
static void must_cost(json_t *given, const char *region, const char *low, const char *high)
{
	char least[MONEY_TEXT_SIZE], most[MONEY_TEXT_SIZE];
	struct priced priced;

	ask_price(&priced, given);
	for (size_t i = 0; i < priced.quote.line_count; i++)
		if (priced.quote.lines[i].why)
			fail_msg("%s: %s", region, priced.quote.lines[i].why);
	assert_string_equal(priced.quote.region, region);
	assert_string_equal(money_exact(priced.quote.low_microcents_per_hour, least), low);
	assert_string_equal(money_exact(priced.quote.high_microcents_per_hour, most), high);
	priced_release(&priced);
}

static void each_cloud_is_quoted_from_the_price_book_of_its_region(void **state)
{
	(void)state;
	must_cost(json_pack("{s:s}", "provider", "aws"), "us-east-1", "0.41942738", "0.91942741");
	must_cost(json_pack("{s:s, s:i, s:s}", "provider", "aws", "eks_desired_capacity", 5,
			    "profile", "metrics"),
		  "us-east-1", "0.60475342", "1.10475344");
	must_cost(json_pack("{s:s, s:s}", "provider", "do", "do_registry_tier", "basic"), "sfo3",
		  "0.22835614", "0.22835619");
	must_cost(json_pack("{s:s}", "provider", "linode"), "us-central", "0.8343493",
		  "0.98434934");
	must_cost(json_pack("{s:s, s:b}", "provider", "linode", "linode_k8s_ha", 0), "us-central",
		  "0.75215752", "0.90215755");
}

static void what_no_book_has_is_named_with_its_region_or_size(void **state)
{
	struct priced priced;

	(void)state;
	ask_price(&priced, json_pack("{s:s, s:s}", "provider", "aws", "aws_region", "eu-west-1"));
	assert_int_equal(priced.quote.missing_count, priced.quote.line_count);
	assert_string_equal(priced.quote.lines[0].why, "no price book of aws eu-west-1");
	priced_release(&priced);
	ask_price(&priced,
		  json_pack("{s:s, s:s}", "provider", "do", "do_instance_size", "s-8vcpu-16gb"));
	assert_int_equal(priced.quote.missing_count, 1);
	assert_string_equal(priced.quote.lines[1].why,
			    "price book digitalocean-sfo3 has no \"s-8vcpu-16gb\"");
	priced_release(&priced);
}

static void a_cluster_that_is_there_costs_nothing_more(void **state)
{
	struct priced priced;

	(void)state;
	ask_price(&priced, json_pack("{s:s}", "provider", "kubeconfig"));
	assert_int_equal(priced.quote.line_count, 0);
	assert_int_equal(priced.quote.high_microcents_per_hour, 0);
	priced_release(&priced);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_provider_builds_all_of_its_projects_in_an_order_that_works),
		cmocka_unit_test(what_can_be_built_at_the_same_time_is),
		cmocka_unit_test(a_profile_leaves_out_what_costs),
		cmocka_unit_test(another_branch_has_its_own_projects_in_its_own_order),
		cmocka_unit_test(patches_can_be_left_out),
		cmocka_unit_test(
		    each_cloud_is_asked_what_is_left_where_it_was_built_and_nowhere_else),
		cmocka_unit_test(each_cloud_is_quoted_from_the_price_book_of_its_region),
		cmocka_unit_test(what_no_book_has_is_named_with_its_region_or_size),
		cmocka_unit_test(a_cluster_that_is_there_costs_nothing_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
