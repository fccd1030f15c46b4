#include "cli/command.h"

#include <string.h>

#include "cli/output_document.h"
#include "cli/output_table.h"

struct resources_options {
	const char *layer;
};

// clang-format off
static const struct option rows[] = {
	{ "layer", 'l', OPTION_TEXT, offsetof(struct resources_options, layer), "LAYER", NULL, "only those of this one", NULL },
	OPTIONS_END,
};

static const char *const headers[] = { "LAYER", "TYPE", "NAME", "ID", "CONSOLE", NULL };
// clang-format on

static const char *const formats[] = { "table", "json", "yaml", NULL };

/* A component is only a name for others: on paper it would say twice what there is once. */
static bool is_shown(const json_t *resource)
{
	return *json_get_string(resource, "id", "") != '\0';
}

static void print_table(const struct cli *cli, const json_t *items)
{
	AUTO(table_free) struct table *table = table_new(headers);
	size_t i;
	json_t *item;

	json_array_foreach((json_t *)(uintptr_t)items, i, item) {
		const char *cells[] = { json_get_string(item, "layer", NULL),
					json_get_string(item, "type", "?"),
					json_get_string(item, "name", "?"),
					json_get_string(item, "id", NULL),
					json_get_string(item, "link", NULL) };

		if (is_shown(item))
			table_add_row(table, cells);
	}
	table_print(table, &cli->out, !cli->options.has_no_headers);
}

static bool run(struct cli *cli, const void *values, const struct option_list *arguments,
		struct error *err)
{
	const struct resources_options *options = values;
	AUTO(free)
	char *path =
	    api_path("/v1/environments/%s/resources", environment_argument(arguments->items[0]));
	AUTO(text_release) struct text target = TEXT_EMPTY;
	AUTO(json_decref) json_t *items = NULL, *list = NULL;
	struct api_client *client;

	text_add(&target, path);
	api_path_add(&target, "layer", options->layer);
	if (!cli_client(cli, &client, err) || !api_get_all(client, text_get(&target), &items, err))
		return false;
	list = output_list("ResourceList", items);
	if (!output_document(cli, list))
		print_table(cli, items);
	return true;
}

const struct command command_resources = {
	.name = "resources",
	.synopsis = "NAME",
	.summary = "what was made for an environment, and where its cloud's console shows it",
	.about =
	    "Everything that its engine's books hold: resources of Pulumi, containers, networks, "
	    "volumes.\n"
	    "CONSOLE is the page of the thing in the console of AWS, DigitalOcean or Linode, for "
	    "types that\n"
	    "have one. The JSON has URNs, parents and components, too.",
	.rows = rows,
	.values_size = sizeof(struct resources_options),
	.formats = formats,
	.arguments_min = 1,
	.arguments_max = 1,
	.completes = COMPLETES_ENVIRONMENTS,
	.run = run,
};
