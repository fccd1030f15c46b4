#include "cli/command.h"

#include <string.h>

#include "cli/output_document.h"
#include "cli/output_table.h"

static const char *const formats[] = { "table", "json", "yaml", NULL };
static const char *const headers[] = { "OUTPUT", "VALUE", NULL };

static char *text_of(const json_t *value)
{
	return json_is_string(value) ? xstrdup(json_string_value(value))
				     : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
}

/* Certificates and the like have their lines only where they are asked for by name. */
static void print_table(const struct cli *cli, const json_t *outputs)
{
	AUTO(table_free) struct table *table = table_new(headers);
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)outputs, name, value) {
		AUTO(free) char *text = text_of(value);
		const char *cells[] = { name, text };

		if (strchr(text, '\n'))
			cells[1] = "(several lines)";
		table_add_row(table, cells);
	}
	table_print(table, &cli->out, !cli->options.has_no_headers);
}

static bool print_one(const json_t *outputs, const char *name, struct error *err)
{
	const json_t *value = json_object_get(outputs, name);
	AUTO(text_release) struct text names = TEXT_EMPTY;
	AUTO(free) char *text = value ? text_of(value) : NULL;
	const char *other;
	json_t *ignored;

	if (text) {
		printf("%s%s", text, text_ends_with(text, "\n") ? "" : "\n");
		return true;
	}
	json_object_foreach((json_t *)(uintptr_t)outputs, other, ignored)
		text_format(&names, "%s%s", names.length ? ", " : "", other);
	error_set_as(err, ERR_NOT_FOUND, "output_not_found", "there is no output \"%s\"", name);
	return error_hint(err, "there are: %s", names.length ? text_get(&names) : "none yet");
}

static bool run(struct cli *cli, const void *values, const struct option_list *arguments,
		struct error *err)
{
	AUTO(free)
	char *path =
	    api_path("/v1/environments/%s/outputs", environment_argument(arguments->items[0]));
	AUTO(json_decref) json_t *outputs = NULL;
	struct api_client *client;

	(void)values;
	if (!cli_client(cli, &client, err) || !api_get(client, path, &outputs, err))
		return false;
	if (arguments->count > 1)
		return print_one(outputs, arguments->items[1], err);
	if (!output_document(cli, outputs))
		print_table(cli, outputs);
	return true;
}

const struct command command_outputs = {
	.name = "outputs",
	.synopsis = "NAME [OUTPUT]",
	.summary = "its outputs, or the value of one",
	.about = "With OUTPUT its value alone, as it is, for scripts:\n\n"
		 "  curl \"$(envctl outputs NAME url)\"\n"
		 "  envctl outputs NAME ca > ca.pem\n\n"
		 "`envctl env` prints them as variables.",
	.formats = formats,
	.arguments_min = 1,
	.arguments_max = 2,
	.completes = COMPLETES_ENVIRONMENTS,
	.run = run,
};
