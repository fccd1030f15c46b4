#include "cli/check_view.h"

#include <string.h>

#include "base/duration.h"
#include "cli/environment_view.h"
#include "cli/output_table.h"

enum { SEEN_MAX = 2 };

/* For one that passed, what its expectations saw; for the others, what they say themselves. */
static char *seen_of(const json_t *check)
{
	struct text seen = TEXT_EMPTY;
	const char *message = json_get_string(check, "message", "");
	const json_t *expectations = json_object_get(check, "expectations");
	size_t count = json_array_size(expectations);

	if (*message)
		return xstrdup(message);
	if (json_has(check, "blocked_by"))
		return xasprintf("blocked by %s", json_get_string(check, "blocked_by", "?"));
	for (size_t i = 0; i < count && i < SEEN_MAX; i++)
		text_format(&seen, "%s%s", i ? ", " : "",
			    json_get_string(json_array_get(expectations, i), "text", ""));
	if (count > SEEN_MAX)
		text_format(&seen, " and %zu more", count - SEEN_MAX);
	return text_take(&seen);
}

static void print_smoke(const struct cli *cli, const json_t *smoke)
{
	static const char *const headers[] = { "STAGE", "CHECK", "STATUS", "TOOK", "SEEN", NULL };
	AUTO(table_free) struct table *table = table_new(headers);
	size_t i;
	json_t *check;

	json_array_foreach((json_t *)(uintptr_t)smoke, i, check) {
		const char *status = json_get_string(check, "status", "?");
		AUTO(free) char *seen = seen_of(check);
		char took[DURATION_TEXT_SIZE];
		const char *cells[] = {
			json_get_string(check, "stage", "-"), json_get_string(check, "name", "?"),
			status, duration_format(json_get_int64(check, "duration_ms", 0), took), seen
		};

		table_add_row(table, cells);
		table_set_tone(table, 2, environment_state_tone(status));
	}
	table_print(table, &cli->out, !cli->options.has_no_headers);
}

static void print_load(const struct cli *cli, const json_t *load)
{
	const json_t *latency = json_object_get(load, "latency_ms");
	const json_t *generator = json_object_get(load, "generator");
	const char *verdict = json_get_string(load, "verdict", "?");
	size_t i;
	json_t *threshold;

	printf("load %s: %s%s%s  %.1f of %.1f requests/s, %lld errors, p50 %.1f ms, p95 %.1f ms, "
	       "p99 %.1f ms\n",
	       json_get_string(load, "name", "?"),
	       terminal_tone(&cli->out, environment_state_tone(verdict)), verdict,
	       terminal_plain(&cli->out), json_get_number(load, "achieved_per_second", 0),
	       json_get_number(load, "planned_per_second", 0),
	       (long long)json_get_int64(load, "errors", 0), json_get_number(latency, "p50", 0),
	       json_get_number(latency, "p95", 0), json_get_number(latency, "p99", 0));
	json_array_foreach(json_object_get(load, "thresholds"), i, threshold) {

		printf("  %-12s %s: saw %s\n", json_get_string(threshold, "status", "?"),
		       json_get_string(threshold, "text", "?"),
		       json_get_string(threshold, "saw", "?"));
	}
	if (!json_get_bool(generator, "healthy", true))
		printf("  the load generator was not healthy: %s\n",
		       json_get_string(generator, "why", "?"));
}

void check_print(const struct cli *cli, const json_t *run)
{
	const char *verdict = json_get_string(run, "verdict", "?");
	const json_t *smoke = json_object_get(run, "smoke");
	size_t i;
	json_t *load;

	if (json_array_size(smoke))
		print_smoke(cli, smoke);
	json_array_foreach(json_object_get(run, "load"), i, load) {

		print_load(cli, load);
	}
	printf("verdict: %s%s%s\n", terminal_tone(&cli->out, environment_state_tone(verdict)),
	       verdict, terminal_plain(&cli->out));
}

/* Names of those that did not pass, for one line: "login, transfer". */
static void add_bad(const json_t *checks, const char *field, struct text *into)
{
	size_t i;
	json_t *check;

	json_array_foreach((json_t *)(uintptr_t)checks, i, check) {
		const char *status = json_get_string(check, field, "");

		if (text_equal(status, "failed") || text_equal(status, "error") ||
		    text_equal(status, "inconclusive"))
			text_format(into, "%s%s", into->length ? ", " : "",
				    json_get_string(check, "name", "?"));
	}
}

bool check_judge(const json_t *run, struct error *err)
{
	AUTO(text_release) struct text bad = TEXT_EMPTY;
	const char *verdict = json_get_string(run, "verdict", "inconclusive");

	if (text_equal(verdict, "passed"))
		return true;
	add_bad(json_object_get(run, "smoke"), "status", &bad);
	add_bad(json_object_get(run, "load"), "verdict", &bad);
	if (text_equal(verdict, "failed"))
		return error_set_as(err, ERR_EXTERNAL, "check_failed", "checks failed: %.400s",
				    text_get(&bad));
	return error_set_as(err, ERR_EXTERNAL, "check_inconclusive",
			    "the checks could not judge: %.400s",
			    json_get_string(run, "message", text_get(&bad)));
}
