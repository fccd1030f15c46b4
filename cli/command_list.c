#include "cli/command.h"

#include "base/clock.h"
#include "cli/environment_view.h"
#include "cli/output_document.h"
#include "cli/output_table.h"

struct list_options {
	const char *state;
	const char *owner;
	const char *template;
	struct option_list labels;
	bool is_all;
	const char *columns;
	const char *sort_by;
};

// clang-format off
static const struct option rows[] = {
	{ "state",    0,   OPTION_TEXT, offsetof(struct list_options, state),    "STATE",     NULL, "only those in this state", NULL },
	{ "owner",    0,   OPTION_TEXT, offsetof(struct list_options, owner),    "OWNER",     NULL, "only this owner's", NULL },
	{ "template", 0,   OPTION_TEXT, offsetof(struct list_options, template), "TEMPLATE",  NULL, "only of this template", NULL },
	{ "label",    'l', OPTION_LIST, offsetof(struct list_options, labels),   "KEY=VALUE", NULL, "only those with this label", NULL },
	{ "all",      'a', OPTION_FLAG, offsetof(struct list_options, is_all),   NULL,        NULL, "destroyed ones too", NULL },
	{ "columns",  0,   OPTION_TEXT, offsetof(struct list_options, columns),  "A,B,...",   "ENVCTL_LIST_COLUMNS", "which columns, in this order; those of -o wide too", NULL },
	{ "sort-by",  0,   OPTION_TEXT, offsetof(struct list_options, sort_by),  "COLUMN",    "ENVCTL_LIST_SORT_BY", "by this column; --sort-by=-COLUMN: the greatest first", NULL },
	OPTIONS_END,
};

static const char *const headers[] = {
	"NAME", "TEMPLATE", "STATE", "CHECKS", "EXPIRES IN", "OWNER", "COST", "AT EXPIRY", NULL
};
static const char *const wide_headers[] = {
	"NAME", "TEMPLATE", "STATE", "CHECKS", "EXPIRES IN", "OWNER", "COST", "AT EXPIRY", "ID", "TARGET", "CREATED", "URL", NULL
};
// clang-format on

#define NARROW_COLUMNS "name,template,state,checks,expires-in,owner,cost,at-expiry"

static const char *const formats[] = { "table", "wide", "json", "yaml", "name", NULL };

/* The server takes `state`, `owner` and `template`; labels are looked at here. */
static bool has_labels(const json_t *environment, const struct option_list *labels, bool *has_all,
		       struct error *err)
{
	const json_t *map = json_object_get(environment, "labels");

	*has_all = true;
	for (size_t i = 0; i < labels->count; i++) {
		char name[256];
		const char *value;

		if (!option_pair(labels->items[i], "--label", name, sizeof(name), &value, err))
			return false;
		if (!text_equal(json_get_string(map, name, NULL), value))
			*has_all = false;
	}
	return true;
}

static bool keep_labelled(const json_t *all, const struct option_list *labels, json_t **kept,
			  struct error *err)
{
	AUTO(json_decref) json_t *items = json_array();
	size_t i;
	json_t *environment;

	json_array_foreach((json_t *)(uintptr_t)all, i, environment) {
		bool has_all;

		if (!has_labels(environment, labels, &has_all, err))
			return false;
		if (has_all)
			json_array_append(items, environment);
	}
	*kept = TAKE(items);
	return true;
}

/* Times and money as they are, not as they are written. */
static void set_keys(struct table *table, const json_t *environment)
{
	static const struct {
		size_t column;
		const char *field;
	} costs[] = { { 6, "so_far" }, { 7, "at_expiry" } };
	const json_t *cost = json_object_get(environment, "cost");
	struct error ignored; /* without an end it is sorted behind the others */
	int64_t at_ms;

	if (clock_parse(json_get_string(environment, "expires_at", ""), &at_ms, &ignored))
		table_set_key(table, 4, (double)at_ms);
	for (size_t i = 0; i < ARRAY_SIZE(costs); i++)
		if (json_has(cost, costs[i].field))
			table_set_key(table, costs[i].column,
				      json_get_number(cost, costs[i].field, 0));
}

static void add_row(struct table *table, const json_t *environment)
{
	AUTO(text_release) struct text expiry = TEXT_EMPTY;
	AUTO(text_release) struct text so_far = TEXT_EMPTY;
	AUTO(text_release) struct text at_expiry = TEXT_EMPTY;
	const char *state = json_get_string(environment, "state", "?");
	const char *verdict =
	    json_get_string(json_object_get(environment, "checks"), "verdict", "-");
	bool is_kept = json_has(json_object_get(environment, "kept"), "until");
	bool is_quarantined = json_get_bool(environment, "quarantined", false);

	environment_expiry(environment, &expiry);
	environment_money(environment, "so_far", &so_far);
	environment_money(environment, "at_expiry", &at_expiry);

	const char *cells[] = {
		json_get_string(environment, "name", "?"),
		json_get_string(environment, "template", "?"),
		is_quarantined ? "quarantined"
		: is_kept      ? "failed (kept)"
			       : state,
		verdict,
		text_get(&expiry),
		json_get_string(environment, "owner", "?"),
		text_get(&so_far),
		text_get(&at_expiry),
		json_get_string(environment, "id", "?"),
		json_get_string(environment, "target", "?"),
		json_get_string(environment, "created_at", "?"),
		json_get_string(json_object_get(environment, "outputs"), "url", "-"),
	};

	table_add_row(table, cells);
	set_keys(table, environment);
	table_set_tone(table, 2, is_quarantined ? TONE_BAD : environment_state_tone(state));
	table_set_tone(table, 3, environment_state_tone(verdict));
}

/* Totals by owner, under the table; a server that cannot say leaves them out. */
static void print_totals(struct cli *cli, struct api_client *client)
{
	AUTO(json_decref) json_t *costs = NULL;
	struct error ignored; /* the list was printed; the totals are an extra */
	size_t i;
	json_t *item;

	if (!cli->out.is_terminal && cli->options.has_no_headers)
		return;
	if (!api_get(client, "/v1/costs?by=owner", &costs, &ignored))
		return;
	json_array_foreach(json_object_get(costs, "items"), i, item) {
		bool is_example = json_get_bool(item, "example", false);

		printf("%s%s  %s: %lld live, %.2f %s so far, %.2f at expiry%s%s\n", i ? "" : "\n",
		       terminal_tone(&cli->out, TONE_FAINT), json_get_string(item, "owner", "?"),
		       (long long)json_get_int64(item, "live", 0),
		       json_get_number(item, "so_far", 0), json_get_string(item, "currency", ""),
		       json_get_number(item, "at_expiry", 0),
		       is_example ? " (* EXAMPLE prices)" : "", terminal_plain(&cli->out));
	}
}

static bool print_table(struct cli *cli, struct api_client *client,
			const struct list_options *options, const json_t *items, struct error *err)
{
	bool is_wide = cli_prints(cli, "wide") || options->columns || options->sort_by;
	AUTO(table_free) struct table *table = table_new(is_wide ? wide_headers : headers);
	const char *columns = options->columns;
	size_t i;
	json_t *environment;

	if (!json_array_size(items)) {
		if (cli->out.is_terminal)
			printf("no environments\n");
		return true;
	}
	json_array_foreach((json_t *)(uintptr_t)items, i, environment) {

		add_row(table, environment);
	}
	/* What may be sorted by need not be shown. */
	if (!columns && is_wide && !cli_prints(cli, "wide"))
		columns = NARROW_COLUMNS;
	if (!table_arrange(table, columns, options->sort_by, err))
		return false;
	table_print(table, &cli->out, !cli->options.has_no_headers);
	if (!cli->options.has_no_headers && !options->columns)
		print_totals(cli, client);
	return true;
}

static void print_names(const json_t *items)
{
	size_t i;
	json_t *environment;

	json_array_foreach((json_t *)(uintptr_t)items, i, environment) {

		printf("env/%s\n", json_get_string(environment, "name", "?"));
	}
}

static bool run(struct cli *cli, const void *values, const struct option_list *arguments,
		struct error *err)
{
	const struct list_options *options = values;
	AUTO(text_release) struct text path = TEXT_EMPTY;
	AUTO(json_decref) json_t *all = NULL, *items = NULL, *list = NULL;
	struct api_client *client;

	(void)arguments;
	text_add(&path, "/v1/environments");
	api_path_add(&path, "state", options->state);
	api_path_add(&path, "owner", options->owner);
	api_path_add(&path, "project", cli->options.access.project);
	api_path_add(&path, "template", options->template);
	api_path_add(&path, "all", options->is_all ? "true" : NULL);
	if (!cli_client(cli, &client, err) || !api_get_all(client, text_get(&path), &all, err) ||
	    !keep_labelled(all, &options->labels, &items, err))
		return false;
	list = output_list("EnvironmentList", items);
	if (output_document(cli, list))
		return true;
	if (cli_prints(cli, "name"))
		print_names(items);
	else
		return print_table(cli, client, options, items, err);
	return true;
}

const struct command command_list = {
	.name = "list",
	.synopsis = "",
	.summary = "show all environments, what they cost and when they end",
	.about = "One line an environment and totals by owner. Where the output is no terminal, "
		 "columns\n"
		 "are never cut; `-o name` prints what `xargs envctl destroy` takes.",
	.rows = rows,
	.values_size = sizeof(struct list_options),
	.formats = formats,
	.run = run,
};
