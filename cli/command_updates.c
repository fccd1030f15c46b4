#include "cli/command.h"

#include "cli/output_document.h"
#include "cli/output_table.h"
#include "cli/update_view.h"

struct updates_options {
	const char *layer;
};

// clang-format off
static const struct option rows[] = {
	{ "layer", 'l', OPTION_TEXT, offsetof(struct updates_options, layer), "LAYER", NULL, "only those of this one", NULL },
	OPTIONS_END,
};

static const char *const headers[] = { "N", "LAYER", "OPERATION", "STATE", "STARTED", "CHANGES", NULL };
// clang-format on

static const char *const formats[] = { "text", "table", "json", "yaml", NULL };

static void print_table(const struct cli *cli, const json_t *items)
{
	AUTO(table_free) struct table *table = table_new(headers);
	size_t i;
	json_t *item;

	json_array_foreach((json_t *)(uintptr_t)items, i, item) {
		AUTO(text_release) struct text changes = TEXT_EMPTY;
		AUTO(free)
		char *number = xasprintf("%lld", (long long)json_get_int64(item, "n", 0));
		const char *cells[] = { number,
					json_get_string(item, "layer", "?"),
					json_get_string(item, "operation", "?"),
					json_get_string(item, "state", "?"),
					json_get_string(item, "started_at", "?"),
					NULL };

		update_summary(item, &changes);
		cells[5] = text_get(&changes);
		table_add_row(table, cells);
	}
	table_print(table, &cli->out, !cli->options.has_no_headers);
}

static void print_words(const struct cli *cli, const json_t *items)
{
	size_t i;
	json_t *item;

	json_array_foreach((json_t *)(uintptr_t)items, i, item) {
		AUTO(text_release) struct text text = TEXT_EMPTY;

		update_words(item, &cli->out, &text);
		fputs(text_get(&text), stdout);
	}
}

static bool run(struct cli *cli, const void *values, const struct option_list *arguments,
		struct error *err)
{
	const struct updates_options *options = values;
	AUTO(free)
	char *path =
	    api_path("/v1/environments/%s/updates", environment_argument(arguments->items[0]));
	AUTO(text_release) struct text target = TEXT_EMPTY;
	AUTO(json_decref) json_t *items = NULL, *list = NULL;
	struct api_client *client;

	text_add(&target, path);
	api_path_add(&target, "layer", options->layer);
	if (!cli_client(cli, &client, err) || !api_get_all(client, text_get(&target), &items, err))
		return false;
	list = output_list("UpdateList", items);
	if (output_document(cli, list))
		return true;
	if (cli_prints(cli, "table"))
		print_table(cli, items);
	else
		print_words(cli, items);
	return true;
}

const struct command command_updates = {
	.name = "updates",
	.synopsis = "NAME",
	.summary = "what each operation changed of it, attribute by attribute",
	.about =
	    "Oldest first: every `up`, `refresh` and `destroy` of every layer, what it made (+), "
	    "changed (~)\n"
	    "and removed (-), and which attributes are different. Secrets are [secret]. Also of an "
	    "environment\n"
	    "that is gone, by its id, as long as its records are kept. Engine pulumi only; -o "
	    "table "
	    "has one\n"
	    "line for each operation.",
	.rows = rows,
	.values_size = sizeof(struct updates_options),
	.formats = formats,
	.arguments_min = 1,
	.arguments_max = 1,
	.completes = COMPLETES_ENVIRONMENTS,
	.run = run,
};
