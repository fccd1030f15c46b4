/*
 * json_lines.h - lines of JSON in pieces of any size, as runtimes send what goes on. Pure.
 */
#ifndef ENVD_ENGINE_CONTAINER_JSON_LINES_H
#define ENVD_ENGINE_CONTAINER_JSON_LINES_H

#include "base/json_read.h"
#include "base/text.h"

#define JSON_LINE_BYTES_MAX ((size_t)256 * 1024) /* a longer one is skipped */

/* Zeroed at first. A line that is not JSON is skipped. */
struct json_lines {
	void (*on_line)(void *arg, const json_t *line);
	void *arg;

	struct text line;
	bool is_too_long;
};

void json_lines_feed(struct json_lines *lines, const char *bytes, size_t length);
void json_lines_end(struct json_lines *lines); /* a last line without its newline */
void json_lines_release(struct json_lines *lines);

#endif
