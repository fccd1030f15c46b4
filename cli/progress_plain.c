#include "cli/progress.h"

#include <string.h>

#include "base/clock.h"
#include "base/duration.h"
#include "base/json_read.h"
#include "base/text.h"
#include "cli/ci_variables.h"

enum { HEARTBEAT_MS = 30000 };

/* Open in GitHub's log: only one at a time can be. */
static bool has_group;

/* "12:03:41Z" of a row, or now. */
static void format_time(const json_t *row, char into[10])
{
	char text[CLOCK_TEXT_SIZE];
	struct error ignored; /* a row without a time is shown with ours */
	int64_t at_ms;

	if (!clock_parse(json_get_string(row, "at", ""), &at_ms, &ignored))
		at_ms = clock_wall_ms();
	clock_format_seconds(at_ms, text);
	snprintf(into, 10, "%.9s", text + strlen("2026-11-24T"));
}

static void add_layer(const json_t *row, struct text *line)
{
	const json_t *data = json_object_get(row, "data");
	int64_t elapsed_ms = json_get_int64(data, "elapsed_ms", 0);
	char elapsed[DURATION_TEXT_SIZE];

	text_format(line, "%-20s %s", json_get_string(data, "name", "?"),
		    json_get_string(data, "state", ""));
	if (elapsed_ms)
		text_format(line, "  %s", duration_format(elapsed_ms, elapsed));
	if (*json_get_string(data, "message", ""))
		text_format(line, "  %s", json_get_string(data, "message", ""));
}

static void add_words(const json_t *row, struct text *line)
{
	const char *kind = json_get_string(row, "kind", ""), *state;
	const char *message = json_get_string(row, "message", "");
	const json_t *data = json_object_get(row, "data");

	state = text_equal(kind, "state") ? json_get_string(row, "state", NULL) : NULL;
	if (state)
		text_format(line, "%s%s", state, *message ? ": " : "");
	if (text_equal(kind, "warning"))
		text_add(line, "warning: ");
	if (text_equal(kind, "check") && json_has(data, "name"))
		text_format(line, "check %s  %s%s", json_get_string(data, "name", "?"),
			    json_get_string(data, "status", ""), *message ? "  " : "");
	text_add(line, message);
}

/* A message of several lines (the end of a log) is indented, so that no line of it starts a
 * command of the runner's. */
static void print_line(FILE *stream, const char *line)
{
	for (; *line; line++) {
		fputc(*line, stream);
		if (*line == '\n' && line[1])
			fputs("           ", stream);
	}
	fputc('\n', stream);
	fflush(stream);
}

static void change_group(const struct progress_view *view, const json_t *row)
{
	FILE *stream = view->terminal.stream;

	if (!ci_is_github() || !text_equal(json_get_string(row, "kind", ""), "state"))
		return;
	if (has_group)
		fputs("::endgroup::\n", stream);
	has_group = true;
	fprintf(stream, "::group::%s: %s\n", view->name ? view->name : "environment",
		json_get_string(row, "state", ""));
}

static void change(const struct progress_view *view, const json_t *row)
{
	AUTO(text_release) struct text line = TEXT_EMPTY;
	char at[10];

	format_time(row, at);
	change_group(view, row);
	text_format(&line, "%s  ", at);
	if (view->name)
		text_format(&line, "%s  ", view->name);
	if (text_equal(json_get_string(row, "kind", ""), "layer"))
		add_layer(row, &line);
	else
		add_words(row, &line);
	print_line(view->terminal.stream, text_get(&line));
}

static void add_waiting_for(const struct progress_view *view, struct text *line)
{
	const char *separator = ": waiting for ";

	for (size_t i = 0; i < view->layer_count; i++) {
		if (!text_equal(view->layers[i].state, "started"))
			continue;
		text_format(line, "%s%s", separator, view->layers[i].name);
		separator = ", ";
	}
}

static void tick(struct progress_view *view)
{
	AUTO(text_release) struct text line = TEXT_EMPTY;
	int64_t now_ms = clock_mono_ms();
	char at[10], elapsed[DURATION_TEXT_SIZE];

	if (now_ms - view->changed_ms < HEARTBEAT_MS)
		return;
	view->changed_ms = now_ms;
	format_time(NULL, at);
	text_format(&line, "%s  %s%sstill %s after %s", at, view->name ? view->name : "",
		    view->name ? "  " : "", view->state[0] ? view->state : "waiting",
		    duration_format((now_ms - view->began_ms) / 1000 * 1000, elapsed));
	add_waiting_for(view, &line);
	print_line(view->terminal.stream, text_get(&line));
}

static void end(const struct progress_view *view)
{
	if (has_group)
		fputs("::endgroup::\n", view->terminal.stream);
	has_group = false;
	fflush(view->terminal.stream);
}

const struct progress_kind progress_plain = {
	.name = "plain",
	.change = change,
	.tick = tick,
	.end = end,
};
