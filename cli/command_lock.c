#include "cli/command.h"

#include "cli/lock_document.h"
#include "cli/output_document.h"
#include "cli/output_table.h"

static const char *const formats[] = { "table", "json", "yaml", NULL };
static const char *const headers[] = { "COMPONENT", "VERSION", "IMAGE", "DIGEST", NULL };

static void add_rows(struct table *table, const json_t *map, const json_t *known)
{
	const char *name;
	json_t *item;

	json_object_foreach((json_t *)(uintptr_t)map, name, item) {
		const char *cells[] = { name, json_get_string(item, "version", "-"),
					json_get_string(item, "image", "-"),
					json_get_string(item, "image_id", "-") };

		if (!json_object_get(known, name))
			table_add_row(table, cells);
	}
}

/* Components, then the services that are none. */
static void print_table(const struct cli *cli, const json_t *lock)
{
	AUTO(table_free) struct table *table = table_new(headers);
	const json_t *components = json_object_get(lock, "components");

	add_rows(table, components, NULL);
	add_rows(table, json_object_get(lock, "services"), components);
	table_print(table, &cli->out, !cli->options.has_no_headers);
}

static bool run(struct cli *cli, const void *values, const struct option_list *arguments,
		struct error *err)
{
	AUTO(json_decref) json_t *lock = NULL;
	struct api_client *client;

	(void)values;
	if (!cli_client(cli, &client, err) ||
	    !lock_fetch(client, arguments->items[0], &lock, NULL, err))
		return false;
	if (!output_document(cli, lock))
		print_table(cli, json_object_get(lock, "lock"));
	return true;
}

const struct command command_lock = {
	.name = "lock",
	.synopsis = "NAME",
	.summary = "print what an environment was built from, every version as it was resolved",
	.about = "The JSON has nothing of the environment's own, so it can be kept beside a test's "
		 "result,\n"
		 "compared byte by byte, and built from again:\n\n"
		 "  envctl lock NAME -o json > good.lock.json\n"
		 "  envctl create --like good.lock.json",
	.formats = formats,
	.arguments_min = 1,
	.arguments_max = 1,
	.completes = COMPLETES_ENVIRONMENTS,
	.run = run,
};
