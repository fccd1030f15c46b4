#include "base/log.h"

#include <stdarg.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

static const char *const level_names[] = { "debug", "info", "warn", "error", NULL };
static enum log_level lowest = LOG_INFO;
static const char *program = "envd";

void log_set_level(enum log_level level)
{
	lowest = level;
}

bool log_level_parse(const char *name, enum log_level *level, struct error *err)
{
	for (size_t i = 0; level_names[i]; i++) {
		if (strcmp(level_names[i], name) == 0) {
			*level = (enum log_level)i;
			return true;
		}
	}
	return error_set(err, ERR_INVALID, "log level \"%s\" must be debug, info, warn or error",
			 name);
}

void log_set_program(const char *name)
{
	program = name;
}

static void add_quoted(struct text *line, const char *message)
{
	text_add_char(line, '"');
	for (; *message; message++) {
		if (*message == '"' || *message == '\\')
			text_format(line, "\\%c", *message);
		else if (*message == '\n')
			text_add(line, "\\n");
		else if ((unsigned char)*message < 0x20)
			text_format(line, "\\x%02x", (unsigned char)*message);
		else
			text_add_char(line, *message);
	}
	text_add_char(line, '"');
}

void log_line(enum log_level level, const char *identity, const char *format, ...)
{
	AUTO(text_release) struct text line = TEXT_EMPTY;
	char message[1024], at[CLOCK_TEXT_SIZE];
	va_list args;

	if (level < lowest)
		return;
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	text_format(&line, "time=%s program=%s level=%s ", clock_format(clock_wall_ms(), at),
		    program, level_names[level]);
	if (identity)
		text_format(&line, "%s ", identity);
	text_add(&line, "msg=");
	add_quoted(&line, message);
	text_add_char(&line, '\n');
	/* One write, so that lines of several processes on one stream do not mix. */
	if (write(STDERR_FILENO, line.bytes, line.length) < 0)
		return; /* nowhere left to say so */
}
