#include "cli/command.h"

#include <string.h>

#include "cli/config.h"
#include "cli/context.h"
#include "cli/output_document.h"
#include "cli/output_table.h"
#include "model/environment.h"

static const char *const formats[] = { "table", "json", "yaml", NULL };

/* ---- list ---- */

static const char *token_of(const json_t *context)
{
	return json_has(context, "token") ? "[secret]"
					  : json_get_string(context, "token_file", "-");
}

static json_t *contexts_document(const json_t *contexts, const char *current)
{
	AUTO(json_decref) json_t *items = json_array();
	const char *name;
	json_t *context;

	json_object_foreach((json_t *)(uintptr_t)contexts, name, context) {
		AUTO(json_decref) json_t *item = json_copy(context);

		if (json_has(item, "token"))
			json_object_set_new(item, "token", json_string("[secret]"));
		json_object_set_new(item, "name", json_string(name));
		json_object_set_new(item, "current", json_boolean(text_equal(name, current)));
		json_array_append(items, item);
	}
	return output_list("ContextList", items);
}

static void print_table(const struct cli *cli, const json_t *contexts, const char *current)
{
	static const char *const headers[] = { "CURRENT", "NAME", "SERVER", "TOKEN", NULL };
	AUTO(table_free) struct table *table = table_new(headers);
	const char *name;
	json_t *context;

	json_object_foreach((json_t *)(uintptr_t)contexts, name, context) {
		const char *cells[] = { text_equal(name, current) ? "*" : " ", name,
					json_get_string(context, "server", "-"),
					token_of(context) };

		table_add_row(table, cells);
	}
	table_print(table, &cli->out, !cli->options.has_no_headers);
}

/* Docker's users were puzzled for years by a variable that won over what they had chosen. */
static bool warn_of_override(struct cli *cli, const char **current, struct error *err)
{
	const char *why;

	if (!context_in_use(cli, current, &why, err))
		return false;
	if (!*current && why)
		fprintf(stderr, "%s names the server: no context is used\n", why);
	else if (*current && text_equal(why, "$ENVCTL_CONTEXT"))
		fprintf(stderr, "$ENVCTL_CONTEXT chooses context \"%s\"\n", *current);
	return true;
}

static bool run_list(struct cli *cli, const void *values, const struct option_list *arguments,
		     struct error *err)
{
	AUTO(json_decref) json_t *contexts = NULL, *document = NULL;
	const char *current;

	(void)values;
	(void)arguments;
	if (!config_contexts(cli->config, &contexts, err) || !warn_of_override(cli, &current, err))
		return false;
	document = contexts_document(contexts, current);
	if (!output_document(cli, document))
		print_table(cli, contexts, current);
	return true;
}

const struct command command_context_list = {
	.name = "context list",
	.synopsis = "",
	.summary = "list the configured servers",
	.about = "",
	.formats = formats,
	.run = run_list,
};

/* ---- use ---- */

static bool run_use(struct cli *cli, const void *values, const struct option_list *arguments,
		    struct error *err)
{
	const char *name = arguments->items[0], *where, *file, *current;
	const json_t *context;

	(void)values;
	if (!config_context(cli->config, name, &context, &where, err) ||
	    !config_write_context(cli->config, name, NULL, true, &file, err) ||
	    !warn_of_override(cli, &current, err))
		return false;
	printf("context \"%s\" (%s) from now on, written to %s\n", name,
	       json_get_string(context, "server", "?"), file);
	return true;
}

const struct command command_context_use = {
	.name = "context use",
	.synopsis = "NAME",
	.summary = "choose the server that is meant from now on",
	.about = "ENVCTL_SERVER, ENVCTL_CONTEXT and a project's .envctl.json go before it.",
	.arguments_min = 1,
	.arguments_max = 1,
	.completes = COMPLETES_CONTEXTS,
	.run = run_use,
};

/* ---- add ---- */

struct add_options {
	const char *token_file;
};

// clang-format off
static const struct option add_rows[] = {
	{ "token-file", 0, OPTION_TEXT, offsetof(struct add_options, token_file), "FILE", NULL, "the file that holds the token; it is read when it is used", NULL },
	OPTIONS_END,
};
// clang-format on

/* What the line said about the server, and nothing that a variable says today. */
static json_t *context_of_line(const struct cli *cli)
{
	static const char *const names[] = { "server", "ca", "client-certificate", "client-key",
					     "project" };
	json_t *context = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const struct option *row = common_option(names[i]);
		const char *where, *value;

		if (!row || option_origin(&cli->origins, row, &where) != OPTION_BY_LINE)
			continue;
		value = *(const char *const *)((const char *)&cli->options + row->offset);
		json_object_set_new(context, names[i], json_string(value));
	}
	return context;
}

static bool add_token_file(json_t *context, const char *file, struct error *err)
{
	AUTO(free) char *absolute = NULL;

	if (!file)
		return true;
	absolute = realpath(file, NULL);
	if (!absolute)
		return error_set_as(err, ERR_INVALID, "option_value",
				    "--token-file \"%s\" cannot be read", file);
	json_object_set_new(context, "token_file", json_string(absolute));
	return true;
}

static bool run_add(struct cli *cli, const void *values, const struct option_list *arguments,
		    struct error *err)
{
	const struct add_options *options = values;
	AUTO(json_decref) json_t *context = context_of_line(cli);
	const char *name = arguments->items[0], *file, *chosen, *where;

	if (!json_has(context, "server"))
		return error_set_as(err, ERR_INVALID, "argument_missing",
				    "envctl context add needs --server ADDRESS");
	if (!name_check(name, "context name", err) ||
	    !add_token_file(context, options->token_file, err) ||
	    !config_chosen_context(cli->config, &chosen, &where, err) ||
	    !config_write_context(cli->config, name, context, !chosen, &file, err))
		return false;
	printf("context \"%s\" written to %s%s\n", name, file, chosen ? "" : ", and chosen");
	return true;
}

const struct command command_context_add = {
	.name = "context add",
	.synopsis = "NAME",
	.summary = "configure a server: --server ADDRESS and how to be let in",
	.about =
	    "Keeps --server, --token-file and the like under NAME in your configuration file. The "
	    "first\n"
	    "one is chosen at once. A context of the same name is replaced. Tokens stay in their "
	    "own files.",
	.rows = add_rows,
	.values_size = sizeof(struct add_options),
	.arguments_min = 1,
	.arguments_max = 1,
	.run = run_add,
};

/* ---- remove ---- */

static bool run_remove(struct cli *cli, const void *values, const struct option_list *arguments,
		       struct error *err)
{
	const char *name = arguments->items[0], *where, *file;
	const json_t *context;

	(void)values;
	if (!config_context(cli->config, name, &context, &where, err))
		return false;
	if (!text_equal(where, config_user_file(cli->config)))
		return error_set_as(err, ERR_INVALID, "config_invalid",
				    "context \"%s\" stands in %s, which is not yours", name, where);
	if (!config_write_context(cli->config, name, NULL, false, &file, err))
		return false;
	printf("context \"%s\" removed from %s\n", name, file);
	return true;
}

const struct command command_context_remove = {
	.name = "context remove",
	.synopsis = "NAME",
	.summary = "forget a configured server",
	.about = "",
	.arguments_min = 1,
	.arguments_max = 1,
	.completes = COMPLETES_CONTEXTS,
	.run = run_remove,
};
