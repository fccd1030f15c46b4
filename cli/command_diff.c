#include "cli/command.h"

#include "base/duration.h"
#include "cli/exit_status.h"
#include "cli/lock_document.h"
#include "cli/output_document.h"
#include "cli/output_table.h"

static const char *const formats[] = { "table", "json", "yaml", NULL };

/* What can be asked for, where it was built, how it was judged. */
static json_t *essence(const json_t *environment, const json_t *lock)
{
	AUTO(json_decref) json_t *inputs = json_copy(json_object_get(lock, "lock"));
	AUTO(json_decref) json_t *tools = json_incref(json_object_get(inputs, "runtime"));

	json_object_del(inputs, "runtime");
	json_object_set(inputs, "parameters", json_object_get(environment, "parameters"));
	return json_pack("{s:O, s:{s:O?, s:O?}, s:O?, s:{s:O?}}", "inputs", inputs, "placement",
			 "engine", json_object_get(environment, "engine"), "target",
			 json_object_get(environment, "target"), "tools", tools, "verdicts",
			 "checks",
			 json_object_get(json_object_get(environment, "checks"), "verdict"));
}

static json_t *timings(const json_t *environment)
{
	const json_t *clocks = json_object_get(environment, "clocks");

	return json_pack("{s:O?, s:O?}", "queued_ms", json_object_get(clocks, "queued_ms"),
			 "provisioning_ms", json_object_get(clocks, "provisioning_ms"));
}

/* Time is never the same twice; it is shown, and makes no difference. */
static json_t *diff_document(json_t *const environments[2], json_t *const locks[2])
{
	AUTO(json_decref) json_t *a = essence(environments[0], locks[0]);
	AUTO(json_decref) json_t *b = essence(environments[1], locks[1]);
	AUTO(json_decref) json_t *a_times = timings(environments[0]);
	AUTO(json_decref) json_t *b_times = timings(environments[1]);
	json_t *differences = json_differences(a, b);

	return json_pack("{s:s, s:s, s:s, s:s, s:b, s:o, s:{s:O, s:O}}", "apiVersion", "envd/v1",
			 "kind", "Diff", "a", json_get_string(environments[0], "name", "?"), "b",
			 json_get_string(environments[1], "name", "?"), "same",
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

static void add_times(struct table *table, const json_t *timings_of_both)
{
	static const struct {
		const char *key, *name;
	} rows[] = { { "queued_ms", "time queued" }, { "provisioning_ms", "time to build" } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char a[DURATION_TEXT_SIZE], b[DURATION_TEXT_SIZE];
		const json_t *of_a = json_object_get(timings_of_both, "a");
		const json_t *of_b = json_object_get(timings_of_both, "b");
		const char *cells[] = { rows[i].name,
					duration_format(json_get_int64(of_a, rows[i].key, 0), a),
					duration_format(json_get_int64(of_b, rows[i].key, 0), b) };

		table_add_row(table, cells);
		table_set_tone(table, 0, TONE_FAINT);
	}
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

static bool run(struct cli *cli, const void *values, const struct option_list *arguments,
		struct error *err)
{
	json_t *locks[2] = { NULL, NULL }, *environments[2] = { NULL, NULL };
	AUTO(json_decref) json_t *diff = NULL;
	struct api_client *client;
	bool has_both = cli_client(cli, &client, err);

	(void)values;
	for (size_t i = 0; i < 2 && has_both; i++)
		has_both =
		    lock_fetch(client, arguments->items[i], &locks[i], &environments[i], err);
	if (has_both)
		diff = diff_document(environments, locks);
	for (size_t i = 0; i < 2; i++) {
		json_decref(locks[i]);
		json_decref(environments[i]);
	}
	if (!has_both)
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
	    "took. The exit status is 0 when nothing differs, 7 when something does.",
	.formats = formats,
	.arguments_min = 2,
	.arguments_max = 2,
	.completes = COMPLETES_ENVIRONMENTS,
	.run = run,
};
