#include "http/http_stream.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <string.h>

#include "base/clock.h"
#include "http/http_pool.h"
#include "http/http_response.h"
#include "http/http_server.h"
#include "http/http_status.h"

struct http_stream {
	LIST_ENTRY(http_stream) link;
	struct http_pool *pool;
	struct http_request *request; /* NULL once it has ended */
	struct http_stream_spec spec;
	struct event *heartbeat; /* NULL: none */
	struct event *ended;     /* made active once it is over */
};

static struct timeval timeval_of(int64_t ms)
{
	return (struct timeval){ .tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000 };
}

static struct bufferevent *bufferevent_of(const struct http_stream *stream)
{
	struct http_connection *connection =
	    stream->request ? http_request_connection(stream->request) : NULL;

	return connection ? http_connection_bufferevent(connection) : NULL;
}

void http_stream_abandon(struct http_stream *stream)
{
	if (stream->heartbeat)
		event_free(stream->heartbeat);
	event_free(stream->ended);
	LIST_REMOVE(stream, link);
	stream->pool->stream_count--;
	http_request_free(stream->request);
	stream->spec.on_end(stream->spec.arg);
	free(stream);
}

static void on_ended(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	http_stream_abandon(arg);
}

static void on_left(void *arg)
{
	struct http_stream *stream = arg;

	event_active(stream->ended, EV_TIMEOUT, 1);
}

static void on_drained(struct evhttp_connection *connection, void *arg)
{
	struct http_stream *stream = arg;

	(void)connection;
	if (stream->request && stream->spec.on_room)
		stream->spec.on_room(stream->spec.arg);
}

static void on_heartbeat(evutil_socket_t fd, short what, void *arg)
{
	struct http_stream *stream = arg;

	(void)fd;
	(void)what;
	http_stream_send(stream, stream->spec.heartbeat, strlen(stream->spec.heartbeat));
}

static void start_heartbeat(struct http_stream *stream)
{
	struct timeval every = timeval_of(stream->pool->settings->heartbeat_ms);

	if (!stream->spec.heartbeat)
		return;
	stream->heartbeat = event_new(stream->pool->base, -1, EV_PERSIST, on_heartbeat, stream);
	event_add(stream->heartbeat, &every);
}

/* Reading is only for noticing that the client leaves, so silence has no limit; a write has. */
static void set_time_limits(struct http_stream *stream)
{
	struct timeval stall = timeval_of(stream->pool->settings->stream_stall_ms);

	bufferevent_set_timeouts(bufferevent_of(stream), NULL, &stall);
	http_connection_enter(http_request_connection(stream->request), HTTP_STREAMING, 0);
}

static void send_head(struct http_stream *stream)
{
	struct evhttp_request *raw = http_request_raw(stream->request);

	http_response_add_common(stream->request, stream->spec.content_type);
	set_time_limits(stream);
	evhttp_send_reply_start(raw, 200, http_status_text(200));
}

bool http_stream_start(struct http_request *request, const struct http_stream_spec *spec,
		       struct http_stream **started, struct error *err)
{
	struct http_pool *pool = http_request_pool(request);
	struct http_stream *stream;

	if (pool->stream_count >= pool->settings->streams_max)
		return error_set_as(err, ERR_LIMIT, "too_many_streams",
				    "all %zu streams of this server are taken",
				    pool->settings->streams_max);
	stream = xcalloc(1, sizeof(*stream));
	stream->pool = pool;
	stream->request = request;
	stream->spec = *spec;
	stream->ended = event_new(pool->base, -1, 0, on_ended, stream);
	LIST_INSERT_HEAD(&pool->streams, stream, link);
	pool->stream_count++;
	http_request_on_left(request, on_left, stream);
	*started = stream;
	http_response_count(request, 200);
	if (!http_request_raw(request)) {
		on_left(stream); /* in the turns before it got here */
		return true;
	}
	send_head(stream);
	start_heartbeat(stream);
	return true;
}

size_t http_stream_room(const struct http_stream *stream)
{
	struct bufferevent *bufferevent = bufferevent_of(stream);
	size_t waiting, limit = stream->pool->settings->stream_bytes_max;

	if (!bufferevent)
		return 0;
	waiting = evbuffer_get_length(bufferevent_get_output(bufferevent));
	return waiting < limit ? limit - waiting : 0;
}

void http_stream_send(struct http_stream *stream, const char *bytes, size_t length)
{
	struct evbuffer *chunk;

	if (!bufferevent_of(stream) || !length)
		return;
	if (length > http_stream_room(stream)) {
		http_connection_drop(http_request_connection(stream->request));
		return;
	}
	chunk = evbuffer_new();
	evbuffer_add(chunk, bytes, length);
	evhttp_send_reply_chunk_with_cb(http_request_raw(stream->request), chunk, on_drained,
					stream);
	evbuffer_free(chunk);
}

void http_stream_end(struct http_stream *stream)
{
	struct http_request *request = TAKE(stream->request);
	struct evhttp_request *raw;

	if (!request)
		return;
	raw = http_request_raw(request);
	if (raw) {
		http_connection_enter(http_request_connection(request), HTTP_ANSWERING,
				      clock_mono_ms() + stream->pool->settings->answer_deadline_ms);
		http_request_let_go(request);
		evhttp_send_reply_end(raw);
	}
	http_request_free(request);
	event_active(stream->ended, EV_TIMEOUT, 1);
}
