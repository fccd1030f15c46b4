/*
 * http_stream.h - an answer that goes on: server-sent events, log lines.
 *
 * Nothing here blocks and nothing queues without bound: a reader that lets more than the server's
 * `stream_bytes_max` pile up, or takes nothing for `stream_stall_ms`, is dropped. Whoever has much
 * to send asks for the room first and goes on in on_room.
 */
#ifndef ENVD_HTTP_HTTP_STREAM_H
#define ENVD_HTTP_HTTP_STREAM_H

#include "http/http_request.h"

struct http_stream;

struct http_stream_spec {
	const char *content_type;
	const char *heartbeat; /* sent every `heartbeat_ms` of the server; NULL: none */

	/* Everything sent so far is on its way: there is room again. May be NULL. */
	void (*on_room)(void *arg);

	/* Once, from the loop, never from inside a call of this header: it was ended, or the reader
	 * left or was dropped. The stream is gone afterwards. */
	void (*on_end)(void *arg);
	void *arg;
};

/* Takes the request over. ERR_LIMIT "too_many_streams": it does not, and the request waits for
 * another answer. */
NODISCARD bool http_stream_start(struct http_request *request, const struct http_stream_spec *spec,
				 struct http_stream **stream, struct error *err);

void http_stream_send(struct http_stream *stream, const char *bytes, size_t length);

/* Bytes that may be sent now without being dropped for it. */
size_t http_stream_room(const struct http_stream *stream);

/* Send what was sent, then close; on_end follows. Asking twice is fine. */
void http_stream_end(struct http_stream *stream);

/* For the end of the server: calls on_end now. */
void http_stream_abandon(struct http_stream *stream);

#endif
