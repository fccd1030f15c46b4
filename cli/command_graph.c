#include "cli/command.h"

#include "base/clock.h"
#include "base/duration.h"
#include "cli/graph_view.h"
#include "cli/output_document.h"
#include "cli/output_table.h"
#include "cli/timeline.h"

static const char *const formats[] = { "text", "dot", "mermaid", "svg", "json", "yaml", NULL };
static const char *const headers[] = { "LAYER", "STATE", "TIME", "TRIES", "NEEDS", NULL };

static enum tone tone_of(const char *state)
{
	static const struct {
		const char *state;
		enum tone tone;
	} tones[] = {
		{ "ready", TONE_GOOD },      { "failed", TONE_BAD },
		{ "building", TONE_STRONG }, { "removing", TONE_WARNING },
		{ "removed", TONE_FAINT },   { "waiting", TONE_FAINT },
	};

	for (size_t i = 0; i < ARRAY_SIZE(tones); i++)
		if (text_equal(tones[i].state, state))
			return tones[i].tone;
	return TONE_PLAIN;
}

static char *needs_of(const json_t *layer)
{
	struct text text = TEXT_EMPTY;
	const json_t *need;
	size_t i;

	json_array_foreach(json_object_get(layer, "needs"), i, need)
		text_format(&text, "%s%s", i ? ", " : "",
			    json_string_value(need) ? json_string_value(need) : "?");
	return text_take(&text);
}

static void add_row(struct table *table, const json_t *layer)
{
	const json_t *elapsed = json_object_get(layer, "elapsed_ms");
	int64_t level = json_get_int64(layer, "level", 0);
	AUTO(free)
	char *name = xasprintf("%*s%s", (int)(level > 20 ? 20 : level) * 2, "",
			       json_get_string(layer, "name", "?"));
	AUTO(free) char *needs = needs_of(layer);
	AUTO(free) char *tries = xasprintf("%lld", (long long)json_get_int64(layer, "attempts", 0));
	char time[DURATION_TEXT_SIZE];
	const char *cells[] = { name, json_get_string(layer, "state", "?"),
				json_is_integer(elapsed)
				    ? duration_format(json_integer_value(elapsed), time)
				    : "-",
				tries, needs };

	table_add_row(table, cells);
	table_set_tone(table, 1, tone_of(cells[1]));
}

/* What is built first comes first. */
static void add_rows(struct table *table, const json_t *layers)
{
	int64_t last = 0;
	const json_t *layer;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)layers, i, layer)
		if (json_get_int64(layer, "level", 0) > last)
			last = json_get_int64(layer, "level", 0);
	for (int64_t level = 0; level <= last; level++)
		json_array_foreach((json_t *)(uintptr_t)layers, i, layer)
			if (json_get_int64(layer, "level", 0) == level)
				add_row(table, layer);
}

static void print_table(const struct cli *cli, const struct graph_view *view)
{
	AUTO(table_free) struct table *table = table_new(headers);
	AUTO(text_release) struct text words = TEXT_EMPTY;

	add_rows(table, view->layers);
	table_print(table, &cli->out, !cli->options.has_no_headers);
	graph_time_words(view->timeline, &words);
	/* Only for people: in a pipe a table is all there is. */
	if (cli->out.is_terminal && words.length)
		printf("%s\n", text_get(&words));
}

static bool print_picture(const struct cli *cli, const struct graph_view *view, struct error *err)
{
	AUTO(text_release) struct text text = TEXT_EMPTY;

	if (cli_prints(cli, "svg")) {
		if (!graph_svg(view, &text, err))
			return false;
	} else if (cli_prints(cli, "dot")) {
		graph_dot(view, &text);
	} else {
		graph_mermaid(view, &text);
	}
	fputs(text_get(&text), stdout);
	return true;
}

static json_t *document_of(const struct graph_view *view)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:O, s:O}", "apiVersion", "envd/v1", "kind", "Graph",
			 "environment", view->name, "state", view->state, "layers", view->layers,
			 "timeline", view->timeline);
}

static bool print(struct cli *cli, const struct graph_view *view, struct error *err)
{
	AUTO(json_decref) json_t *document = document_of(view);

	if (output_document(cli, document))
		return true;
	if (!cli_prints(cli, "text"))
		return print_picture(cli, view, err);
	print_table(cli, view);
	return true;
}

static bool run(struct cli *cli, const void *values, const struct option_list *arguments,
		struct error *err)
{
	const char *name = environment_argument(arguments->items[0]);
	AUTO(free) char *path = api_path("/v1/environments/%s", name);
	AUTO(free) char *layers_path = api_path("/v1/environments/%s/layers", name);
	AUTO(free) char *history_path = api_path("/v1/environments/%s/history", name);
	AUTO(json_decref) json_t *environment = NULL;
	AUTO(json_decref) json_t *layers = NULL;
	AUTO(json_decref) json_t *history = NULL;
	AUTO(json_decref) json_t *timeline = NULL;
	struct api_client *client;

	(void)values;
	if (!cli_client(cli, &client, err) || !api_get(client, path, &environment, err) ||
	    !api_get_all(client, layers_path, &layers, err) ||
	    !api_get_all(client, history_path, &history, err))
		return false;
	timeline = timeline_make(history, clock_wall_ms());
	return print(cli,
		     &(struct graph_view){ .name = json_get_string(environment, "name", name),
					   .state = json_get_string(environment, "state", "?"),
					   .layers = layers,
					   .timeline = timeline },
		     err);
}

const struct command command_graph = {
	.name = "graph",
	.synopsis = "NAME",
	.summary = "its layers: what each needs, how far it is, how long it took",
	.about =
	    "While it is built, and after its end. Layers are what its engine builds one by one: "
	    "services,\n"
	    "Pulumi projects. As a picture:\n\n"
	    "  envctl graph NAME -o svg > graph.svg\n"
	    "  envctl graph NAME -o dot | dot -Tpng > graph.png\n"
	    "  envctl graph NAME -o mermaid    (GitHub and GitLab draw it)\n\n"
	    "In the SVG, needs that others imply have no line of their own.",
	.formats = formats,
	.arguments_min = 1,
	.arguments_max = 1,
	.completes = COMPLETES_ENVIRONMENTS,
	.run = run,
};
