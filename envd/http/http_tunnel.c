#include "http/http_tunnel.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "http/http_pool.h"
#include "http/http_response.h"
#include "http/http_server.h"
#include "http/http_status.h"

enum {
	WAITING_BYTES_MAX = 262144, /* each way */
	LINGER_MS = 5000,           /* for what was sent last */
	KEEPALIVE_IDLE_S = 30,
	KEEPALIVE_EVERY_S = 10,
	KEEPALIVE_COUNT = 3,
};

struct http_tunnel {
	LIST_ENTRY(http_tunnel) link;
	struct http_pool *pool;
	struct http_request *request;
	struct bufferevent *inner; /* NULL once its end of file was seen */
	struct event *ended;       /* made active once it is over */
	struct event *closed;      /* the client has gone, seen also while nothing is read */
	bool is_over;
	void (*on_end)(void *arg);
	void *arg;
};

/* NULL once the client is gone. */
static struct bufferevent *outer_of(const struct http_tunnel *tunnel)
{
	struct http_connection *connection = http_request_connection(tunnel->request);

	return connection ? http_connection_bufferevent(connection) : NULL;
}

void http_tunnel_abandon(struct http_tunnel *tunnel)
{
	struct http_connection *connection = http_request_connection(tunnel->request);

	tunnel->is_over = true;
	if (tunnel->inner)
		bufferevent_free(tunnel->inner);
	if (tunnel->closed)
		event_free(tunnel->closed);
	event_free(tunnel->ended);
	LIST_REMOVE(tunnel, link);
	tunnel->pool->stream_count--;
	/* The library's own again, it ends and tells the request so. */
	if (connection)
		http_connection_give_back(connection);
	event_active(tunnel->pool->sweep, EV_TIMEOUT, 1);
	http_request_free(tunnel->request);
	tunnel->on_end(tunnel->arg);
	free(tunnel);
}

static void on_ended(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	http_tunnel_abandon(arg);
}

static void end(struct http_tunnel *tunnel)
{
	struct bufferevent *outer = outer_of(tunnel);

	if (tunnel->is_over)
		return;
	tunnel->is_over = true;
	if (outer)
		bufferevent_disable(outer, EV_READ | EV_WRITE);
	if (tunnel->inner)
		bufferevent_disable(tunnel->inner, EV_READ | EV_WRITE);
	event_active(tunnel->ended, EV_TIMEOUT, 1);
}

/* ---- bytes ---- */

/* What `from` has said goes on; when `to` has not taken enough, `from` waits. */
static void pass_on(struct bufferevent *from, struct bufferevent *to)
{
	struct evbuffer *waiting = bufferevent_get_output(to);

	evbuffer_add_buffer(waiting, bufferevent_get_input(from));
	if (evbuffer_get_length(waiting) >= WAITING_BYTES_MAX)
		bufferevent_disable(from, EV_READ);
}

static void on_outer_read(struct bufferevent *outer, void *arg)
{
	struct http_tunnel *tunnel = arg;

	if (tunnel->is_over)
		return;
	if (tunnel->inner)
		pass_on(outer, tunnel->inner);
	else
		evbuffer_drain(bufferevent_get_input(outer),
			       evbuffer_get_length(bufferevent_get_input(outer)));
}

static void on_inner_read(struct bufferevent *inner, void *arg)
{
	struct http_tunnel *tunnel = arg;

	if (!tunnel->is_over && outer_of(tunnel))
		pass_on(inner, outer_of(tunnel));
}

/* All that was said is out; the client closes when it has read it, or has to. */
static void say_goodbye(struct http_tunnel *tunnel)
{
	struct bufferevent *outer = outer_of(tunnel);

	http_connection_say_goodbye(outer);
	shutdown(bufferevent_getfd(outer), SHUT_WR);
}

static void on_outer_written(struct bufferevent *outer, void *arg)
{
	struct http_tunnel *tunnel = arg;

	(void)outer;
	if (tunnel->is_over)
		return;
	if (tunnel->inner)
		bufferevent_enable(tunnel->inner, EV_READ);
	else
		say_goodbye(tunnel);
}

static void on_inner_written(struct bufferevent *inner, void *arg)
{
	struct http_tunnel *tunnel = arg;

	(void)inner;
	if (!tunnel->is_over && outer_of(tunnel))
		bufferevent_enable(outer_of(tunnel), EV_READ);
}

static void on_outer_event(struct bufferevent *outer, short what, void *arg)
{
	/* The library's time limits of before, which an event of its own kind remembers when it is
	 * taken away and comes back. There are none here. */
	if (what & BEV_EVENT_TIMEOUT)
		bufferevent_enable(outer, what & BEV_EVENT_READING ? EV_READ : EV_WRITE);
	else if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		end(arg);
}

/* It never closes one way only, so this is the end, whatever it has said before. */
static void on_closed(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	end(arg);
}

static void on_inner_event(struct bufferevent *inner, short what, void *arg)
{
	struct http_tunnel *tunnel = arg;
	struct bufferevent *outer = outer_of(tunnel);

	if (!(what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) || tunnel->is_over)
		return;
	if (!outer) {
		end(tunnel);
		return;
	}
	pass_on(inner, outer);
	bufferevent_free(TAKE(tunnel->inner));
	http_connection_enter(http_request_connection(tunnel->request), HTTP_TUNNELLING,
			      clock_mono_ms() + LINGER_MS);
	bufferevent_enable(outer, EV_READ | EV_WRITE);
	if (!evbuffer_get_length(bufferevent_get_output(outer)))
		say_goodbye(tunnel);
}

/* ---- beginning ---- */

/* A connection over which nothing is said, and whose other end is gone, is only found by asking. */
static void keep_alive(int fd)
{
	int yes = 1, idle = KEEPALIVE_IDLE_S, every = KEEPALIVE_EVERY_S, count = KEEPALIVE_COUNT;

	/* A unix socket has no such options, and needs none. */
	if (setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof(yes)) < 0 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle)) < 0 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof(every)) < 0 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count)) < 0)
		return;
}

static void take_over(struct http_tunnel *tunnel, const char *protocol)
{
	struct http_connection *connection = http_request_connection(tunnel->request);
	struct bufferevent *outer = http_connection_bufferevent(connection);

	http_connection_enter(connection, HTTP_TUNNELLING, 0);
	http_connection_take(connection, on_outer_read, on_outer_written, on_outer_event, tunnel);
	bufferevent_set_timeouts(outer, NULL, NULL);
	keep_alive(bufferevent_getfd(outer));
	evbuffer_add_printf(bufferevent_get_output(outer),
			    "HTTP/1.1 101 %s\r\nConnection: Upgrade\r\nUpgrade: %s\r\n"
			    "X-Request-Id: %s\r\n" HTTP_VERSION_HEADER ": " ENVD_VERSION "\r\n\r\n",
			    http_status_text(101), protocol, http_request_id(tunnel->request));
	bufferevent_enable(outer, EV_READ | EV_WRITE);
	bufferevent_enable(tunnel->inner, EV_READ | EV_WRITE);
	tunnel->closed =
	    event_new(tunnel->pool->base, bufferevent_getfd(outer), EV_CLOSED, on_closed, tunnel);
	event_add(tunnel->closed, NULL);
}

static void on_left(void *arg)
{
	end(arg);
}

bool http_tunnel_is_wanted(struct http_request *request, const char *protocol, struct error *err)
{
	const char *asked = http_request_header(request, "Upgrade");

	if (asked && strcasecmp(asked, protocol) == 0)
		return true;
	http_response_header(request, "Upgrade", protocol);
	error_set_as(err, ERR_INVALID, "upgrade_required",
		     "this goes on as another protocol than HTTP");
	return error_hint(err, "send the headers \"Connection: Upgrade\" and \"Upgrade: %s\"",
			  protocol);
}

bool http_tunnel_start(struct http_request *request, const struct http_tunnel_spec *spec,
		       struct error *err)
{
	struct http_pool *pool = http_request_pool(request);
	struct http_tunnel *tunnel;

	if (pool->stream_count >= pool->settings->streams_max)
		return error_set_as(err, ERR_LIMIT, "too_many_streams",
				    "all %zu streams of this server are taken",
				    pool->settings->streams_max);
	tunnel = xcalloc(1, sizeof(*tunnel));
	tunnel->pool = pool;
	tunnel->request = request;
	tunnel->on_end = spec->on_end;
	tunnel->arg = spec->arg;
	tunnel->ended = event_new(pool->base, -1, 0, on_ended, tunnel);
	fcntl(spec->fd, F_SETFL, O_NONBLOCK);
	tunnel->inner = bufferevent_socket_new(pool->base, spec->fd, BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(tunnel->inner, on_inner_read, on_inner_written, on_inner_event, tunnel);
	LIST_INSERT_HEAD(&pool->tunnels, tunnel, link);
	pool->stream_count++;
	http_request_on_left(request, on_left, tunnel);
	http_response_count(request, 101);
	if (http_request_raw(request))
		take_over(tunnel, spec->protocol);
	else
		end(tunnel); /* the client left in the turns before it got here */
	return true;
}
