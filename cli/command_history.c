#include "cli/command.h"

#include <string.h>

#include "base/clock.h"
#include "cli/event_stream.h"
#include "cli/output_document.h"
#include "cli/output_table.h"
#include "cli/timeline.h"
#include "cli/timeline_view.h"

struct history_options {
	bool follows;
	bool is_timeline;
};

// clang-format off
static const struct option rows[] = {
	{ "follow", 'f', OPTION_FLAG, offsetof(struct history_options, follows), NULL, NULL, "go on until it is destroyed", NULL },
	{ "timeline", 't', OPTION_FLAG, offsetof(struct history_options, is_timeline), NULL, NULL, "where its time went: queue, each layer, checks, and what nobody accounts for", NULL },
	OPTIONS_END,
};

static const char *const headers[] = { "TIME", "KIND", "STATE", "MESSAGE", NULL };
// clang-format on

static const char *const formats[] = { "table", "json", "yaml", NULL };

/* "ingress ready 1200 ms" where a row has no words of its own. */
static char *message_of(const json_t *row)
{
	const json_t *data = json_object_get(row, "data");
	const char *message = json_get_string(row, "message", "");

	if (*message || !json_has(data, "name"))
		return xstrdup(message);
	return xasprintf("%s %s", json_get_string(data, "name", ""),
			 json_get_string(data, "state", json_get_string(data, "status", "")));
}

static void print_table(const struct cli *cli, const json_t *items)
{
	AUTO(table_free) struct table *table = table_new(headers);
	size_t i;
	json_t *row;

	json_array_foreach((json_t *)(uintptr_t)items, i, row) {
		AUTO(free) char *message = message_of(row);
		const char *cells[] = { json_get_string(row, "at", "?"),
					json_get_string(row, "kind", "?"),
					json_get_string(row, "state", NULL), message };

		table_add_row(table, cells);
	}
	table_print(table, &cli->out, !cli->options.has_no_headers);
}

static bool on_event(void *arg, const char *kind, const char *data)
{
	const struct cli *cli = arg;
	AUTO(json_decref) json_t *row = NULL;
	AUTO(free) char *message = NULL;
	struct error ignored; /* an event that is no JSON is not ours to show */

	(void)kind;
	if (!json_parse(data, strlen(data), "event", &row, &ignored))
		return true;
	message = message_of(row);
	/* One line each, which a reader takes as it comes. */
	if (cli_prints(cli, "json"))
		printf("%s\n", data);
	else if (!output_document(cli, row))
		printf("%s  %-8s  %-12s  %s\n", json_get_string(row, "at", "?"),
		       json_get_string(row, "kind", "?"), json_get_string(row, "state", "-"),
		       message);
	return fflush(stdout) == 0;
}

static bool on_bytes(void *arg, const char *bytes, size_t length)
{
	return event_stream_feed(arg, bytes, length);
}

static bool follow(struct cli *cli, struct api_client *client, const char *name, struct error *err)
{
	AUTO(free) char *path = api_path("/v1/environments/%s/events", name);
	struct event_stream events = { .on_event = on_event, .arg = cli };
	struct api_stream stream = {
		.path = path, .last_event_id = "0", .on_bytes = on_bytes, .arg = &events
	};
	bool done = api_stream(client, &stream, err);

	event_stream_release(&events);
	return done;
}

static void print_timeline(const struct cli *cli, const char *name, const json_t *items)
{
	AUTO(json_decref) json_t *timeline = timeline_make(items, clock_wall_ms());

	json_object_set_new(timeline, "apiVersion", json_string("envd/v1"));
	json_object_set_new(timeline, "kind", json_string("Timeline"));
	json_object_set_new(timeline, "environment", json_string(name));
	if (!output_document(cli, timeline))
		timeline_print(timeline, &cli->out, !cli->options.has_no_headers);
}

/* What happens later has no place in a sum. */
static bool check_options(const struct history_options *options, struct error *err)
{
	return !options->follows || !options->is_timeline ||
	       error_set_as(err, ERR_INVALID, "option_value",
			    "--timeline does not go with --follow");
}

static bool run(struct cli *cli, const void *values, const struct option_list *arguments,
		struct error *err)
{
	const struct history_options *options = values;
	const char *name = environment_argument(arguments->items[0]);
	AUTO(free) char *path = api_path("/v1/environments/%s/history", name);
	AUTO(json_decref) json_t *items = NULL, *list = NULL;
	struct api_client *client;

	if (!check_options(options, err) || !cli_client(cli, &client, err))
		return false;
	if (options->follows)
		return follow(cli, client, name, err);
	if (!api_get_all(client, path, &items, err))
		return false;
	if (options->is_timeline) {
		print_timeline(cli, name, items);
		return true;
	}
	list = output_list("HistoryList", items);
	if (!output_document(cli, list))
		print_table(cli, items);
	return true;
}

const struct command command_history = {
	.name = "history",
	.synopsis = "NAME",
	.summary = "show what happened to an environment",
	.about = "Every state, layer, check and decision, with its time. With --follow -o json, "
		 "one JSON\n"
		 "object a line. With --timeline, the sum: how long it waited, how long each "
		 "layer took,\n"
		 "and how much of the whole is in none of them.",
	.rows = rows,
	.values_size = sizeof(struct history_options),
	.formats = formats,
	.arguments_min = 1,
	.arguments_max = 1,
	.completes = COMPLETES_ENVIRONMENTS,
	.run = run,
};
