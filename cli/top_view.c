#include "cli/top_view.h"

#include <string.h>

#include "base/clock.h"
#include "base/duration.h"
#include "base/json_read.h"
#include "cli/environment_view.h"

enum { SOON_MS = 600000, LINES_AROUND = 5 };

/* ---- order ---- */

/* Why an environment stands where it stands; the smaller the earlier. */
enum top_rank { RANK_STUCK, RANK_FAILED, RANK_BAD_CHECKS, RANK_ENDS_SOON, RANK_OTHER };

static int64_t time_of(const json_t *environment, const char *field)
{
	struct error ignored; /* a time that has not come is 0 */
	int64_t at_ms;

	return clock_parse(json_get_string(environment, field, ""), &at_ms, &ignored) ? at_ms : 0;
}

static enum top_rank rank_of(const json_t *environment, int64_t now_ms)
{
	const json_t *checks = json_object_get(environment, "checks");
	int64_t end_ms = time_of(environment, "expires_at");

	if (json_get_bool(environment, "quarantined", false))
		return RANK_STUCK;
	if (environment_is_in(environment, "failed"))
		return RANK_FAILED;
	if (text_equal(json_get_string(checks, "verdict", ""), "failed"))
		return RANK_BAD_CHECKS;
	if (environment_is_in(environment, "ready") && end_ms && end_ms - now_ms < SOON_MS)
		return RANK_ENDS_SOON;
	return RANK_OTHER;
}

struct ranked {
	json_t *environment;
	enum top_rank rank;
	int64_t end_ms;
};

static int compare(const void *left, const void *right)
{
	const struct ranked *a = left, *b = right;

	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	if (a->end_ms != b->end_ms)
		return a->end_ms < b->end_ms ? -1 : 1;
	return strcmp(json_get_string(a->environment, "name", ""),
		      json_get_string(b->environment, "name", ""));
}

json_t *top_view_sort(const json_t *environments, bool has_faults_only, int64_t now_ms)
{
	size_t size = json_array_size(environments), count = 0, i;
	AUTO(free) struct ranked *ranked = xcalloc(size + 1, sizeof(*ranked));
	json_t *sorted = json_array(), *environment;

	json_array_foreach((json_t *)(uintptr_t)environments, i, environment) {
		struct ranked one = { environment, rank_of(environment, now_ms),
				      time_of(environment, "expires_at") };

		/* What has no end yet comes behind what has. */
		if (!one.end_ms)
			one.end_ms = INT64_MAX;
		if (!has_faults_only || one.rank < RANK_OTHER)
			ranked[count++] = one;
	}
	qsort(ranked, count, sizeof(*ranked), compare);
	for (i = 0; i < count; i++)
		json_array_append(sorted, ranked[i].environment);
	return sorted;
}

/* ---- drawing ---- */

/* Cut to the width, and ended. */
static void add_line(const struct top_view *view, enum tone tone, bool is_selected,
		     const char *words, struct text *into)
{
	size_t room = view->terminal.width ? view->terminal.width - 1 : SIZE_MAX, columns = 0;

	if (is_selected)
		text_add(into, "\033[7m");
	text_add(into, terminal_tone(&view->terminal, tone));
	for (; *words; words++) {
		if (((unsigned char)*words & 0xC0) != 0x80 && columns++ == room)
			break;
		text_add_char(into, *words);
	}
	text_format(into, "%s%s\n", terminal_plain(&view->terminal), is_selected ? "\033[27m" : "");
}

/* Padded by what it takes on the screen, not by its bytes. */
static void add_cell(struct text *line, const char *words, size_t width)
{
	size_t columns = text_columns(words);

	text_add(line, words);
	text_format(line, "%*s", columns < width ? (int)(width - columns + 1) : 1, "");
}

static void add_span(struct text *line, int64_t ms, const char *otherwise, size_t width)
{
	char span[DURATION_TEXT_SIZE];

	/* Seconds of something that takes hours only flicker. */
	if (ms > 0)
		add_cell(
		    line,
		    duration_format(ms > 3600000 ? ms / 60000 * 60000 : ms / 1000 * 1000, span),
		    width);
	else
		add_cell(line, otherwise, width);
}

static double per_hour(const json_t *environment)
{
	return json_get_number(json_object_get(environment, "cost"), "per_hour", 0);
}

static void add_totals(const struct top_view *view, struct text *into)
{
	AUTO(text_release) struct text line = TEXT_EMPTY;
	size_t counts[RANK_OTHER + 1] = { 0 }, queued = 0, building = 0, i;
	double spent = 0, stuck = 0;
	const char *currency = "";
	json_t *environment;

	json_array_foreach(view->environments, i, environment) {
		enum top_rank rank = rank_of(environment, view->now_ms);

		counts[rank]++;
		queued += environment_is_in(environment, "queued");
		building += environment_is_in(environment, "provisioning") ||
			    environment_is_in(environment, "checking");
		spent += environment_is_in(environment, "queued") ? 0 : per_hour(environment);
		stuck += rank == RANK_STUCK ? per_hour(environment) : 0;
		currency =
		    json_get_string(json_object_get(environment, "cost"), "currency", currency);
	}
	text_format(&line, "envd  %s%s", view->server, view->is_away ? "  does not answer" : "");
	add_line(view, view->is_away ? TONE_BAD : TONE_STRONG, false, text_get(&line), into);
	text_clear(&line);
	text_format(&line, "DEBT %.2f %s/h, %zu stuck   SPEND %.2f %s/h   ", stuck, currency,
		    counts[RANK_STUCK], spent, currency);
	text_format(&line, "ENVIRONMENTS %zu: %zu building, %zu failed, %zu end soon   QUEUE %zu",
		    json_array_size(view->environments), building,
		    counts[RANK_FAILED] + counts[RANK_BAD_CHECKS], counts[RANK_ENDS_SOON], queued);
	add_line(view, counts[RANK_STUCK] ? TONE_BAD : TONE_PLAIN, false, text_get(&line), into);
}

static void add_environment(const struct top_view *view, const json_t *environment,
			    bool is_selected, struct text *into)
{
	/* A sign of its own for each, as colour is not seen by everybody. */
	static const struct {
		const char *sign;
		enum tone tone;
	} looks[] = {
		[RANK_STUCK] = { "✘", TONE_BAD },      [RANK_FAILED] = { "✘", TONE_BAD },
		[RANK_BAD_CHECKS] = { "▲", TONE_BAD }, [RANK_ENDS_SOON] = { "!", TONE_WARNING },
		[RANK_OTHER] = { " ", TONE_PLAIN },
	};
	AUTO(text_release) struct text line = TEXT_EMPTY;
	enum top_rank rank = rank_of(environment, view->now_ms);
	int64_t end_ms = time_of(environment, "expires_at");
	char cost[32];

	snprintf(cost, sizeof(cost), "%.2f", per_hour(environment));
	add_cell(&line, looks[rank].sign, 1);
	add_cell(&line, json_get_string(environment, "name", "?"), 24);
	add_cell(&line,
		 rank == RANK_STUCK ? "quarantined" : json_get_string(environment, "state", "?"),
		 12);
	add_cell(&line, json_get_string(json_object_get(environment, "checks"), "verdict", "-"),
		 12);
	add_span(&line, view->now_ms - time_of(environment, "created_at"), "-", 8);
	add_span(&line, end_ms ? end_ms - view->now_ms : 0, end_ms ? "ended" : "-", 10);
	add_cell(&line, cost, 8);
	add_cell(&line, json_get_string(environment, "owner", "?"), 16);
	text_add(&line, json_get_string(environment, "template", "?"));
	add_line(view, looks[rank].tone, is_selected, text_get(&line), into);
}

/* The selected one is always among those that fit. */
static void add_environments(const struct top_view *view, struct text *into)
{
	size_t count = json_array_size(view->environments);
	size_t room = view->height > LINES_AROUND ? view->height - LINES_AROUND : 1;
	size_t first = 0;

	if (!view->height)
		room = count;
	if (view->selected >= room)
		first = view->selected - room + 1;
	for (size_t i = first; i < count && i < first + room; i++)
		add_environment(view, json_array_get(view->environments, i),
				view->height && i == view->selected, into);
}

void top_view_draw(const struct top_view *view, struct text *into)
{
	AUTO(text_release) struct text headers = TEXT_EMPTY;

	add_totals(view, into);
	add_cell(&headers, " ", 1);
	add_cell(&headers, "NAME", 24);
	add_cell(&headers, "STATE", 12);
	add_cell(&headers, "CHECKS", 12);
	add_cell(&headers, "AGE", 8);
	add_cell(&headers, "EXPIRES IN", 10);
	add_cell(&headers, "COST/H", 8);
	add_cell(&headers, "OWNER", 16);
	text_add(&headers, "TEMPLATE");
	add_line(view, TONE_FAINT, false, text_get(&headers), into);
	add_environments(view, into);
	if (view->height)
		add_line(view, TONE_FAINT, false,
			 view->message[0]
			     ? view->message
			     : "up/down choose  enter details  d destroy  f faults only  q quit",
			 into);
}
