#include "base/line_reader.h"

#include <string.h>

static void add(struct line_reader *reader, const char *bytes, size_t length)
{
	size_t room = reader->line_bytes_max - reader->partial.length;

	if (length > room) {
		reader->was_cut = true;
		length = room;
	}
	text_add_bytes(&reader->partial, bytes, length);
}

static void emit(struct line_reader *reader)
{
	bool was_cut = reader->was_cut;
	struct text line = reader->partial;

	/* Moved out first: the reader is ready for the next line whatever the callback does. */
	reader->partial = (struct text)TEXT_EMPTY;
	reader->was_cut = false;
	reader->on_line(reader->arg, text_get(&line), line.length, was_cut);
	text_release(&line);
}

void line_reader_feed(struct line_reader *reader, const char *bytes, size_t length)
{
	while (length) {
		const char *newline = memchr(bytes, '\n', length);
		size_t part = newline ? (size_t)(newline - bytes) : length;

		add(reader, bytes, part);
		if (!newline)
			return;
		emit(reader);
		bytes += part + 1;
		length -= part + 1;
	}
}

bool line_reader_finish(struct line_reader *reader)
{
	if (!reader->partial.length && !reader->was_cut)
		return false;
	emit(reader);
	return true;
}

void line_reader_release(struct line_reader *reader)
{
	text_release(&reader->partial);
}
