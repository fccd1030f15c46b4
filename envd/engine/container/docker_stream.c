#include "engine/container/docker_stream.h"

#include <string.h>

#define HEADER_BYTES 8

static int frame_stream(const struct docker_stream *stream)
{
	return stream->header[0] == DOCKER_STDERR ? DOCKER_STDERR : DOCKER_STDOUT;
}

static size_t frame_length(const struct docker_stream *stream)
{
	const unsigned char *at = stream->header + 4;

	return (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
}

static void end_line(struct docker_stream *stream, int which)
{
	struct text *line = &stream->lines[which - 1];

	stream->on_line(stream->arg, which, text_get(line), line->length);
	text_clear(line);
}

static void add_to_line(struct docker_stream *stream, int which, const char *bytes, size_t length)
{
	struct text *line = &stream->lines[which - 1];

	for (size_t i = 0; i < length; i++) {
		if (bytes[i] == '\n') {
			end_line(stream, which);
			continue;
		}
		text_add_char(line, bytes[i]);
		if (line->length == DOCKER_LINE_BYTES_MAX)
			end_line(stream, which);
	}
}

/* How many bytes were used. */
static size_t take_header(struct docker_stream *stream, const char *bytes, size_t length)
{
	size_t wanted = HEADER_BYTES - stream->header_length;
	size_t used = length < wanted ? length : wanted;

	memcpy(stream->header + stream->header_length, bytes, used);
	stream->header_length += used;
	if (stream->header_length == HEADER_BYTES)
		stream->frame_left = frame_length(stream);
	return used;
}

static size_t take_frame(struct docker_stream *stream, const char *bytes, size_t length)
{
	size_t used = length < stream->frame_left ? length : stream->frame_left;

	if (stream->on_bytes)
		stream->on_bytes(stream->arg, frame_stream(stream), bytes, used);
	else
		add_to_line(stream, frame_stream(stream), bytes, used);
	stream->frame_left -= used;
	return used;
}

void docker_stream_feed(struct docker_stream *stream, const char *bytes, size_t length)
{
	while (length > 0) {
		size_t used = stream->header_length < HEADER_BYTES
				  ? take_header(stream, bytes, length)
				  : take_frame(stream, bytes, length);

		if (stream->header_length == HEADER_BYTES && stream->frame_left == 0)
			stream->header_length = 0;
		bytes += used;
		length -= used;
	}
}

void docker_stream_end(struct docker_stream *stream)
{
	for (int which = DOCKER_STDOUT; which <= DOCKER_STDERR; which++) {
		if (stream->lines[which - 1].length > 0)
			end_line(stream, which);
		text_release(&stream->lines[which - 1]);
	}
}

struct collected {
	struct text text;
	size_t bytes_max;
};

static void collect(struct collected *collected, const char *bytes, size_t length)
{
	size_t room = collected->bytes_max - collected->text.length;

	text_add_bytes(&collected->text, bytes, length < room ? length : room);
}

char *docker_stream_text(const char *bytes, size_t length, size_t bytes_max)
{
	struct collected collected = { .text = TEXT_EMPTY, .bytes_max = bytes_max };
	struct docker_stream stream = { 0 };

	while (length > 0) {
		size_t used;

		if (stream.header_length < HEADER_BYTES) {
			used = take_header(&stream, bytes, length);
		} else {
			used = length < stream.frame_left ? length : stream.frame_left;
			collect(&collected, bytes, used);
			stream.frame_left -= used;
		}
		if (stream.header_length == HEADER_BYTES && stream.frame_left == 0)
			stream.header_length = 0;
		bytes += used;
		length -= used;
	}
	return text_take(&collected.text);
}
