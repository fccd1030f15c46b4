#include "http/http_connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <string.h>
#include <sys/socket.h>

#include <openssl/ssl.h>

#include "base/clock.h"
#include "base/ids.h"
#include "base/json_read.h"
#include "http/http_status.h"
#include "wire/problem_json.h"

enum { LINGER_MS = 1000 };

struct http_connection {
	struct bufferevent *bufferevent;
	struct http_strict strict;
	enum http_phase phase;
	int64_t deadline_mono_ms;
	uint64_t origin; /* 0: not looked at yet */
	/* The library's callbacks, while others stand in for them. */
	bufferevent_data_cb library_read;
	bufferevent_data_cb library_write;
	bufferevent_event_cb library_event;
	void *library_arg;
};

/* Freeing a bufferevent takes its callbacks away first; while it lives, an event callback is set.
 */
bool http_connection_is_over(const struct http_connection *connection)
{
	bufferevent_event_cb on_event;

	bufferevent_getcb(connection->bufferevent, NULL, NULL, &on_event, NULL);
	return !on_event;
}

void http_connection_take(struct http_connection *connection,
			  void (*on_read)(struct bufferevent *bufferevent, void *arg),
			  void (*on_written)(struct bufferevent *bufferevent, void *arg),
			  void (*on_event)(struct bufferevent *bufferevent, short what, void *arg),
			  void *arg)
{
	bufferevent_getcb(connection->bufferevent, &connection->library_read,
			  &connection->library_write, &connection->library_event,
			  &connection->library_arg);
	bufferevent_setcb(connection->bufferevent, on_read, on_written, on_event, arg);
}

void http_connection_give_back(struct http_connection *connection)
{
	bufferevent_event_cb library_event = connection->library_event;

	if (!library_event)
		return;
	connection->library_event = NULL;
	bufferevent_setcb(connection->bufferevent, connection->library_read,
			  connection->library_write, library_event, connection->library_arg);
	library_event(connection->bufferevent, BEV_EVENT_READING | BEV_EVENT_EOF,
		      connection->library_arg);
}

/* ---- refusing ---- */

static void on_refused_input(struct bufferevent *bufferevent, void *arg)
{
	struct evbuffer *input = bufferevent_get_input(bufferevent);

	(void)arg;
	evbuffer_drain(input, evbuffer_get_length(input));
}

static void on_refusal_sent(struct bufferevent *bufferevent, void *arg)
{
	(void)arg;
	http_connection_say_goodbye(bufferevent);
	shutdown(bufferevent_getfd(bufferevent), SHUT_WR);
}

static void on_refused_end(struct bufferevent *bufferevent, short what, void *arg)
{
	(void)bufferevent;
	/* The handshake of a connection that was refused before it began. */
	if (what & BEV_EVENT_CONNECTED)
		return;
	http_connection_give_back(arg);
}

static void write_problem(struct evbuffer *output, int status, const struct error *problem)
{
	AUTO(json_decref) json_t *json = NULL;
	AUTO(free) char *body = NULL;
	char id[17];

	random_hex(id, 16);
	json = problem_json(status, problem, id);
	body = json_to_text(json);
	evbuffer_add_printf(output,
			    "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
			    "X-Request-Id: %s\r\n" HTTP_VERSION_HEADER ": " ENVD_VERSION
			    "\r\n%sConnection: close\r\n\r\n%s\n",
			    status, http_status_text(status), PROBLEM_CONTENT_TYPE,
			    strlen(body) + 1, id,
			    status == 503 || status == 429 ? "Retry-After: 1\r\n" : "", body);
}

void http_connection_refuse(struct http_connection *connection, int status,
			    const struct error *problem)
{
	struct bufferevent *bufferevent = connection->bufferevent;

	connection->phase = HTTP_REFUSING;
	connection->deadline_mono_ms = clock_mono_ms() + LINGER_MS;
	http_connection_take(connection, on_refused_input, on_refusal_sent, on_refused_end,
			     connection);
	bufferevent_enable(bufferevent, EV_READ | EV_WRITE);
	write_problem(bufferevent_get_output(bufferevent), status, problem);
}

void http_connection_say_goodbye(struct bufferevent *bufferevent)
{
	SSL *ssl = bufferevent_openssl_get_ssl(bufferevent);

	if (ssl && SSL_is_init_finished(ssl))
		SSL_shutdown(ssl);
}

void http_connection_drop(struct http_connection *connection)
{
	if (connection->phase == HTTP_REFUSING)
		http_connection_give_back(connection);
	else
		shutdown(bufferevent_getfd(connection->bufferevent), SHUT_RDWR);
}

/* ---- raw bytes ---- */

static enum http_verdict judge(struct http_connection *connection, struct evbuffer *input,
			       size_t added)
{
	enum http_verdict verdict = HTTP_MORE;
	struct evbuffer_iovec pieces[16];
	struct evbuffer_ptr at;

	while (added) {
		size_t done = 0;
		int count;

		evbuffer_ptr_set(input, &at, evbuffer_get_length(input) - added, EVBUFFER_PTR_SET);
		count = evbuffer_peek(input, (ev_ssize_t)added, &at, pieces, ARRAY_SIZE(pieces));
		if (count > (int)ARRAY_SIZE(pieces))
			count = ARRAY_SIZE(pieces);
		for (int i = 0; i < count && done < added; i++) {
			size_t length = pieces[i].iov_len;

			if (length > added - done)
				length = added - done;
			verdict = http_strict_feed(&connection->strict, pieces[i].iov_base, length);
			done += length;
		}
		added -= done;
	}
	return verdict;
}

/*
 * Called from within the read of the socket, before the library's own callback, which therefore
 * never sees what is refused: its callback is replaced. That also guards it from bytes after the
 * request, at which it would end the process ("illegal connection state").
 */
static void on_raw_input(struct evbuffer *input, const struct evbuffer_cb_info *info, void *arg)
{
	struct http_connection *connection = arg;

	if (!info->n_added || connection->phase == HTTP_REFUSING ||
	    connection->phase == HTTP_TUNNELLING || http_connection_is_over(connection))
		return;
	if (judge(connection, input, info->n_added) != HTTP_REFUSED)
		return;
	if (connection->phase == HTTP_RECEIVING) {
		http_connection_refuse(connection, connection->strict.refusal_status,
				       &connection->strict.refusal);
		return;
	}
	bufferevent_getcb(connection->bufferevent, NULL, &connection->library_write,
			  &connection->library_event, &connection->library_arg);
	bufferevent_setcb(connection->bufferevent, on_refused_input, connection->library_write,
			  connection->library_event, connection->library_arg);
	http_connection_drop(connection);
}

struct http_connection *http_connection_new(struct event_base *base,
					    const struct http_limits *limits, SSL *ssl,
					    int64_t deadline_mono_ms)
{
	struct http_connection *connection = xcalloc(1, sizeof(*connection));

	http_strict_init(&connection->strict, limits);
	connection->deadline_mono_ms = deadline_mono_ms;
	/* The library would close the descriptor while it is still watched through our reference.
	 */
	connection->bufferevent =
	    ssl ? bufferevent_openssl_socket_new(base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING,
						 BEV_OPT_CLOSE_ON_FREE)
		: bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	bufferevent_incref(connection->bufferevent);
	evbuffer_add_cb(bufferevent_get_input(connection->bufferevent), on_raw_input, connection);
	return connection;
}

void http_connection_free(struct http_connection *connection)
{
	if (!connection)
		return;
	evbuffer_remove_cb(bufferevent_get_input(connection->bufferevent), on_raw_input,
			   connection);
	bufferevent_decref(connection->bufferevent);
	http_strict_release(&connection->strict);
	free(connection);
}

struct bufferevent *http_connection_bufferevent(struct http_connection *connection)
{
	return connection->bufferevent;
}

void http_connection_enter(struct http_connection *connection, enum http_phase phase,
			   int64_t deadline_mono_ms)
{
	connection->phase = phase;
	connection->deadline_mono_ms = deadline_mono_ms;
}

enum http_phase http_connection_phase(const struct http_connection *connection)
{
	return connection->phase;
}

bool http_connection_has_input(const struct http_connection *connection)
{
	return connection->strict.header_bytes > 0;
}

bool http_connection_is_due(const struct http_connection *connection, int64_t now_mono_ms)
{
	return connection->deadline_mono_ms && now_mono_ms >= connection->deadline_mono_ms;
}

/* The upper half says which kind of number it is. */
static uint64_t read_origin(int fd)
{
	struct sockaddr_storage address = { .ss_family = AF_UNSPEC };
	socklen_t length = sizeof(address), ucred_length = sizeof(struct ucred);
	struct ucred credentials = { .uid = (uid_t)-1 };
	uint64_t prefix;

	if (getpeername(fd, (struct sockaddr *)&address, &length) < 0)
		return 1;
	if (address.ss_family == AF_INET)
		return UINT64_C(4) << 32 | ((struct sockaddr_in *)&address)->sin_addr.s_addr;
	if (address.ss_family == AF_INET6) {
		memcpy(&prefix, &((struct sockaddr_in6 *)&address)->sin6_addr, sizeof(prefix));
		return prefix | 1;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &ucred_length) < 0)
		return 1;
	return UINT64_C(1) << 32 | credentials.uid;
}

uint64_t http_connection_origin(struct http_connection *connection)
{
	if (!connection->origin)
		connection->origin = read_origin(bufferevent_getfd(connection->bufferevent));
	return connection->origin;
}

static void read_groups(int fd, struct http_peer *peer)
{
	socklen_t length = sizeof(peer->groups);

	peer->group_count = 0;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, peer->groups, &length) == 0)
		peer->group_count = length / sizeof(*peer->groups);
}

static bool read_credentials(int fd, struct http_peer *peer, struct error *err)
{
	struct ucred credentials;
	socklen_t length = sizeof(credentials);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) < 0)
		return error_set(err, ERR_STRANGER, "the caller's credentials cannot be read: %s",
				 strerror(errno));
	*peer = (struct http_peer){
		.kind = HTTP_PEER_UNIX,
		.address = "unix",
		.uid = credentials.uid,
		.gid = credentials.gid,
		.pid = credentials.pid,
	};
	read_groups(fd, peer);
	return true;
}

/* An IPv4 address looks the same whichever kind of socket it came in by. */
static void write_address(const struct sockaddr_storage *from, char into[HTTP_PEER_ADDRESS_SIZE])
{
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)from;
	const struct sockaddr_in *four = (const struct sockaddr_in *)from;

	if (from->ss_family == AF_INET)
		inet_ntop(AF_INET, &four->sin_addr, into, HTTP_PEER_ADDRESS_SIZE);
	else if (IN6_IS_ADDR_V4MAPPED(&six->sin6_addr))
		inet_ntop(AF_INET, &six->sin6_addr.s6_addr[12], into, HTTP_PEER_ADDRESS_SIZE);
	else
		inet_ntop(AF_INET6, &six->sin6_addr, into, HTTP_PEER_ADDRESS_SIZE);
}

bool http_connection_peer(struct http_connection *connection, struct http_peer *peer,
			  struct error *err)
{
	int fd = bufferevent_getfd(connection->bufferevent);
	struct sockaddr_storage from = { .ss_family = AF_UNSPEC };
	socklen_t length = sizeof(from);

	if (getpeername(fd, (struct sockaddr *)&from, &length) < 0)
		return error_set(err, ERR_STRANGER, "the caller's address cannot be read: %s",
				 strerror(errno));
	if (from.ss_family == AF_UNIX)
		return read_credentials(fd, peer, err);
	*peer = (struct http_peer){ .kind = HTTP_PEER_TCP, .uid = (uid_t)-1, .gid = (gid_t)-1 };
	write_address(&from, peer->address);
	return true;
}
