#include "cli/command.h"

#include <string.h>

#include "base/duration.h"
#include "cli/output_document.h"
#include "cli/output_table.h"
#include "cli/template_lint.h"

static const char *const list_formats[] = { "table", "json", "yaml", "name", NULL };
static const char *const show_formats[] = { "table", "json", "yaml", NULL };

/* ---- list ---- */

/* "main at 46bdb4609815", "-" for a folder's; the caller frees. */
static char *source_words(const json_t *source)
{
	const char *ref = json_get_string(source, "ref", "");
	const char *last = strrchr(ref, '/') && !strncmp(ref, "refs/heads/", 11) ? ref + 11 : ref;

	if (!source)
		return xstrdup("-");
	if (strncmp(ref, "refs/tags/", 10) == 0)
		last = ref + 10;
	return xasprintf("%s%s%.12s", last, *last ? " at " : "",
			 json_get_string(source, "commit", ""));
}

static char *price_words(const json_t *price)
{
	const char *currency = json_get_string(price, "currency", "");

	if (json_array_size(json_object_get(price, "components")))
		return xasprintf("quoted %s", currency);
	return xasprintf("%.2f %s", json_get_number(price, "per_hour", 0), currency);
}

static void print_list(const struct cli *cli, const json_t *items)
{
	static const char *const headers[] = { "NAME",   "ENGINE",      "TRUSTED", "PRICE/H",
					       "SOURCE", "DESCRIPTION", NULL };
	AUTO(table_free) struct table *table = table_new(headers);
	size_t i;
	json_t *item;

	json_array_foreach((json_t *)(uintptr_t)items, i, item) {
		const json_t *price = json_object_get(item, "price");
		AUTO(free) char *cost = price_words(price);
		AUTO(free) char *source = source_words(json_object_get(item, "source"));
		const char *wrong = json_get_string(json_object_get(item, "error"), "message", "");
		const char *cells[] = { json_get_string(item, "name", "?"),
					json_get_string(item, "engine", "?"),
					json_get_bool(item, "trusted", false) ? "yes" : "no",
					cost,
					source,
					json_get_string(item, "description", wrong) };

		table_add_row(table, cells);
	}
	table_print(table, &cli->out, !cli->options.has_no_headers);
}

static void print_names(const json_t *items)
{
	size_t i;
	json_t *item;

	json_array_foreach((json_t *)(uintptr_t)items, i, item) {

		printf("%s\n", json_get_string(item, "name", "?"));
	}
}

static bool run_list(struct cli *cli, const void *values, const struct option_list *arguments,
		     struct error *err)
{
	AUTO(json_decref) json_t *items = NULL, *list = NULL;
	struct api_client *client;

	(void)values;
	(void)arguments;
	if (!cli_client(cli, &client, err) || !api_get_all(client, "/v1/templates", &items, err))
		return false;
	list = output_list("TemplateList", items);
	if (output_document(cli, list))
		return true;
	if (cli_prints(cli, "name"))
		print_names(items);
	else
		print_list(cli, items);
	return true;
}

const struct command command_template_list = {
	.name = "template list",
	.synopsis = "",
	.summary = "show what can be created",
	.about = "The templates that the server offers.",
	.formats = list_formats,
	.run = run_list,
};

/* ---- show ---- */

static char *joined(const json_t *strings)
{
	struct text words = TEXT_EMPTY;
	size_t i;
	json_t *item;

	json_array_foreach((json_t *)(uintptr_t)strings, i, item) {

		text_format(&words, "%s%s", i ? ", " : "",
			    json_string_value(item) ? json_string_value(item) : "?");
	}
	return text_take(&words);
}

/* What may stand after "=" in --pin: versions, and the kinds there is a pattern for. */
static char *pins_of(const json_t *component)
{
	AUTO(free) char *versions = joined(json_object_get(component, "versions"));

	return xasprintf("%s%s%s", *versions ? versions : "any",
			 json_has(component, "branch") ? ", @BRANCH" : "",
			 json_has(component, "pull_request") ? ", pr:NUMBER" : "");
}

static void print_components(const struct cli *cli, const json_t *components)
{
	static const char *const headers[] = { "COMPONENT", "DEFAULT", "VERSIONS", "DESCRIPTION",
					       NULL };
	AUTO(table_free) struct table *table = table_new(headers);
	size_t i;
	json_t *item;

	json_array_foreach((json_t *)(uintptr_t)components, i, item) {
		AUTO(free) char *versions = pins_of(item);
		AUTO(free) char *members = joined(json_object_get(item, "members"));
		AUTO(free) char *group = xasprintf("all of %s", members);
		const char *cells[] = { json_get_string(item, "name", "?"),
					json_get_string(item, "default", "-"), versions,
					*members ? group
						 : json_get_string(item, "description", "") };

		table_add_row(table, cells);
	}
	printf("\n");
	table_print(table, &cli->out, true);
}

static void print_parameters(const struct cli *cli, const json_t *parameters)
{
	static const char *const headers[] = { "PARAMETER", "TYPE", "DEFAULT", "DESCRIPTION",
					       NULL };
	AUTO(table_free) struct table *table = table_new(headers);
	size_t i;
	json_t *item;

	json_array_foreach((json_t *)(uintptr_t)parameters, i, item) {
		const json_t *value = json_object_get(item, "default");
		AUTO(free) char *shown = value ? json_dumps(value, JSON_ENCODE_ANY) : NULL;
		const char *cells[] = { json_get_string(item, "name", "?"),
					json_get_string(item, "type", "?"),
					shown ? shown : "(must be given)",
					json_get_string(item, "description", "") };

		table_add_row(table, cells);
	}
	printf("\n");
	table_print(table, &cli->out, true);
}

/* What price books say today is asked with a plan: it depends on the parameters. */
static void print_price(const json_t *price)
{
	const json_t *components = json_object_get(price, "components");
	AUTO(free) char *names = json_array_size(components) ? joined(components) : NULL;
	const char *note = json_get_string(price, "note", "");

	if (names)
		printf("  %-9s in %s, by price books: %s (create --dry-run=server)%s%s\n", "price",
		       json_get_string(price, "currency", ""), names, *note ? ", " : "", note);
	else
		printf("  %-9s %.2f %s an hour%s%s\n", "price",
		       json_get_number(price, "per_hour", 0),
		       json_get_string(price, "currency", ""), *note ? ", " : "", note);
}

static void print_template(const struct cli *cli, const json_t *template)
{
	const json_t *limits = json_object_get(template, "limits");
	const json_t *lease = json_object_get(limits, "lease");
	const json_t *price = json_object_get(template, "price");
	AUTO(free) char *outputs = joined(json_object_get(template, "outputs"));
	AUTO(free) char *source = source_words(json_object_get(template, "source"));
	char usual[DURATION_TEXT_SIZE], longest[DURATION_TEXT_SIZE], build[DURATION_TEXT_SIZE];

	printf("%s: %s\n", json_get_string(template, "name", "?"),
	       json_get_string(template, "description", ""));
	printf("  %-9s %s%s\n", "engine", json_get_string(template, "engine", "?"),
	       json_get_bool(template, "trusted", false) ? "" : " (source not trusted)");
	if (json_has(template, "source"))
		printf("  %-9s %s, %s\n", "source",
		       json_get_string(json_object_get(template, "source"), "repository", ""),
		       source);
	printf("  %-9s %s, at most %s; built within %s\n", "lease",
	       duration_format(json_get_int64(lease, "default_ms", 0), usual),
	       duration_format(json_get_int64(lease, "maximum_ms", 0), longest),
	       duration_format(json_get_int64(limits, "provision_ms", 0), build));
	print_price(price);
	printf("  %-9s %s\n", "outputs", outputs);
	printf("  %-9s %s\n", "checks", json_get_bool(template, "checks", false) ? "yes" : "none");
	if (json_array_size(json_object_get(template, "components")))
		print_components(cli, json_object_get(template, "components"));
	if (json_array_size(json_object_get(template, "parameters")))
		print_parameters(cli, json_object_get(template, "parameters"));
}

struct show_options {
	const char *ref;
};

// clang-format off
static const struct option show_rows[] = {
	{ "template-ref", 0, OPTION_TEXT, offsetof(struct show_options, ref), "REF", "ENVCTL_TEMPLATE_REF", "tag, branch or commit of a template of a git source; the source's own", NULL },
	OPTIONS_END,
};
// clang-format on

static const struct show_options show_defaults = { NULL };

static void add_part(struct text *path, char *part)
{
	text_add(path, part);
	free(part);
}

/* "NAME" or "SOURCE/NAME"; the caller frees. */
static char *template_path(const char *name, const char *ref)
{
	AUTO(free) char *source = xstrdup(name);
	char *slash = strchr(source, '/');
	struct text path = TEXT_EMPTY;

	if (slash) {
		AUTO(free) char *last = api_path("/%s", slash + 1);

		*slash = '\0';
		add_part(&path, api_path("/v1/templates/%s", source));
		text_add(&path, last);
	} else {
		add_part(&path, api_path("/v1/templates/%s", name));
	}
	if (ref)
		api_path_add(&path, "ref", ref);
	return text_take(&path);
}

static bool run_show(struct cli *cli, const void *values, const struct option_list *arguments,
		     struct error *err)
{
	const struct show_options *options = values;
	AUTO(free) char *path = template_path(arguments->items[0], options->ref);
	AUTO(json_decref) json_t *template = NULL;
	struct api_client *client;

	if (!cli_client(cli, &client, err) || !api_get(client, path, &template, err))
		return false;
	if (!output_document(cli, template))
		print_template(cli, template);
	return true;
}

const struct command command_template_show = {
	.name = "template show",
	.synopsis = "TEMPLATE",
	.summary = "show what can be pinned and set in a template",
	.rows = show_rows,
	.values_size = sizeof(struct show_options),
	.defaults = &show_defaults,
	.about = "Components with their versions (--pin), parameters (--param), limits and price. "
		 "One of a\n"
		 "git source is SOURCE/TEMPLATE.",
	.formats = show_formats,
	.arguments_min = 1,
	.arguments_max = 1,
	.completes = COMPLETES_TEMPLATES,
	.run = run_show,
};

/* ---- lint ---- */

static bool run_lint(struct cli *cli, const void *values, const struct option_list *arguments,
		     struct error *err)
{
	(void)values;
	for (size_t i = 0; i < arguments->count; i++) {
		AUTO(text_release) struct text notes = TEXT_EMPTY;
		bool is_well = template_lint(arguments->items[i], &notes, err);

		if (notes.length)
			fprintf(cli->err.stream, "%s", text_get(&notes));
		if (!is_well)
			return error_wrap(err, "%s", arguments->items[i]);
		printf("%s: template is well\n", arguments->items[i]);
	}
	return true;
}

const struct command command_template_lint = {
	.name = "template lint",
	.synopsis = "FOLDER...",
	.summary = "look for mistakes in a template, without a server",
	.about =
	    "Reads template.yaml, the compose file with the defaults and the checks, and compares\n"
	    "what they say of each other. The first mistake is printed with its place; what is\n"
	    "allowed but worth knowing goes to stderr.",
	.arguments_min = 1,
	.arguments_max = ARGUMENTS_ANY,
	.run = run_lint,
};
