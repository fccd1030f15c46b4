/* Layers in the plane: the sixteen of a MARA on AWS, long names and trouble among them. */
#include "cli/graph_layout.h"
#include "cli/graph_view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define SIXTEEN "tests/fixtures/cli/layers-16.json"

static json_t *sixteen(void)
{
	json_t *layers = json_load_file(SIXTEEN, 0, NULL);

	assert_non_null(layers);
	return layers;
}

static size_t find(const struct graph_layout *layout, const char *name)
{
	for (size_t i = 0; i < layout->box_count; i++)
		if (strcmp(json_get_string(layout->boxes[i].layer, "name", ""), name) == 0)
			return i;
	fail_msg("no box \"%s\"", name);
	return 0;
}

static bool has_line(const struct graph_layout *layout, const char *from, const char *to)
{
	for (size_t i = 0; i < layout->line_count; i++)
		if (layout->lines[i].from == find(layout, from) &&
		    layout->lines[i].to == find(layout, to))
			return true;
	return false;
}

static bool overlap(const struct graph_box *a, const struct graph_box *b)
{
	return a->x < b->x + b->width && b->x < a->x + a->width && a->y < b->y + b->height &&
	       b->y < a->y + a->height;
}

static void boxes_do_not_overlap_and_stand_right_of_what_they_need(void **unused)
{
	AUTO(graph_layout_release) struct graph_layout layout = { .box_count = 0 };
	AUTO(json_decref) json_t *layers = sixteen();
	struct error err;

	(void)unused;
	assert_true(graph_layout_make(layers, &layout, &err));
	assert_int_equal(layout.box_count, 16);
	for (size_t i = 0; i < layout.box_count; i++) {
		const struct graph_box *box = &layout.boxes[i];

		assert_true(box->x >= 0 && box->y >= 0);
		assert_true(box->x + box->width <= layout.width);
		assert_true(box->y + box->height <= layout.height);
		for (size_t j = 0; j < i; j++)
			assert_false(overlap(box, &layout.boxes[j]));
	}
	for (size_t i = 0; i < layout.line_count; i++) {
		const struct graph_box *from = &layout.boxes[layout.lines[i].from];

		assert_true(from->x + from->width < layout.boxes[layout.lines[i].to].x);
	}
}

static bool is_inside(const struct graph_box *box, struct graph_point point)
{
	return point.x >= box->x && point.x <= box->x + box->width && point.y > box->y &&
	       point.y < box->y + box->height;
}

static void a_line_passes_no_box_but_its_own(void **unused)
{
	AUTO(graph_layout_release) struct graph_layout layout = { .box_count = 0 };
	AUTO(json_decref) json_t *layers = sixteen();
	struct error err;

	(void)unused;
	assert_true(graph_layout_make(layers, &layout, &err));
	for (size_t i = 0; i < layout.line_count; i++)
		for (size_t p = 1; p + 1 < layout.lines[i].count; p++)
			for (size_t b = 0; b < layout.box_count; b++)
				assert_false(
				    is_inside(&layout.boxes[b], layout.lines[i].points[p]));
}

static void needs_that_others_imply_have_no_line(void **unused)
{
	AUTO(graph_layout_release) struct graph_layout layout = { .box_count = 0 };
	AUTO(json_decref) json_t *layers = sixteen();
	struct error err;

	(void)unused;
	assert_true(graph_layout_make(layers, &layout, &err));
	assert_true(has_line(&layout, "secrets", "prometheus"));
	assert_true(has_line(&layout, "kubeconfig", "secrets"));
	assert_false(has_line(&layout, "kubeconfig", "prometheus"));
	assert_false(has_line(&layout, "kubeconfig", "sirius"));
	/* Nothing else leads from the one to the other. */
	assert_true(has_line(&layout, "kic-image-push", "ingress-controller"));
}

static void the_same_layers_give_the_same_picture(void **unused)
{
	AUTO(json_decref) json_t *layers = sixteen();
	AUTO(json_decref) json_t *timeline = json_object();
	const struct graph_view view = { "e", "ready", layers, timeline };
	AUTO(text_release) struct text a = TEXT_EMPTY;
	AUTO(text_release) struct text b = TEXT_EMPTY;
	struct error err;

	(void)unused;
	assert_true(graph_svg(&view, &a, &err) && graph_svg(&view, &b, &err));
	assert_string_equal(text_get(&a), text_get(&b));
}

static void a_circle_is_an_error_and_an_unknown_need_is_not(void **unused)
{
	AUTO(json_decref)
	json_t *circle = json_pack("[{s:s, s:[s]}, {s:s, s:[s]}]", "name", "a", "needs", "b",
				   "name", "b", "needs", "a");
	AUTO(json_decref) json_t *unknown = json_pack("[{s:s, s:[s]}]", "name", "a", "needs", "z");
	AUTO(json_decref) json_t *none = json_array();
	AUTO(graph_layout_release) struct graph_layout layout = { .box_count = 0 };
	struct error err;

	(void)unused;
	assert_false(graph_layout_make(circle, &layout, &err));
	assert_string_equal(err.slug, "layer_cycle");
	assert_true(graph_layout_make(none, &layout, &err));
	assert_int_equal(layout.box_count, 0);
	graph_layout_release(&layout);
	assert_true(graph_layout_make(unknown, &layout, &err));
	assert_int_equal(layout.line_count, 0);
}

static void names_cannot_break_out_of_a_picture(void **unused)
{
	AUTO(json_decref)
	json_t *layers = json_pack("[{s:s, s:[], s:s, s:s}]", "name", "a\"<b>&\\;", "needs",
				   "state", "failed", "message", "<script>");
	AUTO(json_decref) json_t *timeline = json_object();
	const struct graph_view view = { "x</title>", "failed", layers, timeline };
	AUTO(text_release) struct text svg = TEXT_EMPTY;
	AUTO(text_release) struct text dot = TEXT_EMPTY;
	AUTO(text_release) struct text mermaid = TEXT_EMPTY;
	struct error err;

	(void)unused;
	assert_true(graph_svg(&view, &svg, &err));
	assert_non_null(strstr(text_get(&svg), "a\"&lt;b>&amp;\\;"));
	assert_null(strstr(text_get(&svg), "<script>"));
	assert_null(strstr(text_get(&svg), "x</title>"));
	graph_dot(&view, &dot);
	assert_non_null(strstr(text_get(&dot), "\"a\\\"<b>&\\\\;\" [label=\"a\\\"<b>&\\\\;\\n"));
	graph_mermaid(&view, &mermaid);
	assert_non_null(strstr(text_get(&mermaid), "l0[\"a#34;#60;b#62;#38;\\#59;<br/>failed\"]"));
}

static void a_long_name_is_cut_and_told_in_full_beside_it(void **unused)
{
	AUTO(json_decref) json_t *layers = sixteen();
	AUTO(json_decref) json_t *timeline = json_object();
	const struct graph_view view = { "e", "ready", layers, timeline };
	AUTO(text_release) struct text svg = TEXT_EMPTY;
	struct error err;

	(void)unused;
	assert_true(graph_svg(&view, &svg, &err));
	assert_non_null(strstr(text_get(&svg), ">container-registry-credentials-wi\xe2\x80\xa6<"));
	assert_non_null(
	    strstr(text_get(&svg),
		   "<title>container-registry-credentials-with-a-very-long-name-indeed</title>"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(boxes_do_not_overlap_and_stand_right_of_what_they_need),
		cmocka_unit_test(a_line_passes_no_box_but_its_own),
		cmocka_unit_test(needs_that_others_imply_have_no_line),
		cmocka_unit_test(the_same_layers_give_the_same_picture),
		cmocka_unit_test(a_circle_is_an_error_and_an_unknown_need_is_not),
		cmocka_unit_test(names_cannot_break_out_of_a_picture),
		cmocka_unit_test(a_long_name_is_cut_and_told_in_full_beside_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
