#include "cli/timeline_view.h"

#include <string.h>

#include "base/duration.h"
#include "base/text.h"
#include "cli/output_table.h"

enum { BAR_COLUMNS = 30, WIDTH_WITH_BARS = 90 };

/* Of a life that goes on for days, the first part is what is looked at: bars end where it was first
 * in use. */
static int64_t scale_of(const json_t *timeline)
{
	int64_t ready = json_get_int64(timeline, "until_ready_ms", 0);

	return ready ? ready : json_get_int64(timeline, "whole_ms", 0);
}

static char *bar_of(const json_t *step, int64_t scale_ms)
{
	int64_t start = json_get_int64(step, "start_ms", 0);
	int64_t end = start + json_get_int64(step, "duration_ms", 0);
	char bar[BAR_COLUMNS + 1];
	int64_t from, to;

	/* What nobody accounts for lies here and there. */
	if (!scale_ms || start >= scale_ms ||
	    strcmp(json_get_string(step, "kind", ""), "unattributed") == 0)
		return xstrdup(" ");
	from = start * BAR_COLUMNS / scale_ms;
	to = (end * BAR_COLUMNS + scale_ms - 1) / scale_ms;
	to = to > BAR_COLUMNS ? BAR_COLUMNS : to;
	to = to <= from ? from + 1 : to;
	memset(bar, ' ', BAR_COLUMNS);
	memset(bar + from, '=', (size_t)(to - from));
	bar[to] = '\0';
	return xstrdup(bar);
}

static enum tone tone_of(const json_t *step)
{
	const char *state = json_get_string(step, "state", "");

	if (strcmp(json_get_string(step, "kind", ""), "phase") == 0)
		return TONE_STRONG;
	if (strcmp(state, "failed") == 0 || strcmp(state, "interrupted") == 0)
		return TONE_BAD;
	return strcmp(json_get_string(step, "kind", ""), "unattributed") == 0 ? TONE_FAINT
									      : TONE_PLAIN;
}

static void add_step(struct table *table, const json_t *step, int64_t scale_ms)
{
	bool is_phase = strcmp(json_get_string(step, "kind", ""), "phase") == 0;
	bool is_rest = strcmp(json_get_string(step, "kind", ""), "unattributed") == 0;
	AUTO(free)
	char *name = xasprintf("%s%s", is_phase ? "" : "  ", json_get_string(step, "name", "?"));
	AUTO(free) char *bar = bar_of(step, scale_ms);
	AUTO(free) char *start = NULL;
	AUTO(free) char *took = NULL;
	char time[DURATION_TEXT_SIZE];
	const char *cells[5];

	start = is_rest
		    ? xstrdup("")
		    : xasprintf("+%s", duration_format(json_get_int64(step, "start_ms", 0), time));
	took = xasprintf("%s%s", duration_format(json_get_int64(step, "duration_ms", 0), time),
			 json_get_bool(step, "is_over", true) ? "" : " so far");
	cells[0] = name;
	cells[1] = start;
	cells[2] = took;
	cells[3] = is_phase ? "" : json_get_string(step, "state", "");
	cells[4] = bar;
	table_add_row(table, cells);
	table_set_tone(table, 0, tone_of(step));
}

static void print_sum(const json_t *timeline, const struct terminal *terminal)
{
	static const struct {
		const char *key, *name;
	} parts[] = {
		{ "queued_ms", "queued" },     { "layers_ms", "layers" },
		{ "checks_ms", "checks" },     { "in_use_ms", "in use" },
		{ "kept_ms", "kept, failed" }, { "unattributed_ms", "unattributed" },
	};
	char time[DURATION_TEXT_SIZE];
	bool is_first = true;

	fprintf(terminal->stream,
		"%s =", duration_format(json_get_int64(timeline, "whole_ms", 0), time));
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		int64_t ms = json_get_int64(timeline, parts[i].key, 0);

		if (!ms)
			continue;
		fprintf(terminal->stream, "%s %s %s", is_first ? "" : " +",
			duration_format(ms, time), parts[i].name);
		is_first = false;
	}
	fprintf(terminal->stream, "%s\n", is_first ? " nothing" : "");
}

void timeline_print(const json_t *timeline, const struct terminal *terminal, bool has_headers)
{
	static const char *const with_bars[] = { "STEP", "START", "TOOK", "STATE", "", NULL };
	static const char *const without[] = { "STEP", "START", "TOOK", "STATE", NULL };
	bool has_bars = terminal->is_terminal && terminal->width >= WIDTH_WITH_BARS;
	AUTO(table_free) struct table *table = table_new(has_bars ? with_bars : without);
	const json_t *step;
	size_t i;

	json_array_foreach(json_object_get(timeline, "steps"), i, step)
		add_step(table, step, scale_of(timeline));
	table_print(table, terminal, has_headers);
	if (terminal->is_terminal)
		print_sum(timeline, terminal);
}
