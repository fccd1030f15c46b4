#include "cli/command.h"

#include "base/duration.h"
#include "cli/environment_times.h"
#include "cli/exit_status.h"
#include "cli/lock_document.h"
#include "cli/output_document.h"
#include "cli/output_table.h"

static const char *const formats[] = { "table", "json", "yaml", NULL };

struct side {
	json_t *environment, *lock, *report;
};

/* Engines say it by their own names: a runtime, or a CLI and a language. */
static json_t *take_tools(json_t *inputs)
{
	static const char *const names[] = { "runtime", "pulumi", "python" };
	json_t *tools = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		json_t *tool = json_object_get(inputs, names[i]);

		if (tool)
			json_object_set(tools, names[i], tool);
		json_object_del(inputs, names[i]);
	}
	return tools;
}

/* What can be asked for, where it was built, how it was judged. */
static json_t *essence(const json_t *environment, const json_t *lock)
{
	AUTO(json_decref) json_t *inputs = json_copy(json_object_get(lock, "lock"));
	AUTO(json_decref) json_t *tools = take_tools(inputs);

	json_object_set(inputs, "parameters", json_object_get(environment, "parameters"));
	return json_pack("{s:O, s:{s:O?, s:O?}, s:O?, s:{s:O?}}", "inputs", inputs, "placement",
			 "engine", json_object_get(environment, "engine"), "target",
			 json_object_get(environment, "target"), "tools", tools, "verdicts",
			 "checks",
			 json_object_get(json_object_get(environment, "checks"), "verdict"));
}

/* Time is never the same twice; it is shown, and makes no difference. */
static json_t *diff_document(const struct side *left, const struct side *right)
{
	AUTO(json_decref) json_t *a = essence(left->environment, left->lock);
	AUTO(json_decref) json_t *b = essence(right->environment, right->lock);
	AUTO(json_decref) json_t *a_times = environment_times(left->report);
	AUTO(json_decref) json_t *b_times = environment_times(right->report);
	json_t *differences = json_differences(a, b);

	return json_pack("{s:s, s:s, s:s, s:s, s:b, s:o, s:{s:O, s:O}}", "apiVersion", "envd/v1",
			 "kind", "Diff", "a", json_get_string(left->environment, "name", "?"), "b",
			 json_get_string(right->environment, "name", "?"), "same",
			 json_array_size(differences) == 0, "differences", differences, "timings",
			 "a", a_times, "b", b_times);
}

static char *cell(const json_t *value)
{
	if (!value || json_is_null(value))
		return xstrdup("-");
	return json_is_string(value) ? xstrdup(json_string_value(value))
				     : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
}

static void add_differences(struct table *table, const json_t *differences)
{
	size_t i;
	json_t *item;

	json_array_foreach(differences, i, item) {
		AUTO(free) char *a = cell(json_object_get(item, "a"));
		AUTO(free) char *b = cell(json_object_get(item, "b"));
		const char *cells[] = { json_get_string(item, "path", "?"), a, b };

		table_add_row(table, cells);
		table_set_tone(table, 0, TONE_STRONG);
	}
}

static void add_time(struct table *table, const char *name, const json_t *a, const json_t *b)
{
	char of_a[DURATION_TEXT_SIZE], of_b[DURATION_TEXT_SIZE];
	const char *cells[] = {
		name,
		json_is_integer(a) ? duration_format(json_integer_value(a), of_a) : "-",
		json_is_integer(b) ? duration_format(json_integer_value(b), of_b) : "-",
	};

	table_add_row(table, cells);
	table_set_tone(table, 0, TONE_FAINT);
}

/* In the order in which those of A began, then those that only B has. */
static void add_layers(struct table *table, const json_t *a, const json_t *b)
{
	AUTO(json_decref) json_t *all = json_copy((json_t *)(uintptr_t)a);
	const char *name;
	json_t *value;

	json_object_update_missing(all, (json_t *)(uintptr_t)b);
	json_object_foreach(all, name, value) {
		AUTO(free) char *label = xasprintf("time of layer %s", name);

		add_time(table, label, json_object_get(a, name), json_object_get(b, name));
	}
}

static void add_times(struct table *table, const json_t *timings_of_both)
{
	static const struct {
		const char *key, *name;
	} rows[] = {
		{ "queued_ms", "time queued" },
		{ "provisioning_ms", "time to provision" },
		{ "checking_ms", "time to check" },
	};
	const json_t *a = json_object_get(timings_of_both, "a");
	const json_t *b = json_object_get(timings_of_both, "b");

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		add_time(table, rows[i].name, json_object_get(a, rows[i].key),
			 json_object_get(b, rows[i].key));
	add_layers(table, json_object_get(a, "layers"), json_object_get(b, "layers"));
}

static void print_table(const struct cli *cli, const json_t *diff)
{
	const char *headers[] = { "", json_get_string(diff, "a", "?"),
				  json_get_string(diff, "b", "?"), NULL };
	AUTO(table_free) struct table *table = table_new(headers);

	add_differences(table, json_object_get(diff, "differences"));
	add_times(table, json_object_get(diff, "timings"));
	table_print(table, &cli->out, !cli->options.has_no_headers);
	if (json_get_bool(diff, "same", false))
		printf("built from the same things, on the same, judged the same\n");
}

static bool fetch(struct api_client *client, const char *name, struct side *side, struct error *err)
{
	AUTO(free)
	char *path = api_path("/v1/environments/%s/report?format=json", environment_argument(name));

	return lock_fetch(client, name, &side->lock, &side->environment, err) &&
	       api_get(client, path, &side->report, err);
}

static void side_release(struct side *side)
{
	json_decref(side->environment);
	json_decref(side->lock);
	json_decref(side->report);
}

static bool run(struct cli *cli, const void *values, const struct option_list *arguments,
		struct error *err)
{
	struct side a = { NULL, NULL, NULL }, b = { NULL, NULL, NULL };
	AUTO(json_decref) json_t *diff = NULL;
	struct api_client *client;

	(void)values;
	if (cli_client(cli, &client, err) && fetch(client, arguments->items[0], &a, err) &&
	    fetch(client, arguments->items[1], &b, err))
		diff = diff_document(&a, &b);
	side_release(&a);
	side_release(&b);
	if (!diff)
		return false;
	if (!output_document(cli, diff))
		print_table(cli, diff);
	cli->status = json_get_bool(diff, "same", false) ? EXIT_DONE : EXIT_CHECK_FAILED;
	return true;
}

const struct command command_diff = {
	.name = "diff",
	.synopsis = "A B",
	.summary = "what is different between two environments, ended ones (by id) too",
	.about =
	    "Compares what they were built from (template, parameters, versions, digests), "
	    "where and with\n"
	    "which tools, and how their checks were judged. Only what differs is shown, and how "
	    "long each\n"
	    "took: queued, to provision, to check, and each layer. Times are no difference: the "
	    "exit status is\n"
	    "0 when nothing else differs, 7 when something does.",
	.formats = formats,
	.arguments_min = 2,
	.arguments_max = 2,
	.completes = COMPLETES_ENVIRONMENTS,
	.run = run,
};
