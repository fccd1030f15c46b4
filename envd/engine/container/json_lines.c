#include "engine/container/json_lines.h"

#include <string.h>

void json_lines_end(struct json_lines *lines)
{
	AUTO(json_decref) json_t *line = NULL;
	struct error ignored; /* a line that is not JSON says nothing */

	if (!lines->is_too_long && lines->line.length > 0 && lines->on_line &&
	    json_parse(lines->line.bytes, lines->line.length, "line", &line, &ignored))
		lines->on_line(lines->arg, line);
	text_clear(&lines->line);
	lines->is_too_long = false;
}

void json_lines_feed(struct json_lines *lines, const char *bytes, size_t length)
{
	while (length > 0) {
		const char *newline = memchr(bytes, '\n', length);
		size_t part = newline ? (size_t)(newline - bytes) : length;

		if (lines->line.length + part > JSON_LINE_BYTES_MAX)
			lines->is_too_long = true;
		else
			text_add_bytes(&lines->line, bytes, part);
		if (!newline)
			return;
		json_lines_end(lines);
		bytes += part + 1;
		length -= part + 1;
	}
}

void json_lines_release(struct json_lines *lines)
{
	text_release(&lines->line);
	lines->is_too_long = false;
}
