/*
 * event_stream.h - Server-Sent Events out of bytes that come in any pieces, and lines likewise.
 */
#ifndef CLI_EVENT_STREAM_H
#define CLI_EVENT_STREAM_H

#include "base/text.h"

/* Longer lines end the stream: the server never sends them. */
enum { STREAM_LINE_MAX = 1024 * 1024 };

struct line_splitter {
	struct text line;
};

/* Calls `on_line` for each whole line, without its end. False if `on_line` returned false or a line
 * is too long. */
bool line_splitter_feed(struct line_splitter *splitter, const char *bytes, size_t length,
			bool (*on_line)(void *arg, const char *line), void *arg);

struct event_stream {
	struct line_splitter lines;
	struct text data;
	char id[40]; /* of the newest whole event, for Last-Event-ID; "" before the first */
	char next_id[40];
	char kind[40];
	bool (*on_event)(void *arg, const char *kind, const char *data);
	void *arg;
};

bool event_stream_feed(struct event_stream *stream, const char *bytes, size_t length);

/* A connection was lost: half an event is forgotten, the id is kept. */
void event_stream_restart(struct event_stream *stream);
void event_stream_release(struct event_stream *stream);

#endif
