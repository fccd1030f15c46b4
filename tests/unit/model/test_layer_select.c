#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/json_read.h"
#include "base/text.h"
#include "model/layer_select.h"

#define HEAD "pulumi: 3.259.0\ncheckout: { folder: projects }\n"

/* ${extra} is filled from the parameter of that name. */
static bool fill(void *arg, const char *text, char **filled, struct error *err)
{
	const json_t *parameters = arg;

	(void)err;
	*filled = xstrdup(strcmp(text, "${extra}") == 0
			      ? json_string_value(json_object_get(parameters, "extra"))
			      : text);
	return true;
}

struct chosen {
	struct layer_list *list;
	bool is_good;
	struct error err;
};

/* `parameters` and `order` (may be NULL) are JSON with ' for ". */
static json_t *json_of(const char *text)
{
	AUTO(free) char *copy = text ? xstrdup(text) : NULL;

	for (char *at = copy; at && *at; at++)
		if (*at == '\'')
			*at = '"';
	return copy ? json_loads(copy, 0, NULL) : NULL;
}

static struct chosen choose(const char *layers, const char *parameters, const char *order)
{
	AUTO(free) char *text = xasprintf(HEAD "%s", layers);
	AUTO(json_decref) json_t *values = json_of(parameters);
	AUTO(json_decref) json_t *projects = json_of(order);
	struct chosen chosen = { .err = { .code = ERR_NONE } };
	struct layer_choice choice = {
		.parameters = values, .order = projects, .fill = fill, .arg = values
	};

	if (!layer_list_parse(text, strlen(text), "layers.yaml", &chosen.list, &chosen.err))
		fail_msg("%s", chosen.err.message);
	chosen.is_good = layer_list_select(chosen.list, &choice, &chosen.err);
	return chosen;
}

/* "kubeconfig vpc>eks": each layer, with what it needs before it. */
static char *shape_of(const struct layer_list *list)
{
	struct text text = TEXT_EMPTY;

	for (size_t i = 0; i < list->count; i++) {
		text_add(&text, i ? " " : "");
		for (char **need = list->layers[i].needs; need && *need; need++)
			text_format(&text, "%s%s", *need, need[1] ? "," : ">");
		text_add(&text, list->layers[i].name);
	}
	return text_take(&text);
}

static void must_be(const char *layers, const char *parameters, const char *order,
		    const char *shape)
{
	struct chosen chosen = choose(layers, parameters, order);
	AUTO(free) char *is = NULL;

	if (!chosen.is_good)
		fail_msg("refused: %s", chosen.err.message);
	is = shape_of(chosen.list);
	assert_string_equal(is, shape);
	layer_list_free(chosen.list);
}

static void must_refuse(const char *layers, const char *parameters, const char *order,
			const char *words)
{
	struct chosen chosen = choose(layers, parameters, order);

	if (chosen.is_good)
		fail_msg("accepted: %s", layers);
	if (!strstr(chosen.err.message, words))
		fail_msg("says \"%s\", expected \"%s\"", chosen.err.message, words);
	layer_list_free(chosen.list);
}

#define CLOUDS                                                                                     \
	"layers:\n"                                                                                \
	"  - { name: eks, project: aws/eks, when: { provider: aws } }\n"                           \
	"  - { name: lke, project: linode/lke, when: { provider: [linode, lke] } }\n"              \
	"  - { name: kubeconfig, project: kubeconfig, needs: [eks, lke] }\n"

static void a_layer_is_there_when_its_conditions_hold(void **state)
{
	(void)state;
	must_be(CLOUDS, "{'provider': 'aws'}", NULL, "eks eks>kubeconfig");
	must_be(CLOUDS, "{'provider': 'lke'}", NULL, "lke lke>kubeconfig");
	must_be(CLOUDS, "{'provider': 'other'}", NULL, "kubeconfig");
	must_be("layers: [ { name: a, project: a, when: { on: true, size: 3 } } , { name: b, "
		"project: b } ]\n",
		"{'on': true, 'size': 3}", NULL, "a b");
	must_refuse(CLOUDS, "{}", NULL, "there is no parameter \"provider\"");
	must_refuse("layers: [ { name: a, project: a, when: { on: true } } ]\n", "{'on': false}",
		    NULL, "none of its layers");
}

static void alternatives_share_a_name_and_one_is_chosen(void **state)
{
	static const char layers[] =
	    "layers:\n"
	    "  - { name: ic, project: ic, when: { provider: aws }, needs: [space] }\n"
	    "  - { name: space, project: space, when: { provider: aws } }\n"
	    "  - { name: ic, project: ic-only, when: { provider: none } }\n"
	    "  - { name: space, up: [\"true\"], when: { provider: none }, needs: [ic] }\n"
	    "  - { name: app, project: app, needs: [ic] }\n";

	(void)state;
	must_be(layers, "{'provider': 'aws'}", NULL, "space>ic space ic>app");
	must_be(layers, "{'provider': 'none'}", NULL, "ic ic>space ic>app");
	must_refuse("layers: [ { name: a, project: a, when: { x: \"1\" } }, { name: a, project: b, "
		    "when: { x: [\"1\", \"2\"] } } ]\n",
		    "{'x': '1'}", NULL, "\"a\"");
}

static void a_project_that_a_parameter_leaves_empty_is_not_there(void **state)
{
	static const char layers[] = "layers: [ { name: extra, project: \"${extra}\" }, { name: "
				     "app, project: app, needs: [extra] } ]\n";

	(void)state;
	must_be(layers, "{'extra': ''}", NULL, "app");
	must_be(layers, "{'extra': 'own/datadog'}", NULL, "extra extra>app");
	must_refuse(layers, "{'extra': '../../etc'}", NULL, "not inside of the checkout");
}

static void what_the_checkout_does_not_build_is_not_there(void **state)
{
	(void)state;
	must_be("layers: [ { name: a, project: a }, { name: b, project: b, needs: [a] }, { name: "
		"h, up: [x], needs: [a] } ]\n",
		"{}", "['b']", "b h");
}

static void a_project_that_only_the_checkout_knows_stands_where_it_has_it(void **state)
{
	static const char layers[] =
	    "layers: [ { name: a, project: a }, { name: b, project: b }, { name: store, project: "
	    "store, when: { log: true } } ]\n";

	(void)state;
	must_be(layers, "{'log': true}", "['a', 'kubernetes/sumo', 'b']",
		"a kubernetes-sumo>b a>kubernetes-sumo");
	/* One that the parameters have left out does not come back by it. */
	must_be(layers, "{'log': false}", "['a', 'store', 'b']", "a b");
	must_refuse(layers, "{'log': true}", "['a', '../x']", "no folder of a project");
}

static void variables_of_a_layer_that_is_not_there_are_not_set(void **state)
{
	static const char layers[] =
	    "variables: { ALL: x }\n"
	    "layers:\n"
	    "  - { name: a, project: a, when: { p: a }, variables: { A: y, KEY: { variable: "
	    "ENVD_SECRET_A } } }\n"
	    "  - { name: b, project: b, when: { p: b }, variables: { B: z } }\n";
	struct chosen chosen = choose(layers, "{'p': 'a'}", NULL);

	(void)state;
	assert_true(chosen.is_good);
	assert_int_equal(json_object_size(chosen.list->variables.plain), 2);
	assert_non_null(json_object_get(chosen.list->variables.plain, "A"));
	assert_int_equal(chosen.list->variables.secret_count, 1);
	assert_string_equal(chosen.list->variables.secrets[0].key, "KEY");
	layer_list_free(chosen.list);
}

#define THREE                                                                                      \
	"inventory:\n  aws: { list: [a], when: { provider: aws, patches: true } }\n"               \
	"  world: { list: [b] }\n  do: { list: [c], when: { provider: [do, linode] } }\n"          \
	"layers: [ { name: one, project: a } ]\n"

static struct chosen choose_inventories(const char *parameters)
{
	AUTO(json_decref) json_t *values = json_of(parameters);
	struct chosen chosen = { .err = { .code = ERR_NONE } };

	if (!layer_list_parse(HEAD THREE, strlen(HEAD THREE), "layers.yaml", &chosen.list,
			      &chosen.err))
		fail_msg("%s", chosen.err.message);
	chosen.is_good = layer_list_choose_inventories(chosen.list, values, &chosen.err);
	return chosen;
}

static void an_inventory_that_is_for_other_parameters_is_none(void **state)
{
	struct chosen chosen = choose_inventories("{'provider': 'linode', 'patches': true}");

	(void)state;
	assert_true(chosen.is_good);
	assert_int_equal(chosen.list->inventory_count, 2);
	assert_null(layer_list_inventory(chosen.list, "aws"));
	assert_non_null(layer_list_inventory(chosen.list, "world"));
	assert_non_null(layer_list_inventory(chosen.list, "do"));
	assert_string_equal(chosen.list->left_out[0], "aws");
	assert_null(chosen.list->left_out[1]);
	layer_list_free(chosen.list);
	/* All of several conditions must hold. */
	chosen = choose_inventories("{'provider': 'aws', 'patches': false}");
	assert_true(chosen.is_good);
	assert_null(layer_list_inventory(chosen.list, "aws"));
	assert_null(layer_list_inventory(chosen.list, "do"));
	layer_list_free(chosen.list);
}

static void an_inventory_for_a_parameter_that_there_is_none_of_is_a_mistake(void **state)
{
	struct chosen chosen = choose_inventories("{'patches': true}");

	(void)state;
	assert_false(chosen.is_good);
	assert_string_equal(chosen.err.slug, "template_invalid");
	assert_non_null(strstr(chosen.err.message, "inventory \"aws\": \"when\": there is no "
						   "parameter \"provider\""));
	layer_list_free(chosen.list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_layer_is_there_when_its_conditions_hold),
		cmocka_unit_test(alternatives_share_a_name_and_one_is_chosen),
		cmocka_unit_test(a_project_that_a_parameter_leaves_empty_is_not_there),
		cmocka_unit_test(what_the_checkout_does_not_build_is_not_there),
		cmocka_unit_test(a_project_that_only_the_checkout_knows_stands_where_it_has_it),
		cmocka_unit_test(variables_of_a_layer_that_is_not_there_are_not_set),
		cmocka_unit_test(an_inventory_that_is_for_other_parameters_is_none),
		cmocka_unit_test(an_inventory_for_a_parameter_that_there_is_none_of_is_a_mistake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
