#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/json_read.h"
#include "model/layer_graph.h"

/* "a b>a c>a,b": names, each with what it needs. */
static struct layer_graph *graph_of(const char *description)
{
	struct layer_graph *graph = layer_graph_new();
	AUTO(free) char *names = xstrdup(description);
	AUTO(free) char *needs = xstrdup(description);
	char *rest = names, *word;
	struct error err;

	while ((word = strsep(&rest, " "))) {
		word[strcspn(word, ">")] = '\0';
		assert_true(layer_graph_add(graph, word, &err));
	}
	rest = needs;
	while ((word = strsep(&rest, " "))) {
		char *list = word, *name = strsep(&list, ">"), *need;

		while (list && (need = strsep(&list, ",")))
			assert_true(layer_graph_need(graph, name, need, &err));
	}
	return graph;
}

static size_t level_of(const struct layer_graph *graph, const char *name)
{
	size_t index;

	assert_true(layer_graph_find(graph, name, &index));
	return graph->layers[index].level;
}

static void a_layer_is_one_level_above_the_highest_it_needs(void **unused)
{
	AUTO(layer_graph_free)
	struct layer_graph *graph = graph_of("top>left,right left>base right>left base alone");
	struct error err;

	(void)unused;
	assert_true(layer_graph_sort(graph, &err));
	assert_int_equal(level_of(graph, "base"), 0);
	assert_int_equal(level_of(graph, "alone"), 0);
	assert_int_equal(level_of(graph, "left"), 1);
	assert_int_equal(level_of(graph, "right"), 2);
	assert_int_equal(level_of(graph, "top"), 3);
	assert_int_equal(graph->level_count, 4);
}

static void the_order_goes_by_level_and_keeps_what_was_added_first(void **unused)
{
	AUTO(layer_graph_free) struct layer_graph *graph = graph_of("c>a b a z>b");
	AUTO(json_decref) json_t *json = NULL;
	AUTO(free) char *text = NULL;
	struct error err;

	(void)unused;
	assert_true(layer_graph_sort(graph, &err));
	json = layer_graph_to_json(graph);
	text = json_to_text(json);
	assert_string_equal(
	    text,
	    "[{\"name\":\"b\",\"needs\":[],\"level\":0},{\"name\":\"a\",\"needs\":[],\"level\":0},"
	    "{\"name\":\"c\",\"needs\":[\"a\"],\"level\":1},"
	    "{\"name\":\"z\",\"needs\":[\"b\"],\"level\":1}]");
}

static void a_circle_is_named_from_where_it_begins(void **unused)
{
	static const struct {
		const char *graph;
		const char *message;
	} cases[] = {
		{ "a>a", "layers need each other in a circle: \"a\" → \"a\"" },
		{ "a>b b>a", "layers need each other in a circle: \"a\" → \"b\" → \"a\"" },
		{ "start>a a>b b>c c>a end",
		  "layers need each other in a circle: \"a\" → \"b\" → \"c\" → \"a\"" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(layer_graph_free) struct layer_graph *graph = graph_of(cases[i].graph);
		struct error err;

		assert_false(layer_graph_sort(graph, &err));
		assert_string_equal(err.message, cases[i].message);
		assert_string_equal(err.slug, "layer_cycle");
	}
}

static void unknown_and_repeated_layers_are_refused(void **unused)
{
	AUTO(layer_graph_free) struct layer_graph *graph = graph_of("a b");
	struct error err;

	(void)unused;
	assert_false(layer_graph_add(graph, "a", &err));
	assert_string_equal(err.message, "layer \"a\" is there twice");
	assert_false(layer_graph_need(graph, "a", "c", &err));
	assert_string_equal(err.message, "layer \"a\" needs \"c\", which is not there");
	assert_false(layer_graph_need(graph, "d", "a", &err));
	assert_string_equal(err.message, "there is no layer \"d\"");
}

static void saying_a_need_twice_is_saying_it_once(void **unused)
{
	AUTO(layer_graph_free) struct layer_graph *graph = graph_of("a>b,b,b b");

	(void)unused;
	assert_int_equal(graph->layers[0].need_count, 1);
}

static void an_empty_graph_has_no_levels(void **unused)
{
	AUTO(layer_graph_free) struct layer_graph *graph = layer_graph_new();
	struct error err;

	(void)unused;
	assert_true(layer_graph_sort(graph, &err));
	assert_int_equal(graph->level_count, 0);
}

static void there_is_a_bound_and_a_chain_as_long_as_it_is_sorted(void **unused)
{
	AUTO(layer_graph_free) struct layer_graph *graph = layer_graph_new();
	struct error err;

	(void)unused;
	for (int i = 0; i < LAYERS_MAX; i++) {
		AUTO(free) char *name = xasprintf("l%d", i);
		AUTO(free) char *next = xasprintf("l%d", i - 1);

		assert_true(layer_graph_add(graph, name, &err));
		if (i)
			assert_true(layer_graph_need(graph, name, next, &err));
	}
	assert_false(layer_graph_add(graph, "more", &err));
	assert_int_equal(err.code, ERR_LIMIT);
	assert_true(layer_graph_sort(graph, &err));
	assert_int_equal(graph->level_count, LAYERS_MAX);
}

/* For graphs of any shape: whatever is sorted has every need on a lower level, and needs of a layer
 * that is refused do contain a circle. */
static void every_need_is_on_a_lower_level(void **unused)
{
	(void)unused;
	srand(42);
	for (int round = 0; round < 500; round++) {
		AUTO(layer_graph_free) struct layer_graph *graph = layer_graph_new();
		int count = 2 + rand() % 12;
		struct error err;

		for (int i = 0; i < count; i++) {
			char name[] = { (char)('a' + i), '\0' };

			assert_true(layer_graph_add(graph, name, &err));
		}
		/* Only towards earlier layers, so there is no circle. */
		for (int i = 0; i < 2 * count; i++) {
			int from = 1 + rand() % (count - 1), to = rand() % from;

			assert_true(layer_graph_need(graph, graph->layers[from].name,
						     graph->layers[to].name, &err));
		}
		assert_true(layer_graph_sort(graph, &err));
		for (size_t i = 0; i < graph->count; i++)
			for (size_t j = 0; j < graph->layers[i].need_count; j++)
				assert_true(graph->layers[graph->layers[i].needs[j]].level <
					    graph->layers[i].level);
		/* One edge back closes a circle. */
		if (graph->layers[count - 1].need_count) {
			size_t needed = graph->layers[count - 1].needs[0];

			assert_true(layer_graph_need(graph, graph->layers[needed].name,
						     graph->layers[count - 1].name, &err));
			assert_false(layer_graph_sort(graph, &err));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_layer_is_one_level_above_the_highest_it_needs),
		cmocka_unit_test(the_order_goes_by_level_and_keeps_what_was_added_first),
		cmocka_unit_test(a_circle_is_named_from_where_it_begins),
		cmocka_unit_test(unknown_and_repeated_layers_are_refused),
		cmocka_unit_test(saying_a_need_twice_is_saying_it_once),
		cmocka_unit_test(an_empty_graph_has_no_levels),
		cmocka_unit_test(there_is_a_bound_and_a_chain_as_long_as_it_is_sorted),
		cmocka_unit_test(every_need_is_on_a_lower_level),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
