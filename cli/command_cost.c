#include "cli/command.h"

#include <string.h>

#include "base/json_read.h"
#include "cli/output_document.h"
#include "cli/output_table.h"
#include "cli/quote_view.h"

static const char *const formats[] = { "table", "wide", "json", "yaml", NULL };

struct cost_options {
	const char *month;
};

// clang-format off
static const struct option rows[] = {
	{ "month", 0, OPTION_TEXT, offsetof(struct cost_options, month), "YEAR-MONTH", NULL, "such as 2026-11, in UTC (default: this one)", NULL },
	OPTIONS_END,
};
// clang-format on

/* ---- one environment ---- */

static void print_line(const char *label, const json_t *bill, const char *key, const char *words)
{
	AUTO(text_release) struct text amount = TEXT_EMPTY;

	quote_amount(bill, key, &amount);
	printf("  %-11s %s %s%s\n", label, text_get(&amount), json_get_string(bill, "currency", ""),
	       words);
}

static void print_bill(const struct cli *cli, const json_t *bill)
{
	const json_t *quote = json_object_get(bill, "quote");
	AUTO(text_release) struct text rate = TEXT_EMPTY;

	printf("%s%s%s (%s), from template %s, for project %s\n",
	       terminal_tone(&cli->out, TONE_STRONG), json_get_string(bill, "name", "?"),
	       terminal_plain(&cli->out), json_get_string(bill, "state", "?"),
	       json_get_string(bill, "template", "?"), json_get_string(bill, "project", "?"));
	if (json_get_int64(bill, "debt_microcents_per_hour", 0))
		print_line("DEBT", bill, "debt_microcents_per_hour",
			   " an hour, until it is proved gone");
	print_line("so far", bill, "so_far_microcents", "");
	print_line("at expiry", bill, "at_expiry_microcents", "");
	quote_range(bill, "low_microcents_per_hour", "high_microcents_per_hour", &rate);
	text_format(&rate, " %s an hour", json_get_string(bill, "currency", ""));
	quote_remark(quote, &rate);
	printf("  %-11s %s\n", "price", text_get(&rate));
	quote_print(quote);
}

static bool show_environment(struct cli *cli, struct api_client *client, const char *name,
			     struct error *err)
{
	AUTO(free) char *path = api_path("/v1/environments/%s/cost", environment_argument(name));
	AUTO(json_decref) json_t *bill = NULL;

	if (!api_get(client, path, &bill, err))
		return false;
	if (!output_document(cli, bill))
		print_bill(cli, bill);
	return true;
}

/* ---- projects ---- */

static void print_debt(const struct cli *cli, const json_t *debt, const char *currency)
{
	AUTO(text_release) struct text rate = TEXT_EMPTY;
	AUTO(text_release) struct text sum = TEXT_EMPTY;

	quote_amount(debt, "microcents_per_hour", &rate);
	quote_amount(debt, "microcents", &sum);
	printf("  %senv/%s%s  %s since %s: %s %s an hour, %s so far\n",
	       terminal_tone(&cli->out, TONE_BAD), json_get_string(debt, "name", "?"),
	       terminal_plain(&cli->out), json_get_string(debt, "why", "?"),
	       json_get_string(debt, "since", "?"), text_get(&rate), currency, text_get(&sum));
}

/* First of all: what nobody uses and is paid for. */
static void print_debts(const struct cli *cli, const json_t *items)
{
	size_t i, d;
	json_t *item, *debt;

	json_array_foreach((json_t *)(uintptr_t)items, i, item) {
		const char *currency = json_get_string(item, "currency", "");
		AUTO(text_release) struct text rate = TEXT_EMPTY;

		if (!json_get_int64(item, "debt_microcents_per_hour", 0))
			continue;
		quote_amount(item, "debt_microcents_per_hour", &rate);
		printf("debts of project %s: %s %s an hour\n",
		       json_get_string(item, "project", "?"), text_get(&rate), currency);
		json_array_foreach(json_object_get(item, "debts"), d, debt) {
			print_debt(cli, debt, currency);
		}
		putchar('\n');
	}
}

static void add_project(struct table *table, const json_t *item)
{
	static const char *const keys[] = { "spent_microcents", "reserved_microcents",
					    "debt_microcents_per_hour", "budget_microcents",
					    "left_microcents" };
	struct text amounts[ARRAY_SIZE(keys)] = { TEXT_EMPTY };
	const char *cells[8] = { json_get_string(item, "project", "?"),
				 json_get_string(item, "month", "?") };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		quote_amount(item, keys[i], &amounts[i]);
		cells[2 + i] = text_get(&amounts[i]);
	}
	cells[7] = json_get_string(item, "currency", "?");
	table_add_row(table, cells);
	if (json_get_int64(item, "left_microcents", 0) < 0)
		table_set_tone(table, 6, TONE_BAD);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		text_release(&amounts[i]);
}

static void print_projects(const struct cli *cli, const json_t *items)
{
	static const char *const headers[] = { "PROJECT",  "MONTH",    "SPENT",
					       "RESERVED", "DEBTS/H",  "BUDGET",
					       "LEFT",     "CURRENCY", NULL };
	AUTO(table_free) struct table *table = table_new(headers);
	size_t i;
	json_t *item;

	json_array_foreach((json_t *)(uintptr_t)items, i, item) {
		add_project(table, item);
	}
	table_print(table, &cli->out, !cli->options.has_no_headers);
}

static void add_templates(struct table *table, const json_t *item)
{
	size_t i;
	json_t *line;

	json_array_foreach(json_object_get(item, "templates"), i, line) {
		AUTO(text_release) struct text amount = TEXT_EMPTY;
		const char *cells[4] = { json_get_string(item, "project", "?"),
					 json_get_string(line, "template", "?") };

		quote_amount(line, "microcents", &amount);
		cells[2] = text_get(&amount);
		cells[3] = json_get_string(item, "currency", "?");
		table_add_row(table, cells);
	}
}

static void print_templates(const struct cli *cli, const json_t *items)
{
	static const char *const headers[] = { "PROJECT", "TEMPLATE", "SPENT+RESERVED", "CURRENCY",
					       NULL };
	AUTO(table_free) struct table *table = table_new(headers);
	size_t i;
	json_t *item;

	json_array_foreach((json_t *)(uintptr_t)items, i, item) {
		add_templates(table, item);
	}
	putchar('\n');
	table_print(table, &cli->out, !cli->options.has_no_headers);
}

static bool show_projects(struct cli *cli, struct api_client *client, const char *month,
			  struct error *err)
{
	AUTO(text_release) struct text path = TEXT_EMPTY;
	AUTO(json_decref) json_t *items = NULL, *list = NULL;

	text_add(&path, "/v1/spending");
	api_path_add(&path, "project", cli->options.access.project);
	api_path_add(&path, "month", month);
	if (!api_get_all(client, text_get(&path), &items, err))
		return false;
	list = output_list("SpendingList", items);
	if (output_document(cli, list))
		return true;
	if (!json_array_size(items)) {
		if (cli->out.is_terminal)
			printf("nothing was spent\n");
		return true;
	}
	print_debts(cli, items);
	print_projects(cli, items);
	if (cli_prints(cli, "wide") || cli->options.access.project)
		print_templates(cli, items);
	return true;
}

static bool run(struct cli *cli, const void *values, const struct option_list *arguments,
		struct error *err)
{
	const struct cost_options *options = values;
	struct api_client *client;

	if (arguments->count && options->month)
		return error_set_as(err, ERR_INVALID, "option_value",
				    "--month is of projects, and not of an environment");
	if (!cli_client(cli, &client, err))
		return false;
	if (arguments->count)
		return show_environment(cli, client, arguments->items[0], err);
	return show_projects(cli, client, options->month, err);
}

const struct command command_cost = {
	.name = "cost",
	.synopsis = "[NAME]",
	.summary = "what projects spend in a month, or what an environment costs",
	.about =
	    "Debts first: what a destroy left behind, by the hour. Then for each project what is\n"
	    "spent, what is reserved to the ends of leases, and what is left of its budget;\n"
	    "by template too with -o wide or --project. Of an environment: so far, at expiry, and\n"
	    "what was quoted for it. The high end of a price is what is counted.",
	.rows = rows,
	.values_size = sizeof(struct cost_options),
	.formats = formats,
	.arguments_max = 1,
	.completes = COMPLETES_ENVIRONMENTS,
	.run = run,
};

/* ---- settle ---- */

static const char *const settle_formats[] = { "table", "json", "yaml", NULL };

static bool run_settle(struct cli *cli, const void *values, const struct option_list *arguments,
		       struct error *err)
{
	const char *name = environment_argument(arguments->items[0]);
	AUTO(free) char *path = api_path("/v1/environments/%s/settle", name);
	AUTO(json_decref) json_t *body = json_pack("{s:s}", "name", name);
	AUTO(api_answer_release) struct api_answer answer = API_ANSWER_EMPTY;
	struct api_request request = { .method = "POST", .path = path, .body = body };
	struct api_client *client;

	(void)values;
	if (!cli_client(cli, &client, err) || !api_call(client, &request, &answer, err))
		return false;
	if (!output_document(cli, answer.json))
		printf("%s is settled: it costs no more\n", name);
	return true;
}

const struct command command_cost_settle = {
	.name = "cost settle",
	.synopsis = "NAME",
	.summary = "what was acknowledged costs no more",
	.about =
	    "What could not be proved gone and was acknowledged (destroy --acknowledge) goes on\n"
	    "counting as debt. Once it was seen to be gone, or is somebody else's to pay, an\n"
	    "operator says so here, by its name; the history keeps who did.",
	.formats = settle_formats,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = run_settle,
};

/* ---- price books ---- */

static const char *const prices_formats[] = { "table", "json", "yaml", NULL };

static void print_books(const struct cli *cli, const json_t *items)
{
	static const char *const headers[] = { "PROVIDER", "REGION", "AS OF",  "CURRENCY",
					       "PRICES",   "REMARK", "SOURCE", NULL };
	AUTO(table_free) struct table *table = table_new(headers);
	size_t i;
	json_t *item;

	json_array_foreach((json_t *)(uintptr_t)items, i, item) {
		bool is_old = json_get_bool(item, "old", false);
		const char *remark = json_get_bool(item, "example", false)
					 ? (is_old ? "EXAMPLE, old" : "EXAMPLE")
					 : (is_old ? "old" : "");
		char count[24];
		const char *cells[] = { json_get_string(item, "provider", "?"),
					json_get_string(item, "region", "?"),
					json_get_string(item, "as_of", "?"),
					json_get_string(item, "currency", "?"),
					count,
					remark,
					json_get_string(item, "source", "") };

		snprintf(count, sizeof(count), "%lld",
			 (long long)json_get_int64(item, "prices", 0));
		table_add_row(table, cells);
		if (*remark)
			table_set_tone(table, 5, TONE_WARNING);
	}
	table_print(table, &cli->out, !cli->options.has_no_headers);
}

static bool run_prices(struct cli *cli, const void *values, const struct option_list *arguments,
		       struct error *err)
{
	AUTO(json_decref) json_t *items = NULL, *list = NULL;
	struct api_client *client;

	(void)values;
	(void)arguments;
	if (!cli_client(cli, &client, err) || !api_get_all(client, "/v1/prices", &items, err))
		return false;
	list = output_list("PriceBookList", items);
	if (!output_document(cli, list))
		print_books(cli, items);
	return true;
}

const struct command command_cost_prices = {
	.name = "cost prices",
	.synopsis = "",
	.summary = "which price books the server quotes from",
	.about = "Oldest and newest by their dates; EXAMPLE is nobody's offer, and to be replaced "
		 "before a\n"
		 "quote of it is believed.",
	.formats = prices_formats,
	.run = run_prices,
};
