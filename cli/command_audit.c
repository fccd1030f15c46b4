#include "cli/command.h"

#include "cli/output_document.h"
#include "cli/output_table.h"

struct audit_options {
	int64_t limit;
};

// clang-format off
static const struct option rows[] = {
	{ "limit", 0, OPTION_INTEGER, offsetof(struct audit_options, limit), "N", NULL, "the newest N, at most 500 (default 50)", NULL },
	OPTIONS_END,
};

static const char *const headers[] = { "TIME", "WHO", "ROLE", "FROM", "ACTION", "SUBJECT", "DETAIL", "REQUEST", NULL };
// clang-format on

static const struct audit_options defaults = { .limit = 50 };
static const char *const formats[] = { "table", "json", "yaml", NULL };

static void print_table(const struct cli *cli, const json_t *items)
{
	AUTO(table_free) struct table *table = table_new(headers);
	size_t i;
	json_t *item;

	json_array_foreach((json_t *)(uintptr_t)items, i, item) {
		AUTO(free) char *detail = json_to_text(json_object_get(item, "detail"));
		const char *who = json_get_string(item, "who", "");
		const char *cells[] = { json_get_string(item, "at", "?"),
					*who ? who : NULL,
					json_get_string(item, "role", "?"),
					json_get_string(item, "from", "?"),
					json_get_string(item, "action", "?"),
					json_get_string(item, "subject", ""),
					detail,
					json_get_string(item, "request", "") };

		table_add_row(table, cells);
	}
	table_print(table, &cli->out, !cli->options.has_no_headers);
}

static bool run(struct cli *cli, const void *values, const struct option_list *arguments,
		struct error *err)
{
	const struct audit_options *options = values;
	AUTO(free) char *path = xasprintf("/v1/audit?limit=%lld", (long long)options->limit);
	AUTO(json_decref) json_t *page = NULL, *list = NULL;
	struct api_client *client;
	json_t *items;

	(void)arguments;
	if (!cli_client(cli, &client, err) || !api_get(client, path, &page, err))
		return false;
	items = json_object_get(page, "items");
	list = output_list("AuditList", items);
	if (!output_document(cli, list))
		print_table(cli, items);
	return true;
}

const struct command command_audit = {
	.name = "audit",
	.synopsis = "",
	.summary = "show who changed what, newest first",
	.about =
	    "Every create, extension, check, destroy and token, with who asked, from where, and\n"
	    "the id of the request; failed logins in sums. For operators and admins.",
	.rows = rows,
	.values_size = sizeof(struct audit_options),
	.defaults = &defaults,
	.formats = formats,
	.run = run,
};
