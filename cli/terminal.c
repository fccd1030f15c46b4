#include "cli/terminal.h"

#include <string.h>
#include <sys/ioctl.h>

#include "base/text.h"

static bool is_set(const char *variable)
{
	const char *value = getenv(variable);

	return value && *value;
}

static bool wants_colour(bool is_terminal, const char *color)
{
	if (!text_equal(color, "auto"))
		return text_equal(color, "always");
	if (is_set("NO_COLOR") || text_equal(getenv("TERM"), "dumb"))
		return false;
	return is_set("FORCE_COLOR") || is_set("CLICOLOR_FORCE") || is_terminal;
}

static size_t width_of(int fd)
{
	struct winsize size;
	const char *columns = getenv("COLUMNS");
	int64_t asked;

	if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col)
		return size.ws_col;
	if (columns && text_to_int64(columns, &asked) && asked > 0 && asked < 10000)
		return (size_t)asked;
	return 80;
}

struct terminal terminal_of(FILE *stream, const char *color)
{
	bool is_terminal = isatty(fileno(stream));

	return (struct terminal){
		.stream = stream,
		.is_terminal = is_terminal,
		.has_colour = wants_colour(is_terminal, color),
		.width = is_terminal ? width_of(fileno(stream)) : 0,
	};
}

const char *terminal_tone(const struct terminal *terminal, enum tone tone)
{
	static const char *const escapes[] = {
		[TONE_PLAIN] = "",           [TONE_GOOD] = "\033[32m", [TONE_BAD] = "\033[31m",
		[TONE_WARNING] = "\033[33m", [TONE_FAINT] = "\033[2m", [TONE_STRONG] = "\033[1m",
	};

	return terminal->has_colour ? escapes[tone] : "";
}

const char *terminal_plain(const struct terminal *terminal)
{
	return terminal->has_colour ? "\033[0m" : "";
}

size_t text_columns(const char *text)
{
	size_t columns = 0;

	while (*text) {
		if (*text == '\033') {
			text += strcspn(text, "m");
			text += *text == 'm';
			continue;
		}
		/* Bytes that continue a UTF-8 character take no column of their own. */
		columns += ((unsigned char)*text & 0xC0) != 0x80;
		text++;
	}
	return columns;
}
