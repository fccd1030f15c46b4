#include "cli/command.h"

#include <string.h>

#include "cli/config.h"
#include "cli/context.h"
#include "cli/output_document.h"
#include "cli/output_table.h"

struct view_options {
	bool shows_origin;
};

// clang-format off
static const struct option rows[] = {
	{ "show-origin", 0, OPTION_FLAG, offsetof(struct view_options, shows_origin), NULL, NULL, "say of each value where it comes from", NULL },
	OPTIONS_END,
};
// clang-format on

static const char *const formats[] = { "table", "json", "yaml", NULL };

/* Values that count, gathered before they are printed. */
struct view {
	struct cli *cli;
	json_t *items; /* [{"name","value","origin"}] */
};

static bool is_known(const struct view *view, const char *name)
{
	size_t i;
	json_t *item;

	json_array_foreach(view->items, i, item) {
		if (text_equal(json_get_string(item, "name", ""), name))
			return true;
	}
	return false;
}

static void add(struct view *view, const char *name, const char *value, const char *origin)
{
	json_array_append_new(view->items, json_pack("{s:s, s:s, s:s}", "name", name, "value",
						     value, "origin", origin));
}

/* ---- where the server and the token come from ---- */

static void add_token(struct view *view, const json_t *context, const char *why)
{
	if (json_has(context, "token"))
		add(view, "token", "[secret]", why);
	else if (json_has(context, "token_file"))
		add(view, "token", json_get_string(context, "token_file", ""), why);
	else if (getenv("ENVCTL_TOKEN") && *getenv("ENVCTL_TOKEN"))
		add(view, "token", "[secret]", "$ENVCTL_TOKEN");
	else if (getenv("ENVCTL_TOKEN_FILE") && *getenv("ENVCTL_TOKEN_FILE"))
		add(view, "token", getenv("ENVCTL_TOKEN_FILE"), "$ENVCTL_TOKEN_FILE");
}

static bool add_context(struct view *view, struct error *err)
{
	const char *name, *why, *where, *key;
	const json_t *context = NULL;
	AUTO(free) char *origin = NULL;
	json_t *value;

	if (!context_in_use(view->cli, &name, &why, err))
		return false;
	if (name) {
		if (!config_context(view->cli->config, name, &context, &where, err))
			return false;
		add(view, "context", name, why);
		origin = xasprintf("context %s in %s", name, where);
	}
	json_object_foreach((json_t *)(uintptr_t)context, key, value) {
		if (common_option(key))
			add(view, key, json_string_value(value), origin);
	}
	add_token(view, context, origin);
	return true;
}

/* ---- options ---- */

static const char *line_value(const struct cli *cli, const struct option *row)
{
	return row->kind == OPTION_TEXT || row->kind == OPTION_CHOICE
		   ? *(const char *const *)((const char *)&cli->options + row->offset)
		   : "true";
}

static bool add_row(struct view *view, const struct option *row, bool is_common, struct error *err)
{
	struct option_fallback files = config_fallback(view->cli->config);
	const char *value = NULL, *where = NULL, *variable = row->variable;
	AUTO(free) char *origin = NULL;

	if (!variable || is_known(view, row->name))
		return true;
	if (is_common && option_origin(&view->cli->origins, row, &where) == OPTION_BY_LINE) {
		origin = xasprintf("--%s", row->name);
		add(view, row->name, line_value(view->cli, row), origin);
		return true;
	}
	if (getenv(variable) && *getenv(variable)) {
		origin = xasprintf("$%s", variable);
		add(view, row->name, getenv(variable), origin);
		return true;
	}
	if (!files.find(files.arg, row, &value, &where, err))
		return false;
	add(view, row->name, value ? value : "", value ? where : "default");
	return true;
}

static bool add_rows(struct view *view, const struct option *of_rows, bool is_common,
		     struct error *err)
{
	for (; of_rows && of_rows->name; of_rows++)
		if (!add_row(view, of_rows, is_common, err))
			return false;
	return true;
}

static bool gather(struct view *view, struct error *err)
{
	size_t count;
	const struct command *const *commands = commands_all(&count);

	if (!add_context(view, err) || !add_rows(view, commands_common_rows(), true, err))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!add_rows(view, commands[i]->rows, false, err))
			return false;
	return true;
}

static void print_table(const struct cli *cli, const json_t *items, bool shows_origin)
{
	static const char *const headers[] = { "NAME", "VALUE", "ORIGIN", NULL };
	static const char *const fewer[] = { "NAME", "VALUE", NULL };
	AUTO(table_free) struct table *table = table_new(shows_origin ? headers : fewer);
	size_t i;
	json_t *item;

	json_array_foreach((json_t *)(uintptr_t)items, i, item) {
		const char *cells[] = { json_get_string(item, "name", "?"),
					json_get_string(item, "value", ""),
					json_get_string(item, "origin", "?") };

		table_add_row(table, cells);
	}
	table_print(table, &cli->out, !cli->options.has_no_headers);
}

static bool run(struct cli *cli, const void *values, const struct option_list *arguments,
		struct error *err)
{
	const struct view_options *options = values;
	AUTO(json_decref) json_t *items = json_array();
	AUTO(json_decref) json_t *list = NULL;
	struct view view = { cli, items };

	(void)arguments;
	if (!gather(&view, err))
		return false;
	list = output_list("ConfigView", items);
	if (!output_document(cli, list))
		print_table(cli, items, options->shows_origin);
	return true;
}

const struct command command_config_view = {
	.name = "config view",
	.synopsis = "",
	.summary = "what is configured, and with --show-origin by what",
	.about =
	    "Every option that can be configured, with the value it has for the next command. From "
	    "the\n"
	    "strongest: the command line, the variable that the help names, ./.envctl.json (in "
	    "this "
	    "folder\n"
	    "or above it, up to the repository's root), your config.json under "
	    "$XDG_CONFIG_HOME/envctl "
	    "or\n"
	    "~/.config/envctl, /etc/envctl/config.json. Secrets are not shown.",
	.rows = rows,
	.values_size = sizeof(struct view_options),
	.formats = formats,
	.run = run,
};
