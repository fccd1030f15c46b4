#include "cli/progress.h"

#include <string.h>
#include <sys/ioctl.h>

#include "base/clock.h"
#include "base/duration.h"
#include "base/json_read.h"
#include "base/text.h"

/* Lines of the block on the screen, to go back over them. */
static size_t drawn;

static void erase(FILE *stream)
{
	if (drawn)
		fprintf(stream, "\033[%zuA", drawn);
	fputs("\r\033[J", stream);
	drawn = 0;
}

/* Never longer than the terminal is wide: a wrapped line would be two, and the way back wrong. */
static void draw_line(const struct progress_view *view, enum tone tone, const char *line)
{
	FILE *stream = view->terminal.stream;
	size_t room = view->terminal.width ? view->terminal.width - 1 : 79;

	fputs(terminal_tone(&view->terminal, tone), stream);
	for (size_t columns = 0; *line; line++) {
		if (((unsigned char)*line & 0xC0) != 0x80 && columns++ == room)
			break;
		fputc(*line, stream);
	}
	fprintf(stream, "%s\n", terminal_plain(&view->terminal));
	drawn++;
}

static size_t rows_of_terminal(const struct progress_view *view)
{
	struct winsize size;

	if (ioctl(fileno(view->terminal.stream), TIOCGWINSZ, &size) == 0 && size.ws_row)
		return size.ws_row;
	return 24;
}

static void draw_layer(const struct progress_view *view, const struct progress_layer *layer,
		       int64_t now_ms)
{
	static const struct {
		const char *state, *glyph;
		enum tone tone;
	} looks[] = {
		{ "started", "…", TONE_PLAIN },
		{ "ready", "✔", TONE_GOOD },
		{ "failed", "✘", TONE_BAD },
		{ "removed", "·", TONE_FAINT },
	};
	AUTO(text_release) struct text line = TEXT_EMPTY;
	bool is_under_way = text_equal(layer->state, "started");
	int64_t ms = is_under_way ? (now_ms - layer->since_ms) / 1000 * 1000 : layer->elapsed_ms;
	char elapsed[DURATION_TEXT_SIZE];
	size_t look = 0;

	for (size_t i = 0; i < ARRAY_SIZE(looks); i++)
		if (text_equal(looks[i].state, layer->state))
			look = i;
	text_format(&line, "  %s %-20s %-8s %s", looks[look].glyph, layer->name, layer->state,
		    ms ? duration_format(ms, elapsed) : "");
	draw_line(view, looks[look].tone, text_get(&line));
}

/* Where not all fit, those that are under way or failed come first. */
static void draw_layers(const struct progress_view *view, int64_t now_ms)
{
	size_t room = rows_of_terminal(view), shown = 0;

	room = room > 6 ? room - 5 : 1;
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < view->layer_count; i++) {
			const struct progress_layer *layer = &view->layers[i];
			bool is_first = text_equal(layer->state, "started") ||
					text_equal(layer->state, "failed");

			if (view->layer_count <= room ? pass == 1 : is_first != (pass == 0))
				continue;
			if (shown++ < room)
				draw_layer(view, layer, now_ms);
		}
	}
	if (shown > room) {
		AUTO(free) char *more = xasprintf("  and %zu more", shown - room);

		draw_line(view, TONE_FAINT, more);
	}
}

static void draw(const struct progress_view *view)
{
	AUTO(text_release) struct text first = TEXT_EMPTY;
	int64_t now_ms = clock_mono_ms();
	char elapsed[DURATION_TEXT_SIZE];

	erase(view->terminal.stream);
	text_format(&first, "%s  %s  %s", view->name ? view->name : "environment",
		    view->state[0] ? view->state : "waiting",
		    duration_format((now_ms - view->began_ms) / 1000 * 1000, elapsed));
	if (view->message[0])
		text_format(&first, "  %s", view->message);
	draw_line(view, TONE_STRONG, text_get(&first));
	draw_layers(view, now_ms);
	fflush(view->terminal.stream);
}

/* Warnings stay on the screen, above the block. */
static void change(const struct progress_view *view, const json_t *row)
{
	if (text_equal(json_get_string(row, "kind", ""), "warning")) {
		char words[400];

		erase(view->terminal.stream);
		fprintf(view->terminal.stream, "%swarning:%s %s\n",
			terminal_tone(&view->terminal, TONE_WARNING),
			terminal_plain(&view->terminal),
			text_printable(json_get_string(row, "message", ""), words, sizeof(words)));
	}
	draw(view);
}

static void tick(struct progress_view *view)
{
	view->terminal.width = terminal_of(view->terminal.stream, "never").width;
	draw(view);
}

/* The block goes; what came of it is printed by the command. */
static void end(const struct progress_view *view)
{
	erase(view->terminal.stream);
	fflush(view->terminal.stream);
}

const struct progress_kind progress_tty = {
	.name = "tty",
	.change = change,
	.tick = tick,
	.end = end,
};
