/*
 * line_reader.h - cut a stream of bytes into lines.
 */
#ifndef ENVD_BASE_LINE_READER_H
#define ENVD_BASE_LINE_READER_H

#include <stdint.h>

#include "base/text.h"

struct line_reader {
	size_t line_bytes_max; /* what is longer is cut there */
	/* Without the newline, NUL-terminated. `was_cut`: the line was longer. */
	void (*on_line)(void *arg, const char *line, size_t length, bool was_cut);
	void *arg;
	struct text partial;
	bool was_cut;
};

/* Calls on_line for every line that `bytes` completes. */
void line_reader_feed(struct line_reader *reader, const char *bytes, size_t length);

/* The stream ended: what is left is a line too. False if there was nothing. */
bool line_reader_finish(struct line_reader *reader);

void line_reader_release(struct line_reader *reader);

#endif
