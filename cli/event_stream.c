#include "cli/event_stream.h"

#include <string.h>

bool line_splitter_feed(struct line_splitter *splitter, const char *bytes, size_t length,
			bool (*on_line)(void *arg, const char *line), void *arg)
{
	while (length) {
		const char *end = memchr(bytes, '\n', length);
		size_t part = end ? (size_t)(end - bytes) : length;

		if (splitter->line.length + part > STREAM_LINE_MAX)
			return false;
		text_add_bytes(&splitter->line, bytes, part);
		if (!end)
			return true;
		if (text_ends_with(text_get(&splitter->line), "\r"))
			splitter->line.bytes[--splitter->line.length] = '\0';
		if (!on_line(arg, text_get(&splitter->line)))
			return false;
		text_clear(&splitter->line);
		bytes += part + 1;
		length -= part + 1;
	}
	return true;
}

/* The value of "name: value" or "name:value", or NULL if the line is of another field. */
static const char *value_of(const char *line, const char *name)
{
	size_t length = strlen(name);

	if (strncmp(line, name, length) != 0 || line[length] != ':')
		return NULL;
	line += length + 1;
	return *line == ' ' ? line + 1 : line;
}

static bool dispatch(struct event_stream *stream)
{
	bool goes_on;

	/* Only now: of an event that was cut off we want to hear again. */
	memcpy(stream->id, stream->next_id, sizeof(stream->id));
	goes_on = !stream->data.length ||
		  stream->on_event(stream->arg, stream->kind, text_get(&stream->data));
	text_clear(&stream->data);
	stream->kind[0] = '\0';
	return goes_on;
}

static bool on_line(void *arg, const char *line)
{
	struct event_stream *stream = arg;
	const char *value;

	if (!*line)
		return dispatch(stream);
	if ((value = value_of(line, "data"))) {
		if (stream->data.length)
			text_add_char(&stream->data, '\n');
		text_add(&stream->data, value);
	} else if ((value = value_of(line, "id"))) {
		snprintf(stream->next_id, sizeof(stream->next_id), "%s", value);
	} else if ((value = value_of(line, "event"))) {
		snprintf(stream->kind, sizeof(stream->kind), "%s", value);
	}
	return true; /* comments and fields that we do not know are skipped */
}

bool event_stream_feed(struct event_stream *stream, const char *bytes, size_t length)
{
	return line_splitter_feed(&stream->lines, bytes, length, on_line, stream);
}

void event_stream_restart(struct event_stream *stream)
{
	text_clear(&stream->lines.line);
	text_clear(&stream->data);
	stream->kind[0] = '\0';
	memcpy(stream->next_id, stream->id, sizeof(stream->next_id));
}

void event_stream_release(struct event_stream *stream)
{
	text_release(&stream->lines.line);
	text_release(&stream->data);
}
