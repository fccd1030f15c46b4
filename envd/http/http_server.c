#include "http/http_server.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/ids.h"
#include "http/http_pool.h"
#include "http/http_response.h"
#include "http/http_stream.h"
#include "http/http_tcp.h"
#include "http/http_tls.h"
#include "http/http_tunnel.h"

const struct http_server_settings http_server_defaults = {
	.limits = {
		.target_bytes_max = 4096,
		.header_bytes_max = 16384,
		.header_count_max = 64,
		.body_bytes_max = 1048576,
	},
	.connections_max = 512,
	.connections_per_peer_max = 200,
	.streams_max = 256,
	.request_deadline_ms = 15000,
	.answer_deadline_ms = 60000,
	.stream_bytes_max = 1048576,
	.stream_stall_ms = 60000,
	.heartbeat_ms = 15000,
	.library_limit_ms = 120000,
};

enum {
	SWEEP_MS = 250,
	LISTEN_BACKLOG = 512,
};

/* The library asks for a bufferevent without saying which listener it is for, so what speaks TLS
 * and what does not are two instances of it. */
struct http_port {
	struct http_server *server;
	struct http_tls *tls; /* NULL: plain */
	struct evhttp *library;
};

struct http_server {
	struct http_pool pool;
	struct http_port **ports;
	size_t port_count;
	void (*on_request)(void *arg, struct http_request *request);
	void *arg;
	struct http_connection **connections; /* with those that are over since the last sweep */
	size_t connection_count;
	struct event *admit; /* as soon as the library has made what it just accepted */
	size_t admitted_count;
	char *socket_path;
	struct stat socket_stat;
};

/* ---- connections ---- */

static void forget_finished(struct http_server *server)
{
	size_t kept = 0, admitted = 0;

	for (size_t i = 0; i < server->connection_count; i++) {
		struct http_connection *connection = server->connections[i];

		/* One that was not admitted yet has no callbacks yet, either. */
		if (i < server->admitted_count && http_connection_is_over(connection)) {
			http_connection_free(connection);
			continue;
		}
		admitted += i < server->admitted_count;
		server->connections[kept++] = connection;
	}
	server->connection_count = kept;
	server->admitted_count = admitted;
}

static void end_overdue(struct http_connection *connection)
{
	struct error err;

	if (http_connection_phase(connection) != HTTP_RECEIVING ||
	    !http_connection_has_input(connection)) {
		http_connection_drop(connection);
		return;
	}
	error_set_as(&err, ERR_TIMEOUT, "request_timeout", "the request did not arrive in time");
	http_connection_refuse(connection, 408, &err);
}

static void start_sweep(struct http_server *server)
{
	struct timeval in = { .tv_usec = SWEEP_MS * 1000 };

	if (server->connection_count && !event_pending(server->pool.sweep, EV_TIMEOUT, NULL))
		event_add(server->pool.sweep, &in);
}

static void on_sweep(evutil_socket_t fd, short what, void *arg)
{
	struct http_server *server = arg;
	int64_t now = clock_mono_ms();

	(void)fd;
	(void)what;
	forget_finished(server);
	for (size_t i = 0; i < server->admitted_count; i++)
		if (http_connection_is_due(server->connections[i], now))
			end_overdue(server->connections[i]);
	start_sweep(server);
}

struct occupancy {
	size_t live;
	size_t of_peer;
	size_t refused; /* only told why, for a moment: they take no place */
};

static struct occupancy count_before(const struct http_server *server, size_t before)
{
	struct occupancy found = { 0, 0, 0 };
	uint64_t origin = http_connection_origin(server->connections[before]);

	for (size_t i = 0; i < before; i++) {
		struct http_connection *connection = server->connections[i];

		if (http_connection_is_over(connection))
			continue;
		if (http_connection_phase(connection) == HTTP_REFUSING) {
			found.refused++;
			continue;
		}
		found.live++;
		found.of_peer += http_connection_origin(connection) == origin;
	}
	return found;
}

static bool has_room(const struct http_server_settings *settings, const struct occupancy *found,
		     struct error *err)
{
	if (found->live >= settings->connections_max)
		return error_set_as(err, ERR_UNAVAILABLE, "too_many_connections",
				    "all %zu connections of this server are taken",
				    settings->connections_max);
	if (found->of_peer >= settings->connections_per_peer_max)
		return error_set_as(
		    err, ERR_LIMIT, "too_many_connections_of_peer",
		    "all %zu connections that one user or address may have are taken",
		    settings->connections_per_peer_max);
	return true;
}

static void admit(struct http_server *server, size_t i)
{
	const struct http_server_settings *settings = server->pool.settings;
	struct http_connection *connection = server->connections[i];
	struct occupancy found;
	struct error err;

	if (http_connection_phase(connection) != HTTP_RECEIVING ||
	    http_connection_is_over(connection))
		return;
	found = count_before(server, i);
	if (has_room(settings, &found, &err))
		return;
	http_connection_refuse(connection, err.code == ERR_LIMIT ? 429 : 503, &err);
	/* In a flood there is no time for explanations. */
	if (found.refused >= settings->connections_max)
		http_connection_drop(connection);
}

static void on_admit(evutil_socket_t fd, short what, void *arg)
{
	struct http_server *server = arg;

	(void)fd;
	(void)what;
	if (server->connection_count > 2 * server->pool.settings->connections_max)
		forget_finished(server);
	for (size_t i = server->admitted_count; i < server->connection_count; i++)
		admit(server, i);
	server->admitted_count = server->connection_count;
}

/* The library asks for what will carry the connection that it has just accepted. */
static struct bufferevent *make_bufferevent(struct event_base *base, void *arg)
{
	struct http_port *port = arg;
	struct http_server *server = port->server;
	struct http_connection *connection = http_connection_new(
	    base, &server->pool.settings->limits, port->tls ? http_tls_accept(port->tls) : NULL,
	    clock_mono_ms() + server->pool.settings->request_deadline_ms);

	server->connections = xrealloc(server->connections, server->connection_count + 1,
				       sizeof(*server->connections));
	server->connections[server->connection_count++] = connection;
	event_active(server->admit, EV_TIMEOUT, 1);
	start_sweep(server);
	return http_connection_bufferevent(connection);
}

static struct http_connection *find_connection(struct http_server *server,
					       struct evhttp_request *raw)
{
	struct bufferevent *wanted =
	    evhttp_connection_get_bufferevent(evhttp_request_get_connection(raw));

	for (size_t i = server->connection_count; i > 0; i--)
		if (http_connection_bufferevent(server->connections[i - 1]) == wanted)
			return server->connections[i - 1];
	return NULL;
}

static void on_library_request(struct evhttp_request *raw, void *arg)
{
	struct http_server *server = arg;
	struct http_connection *connection = find_connection(server, raw);
	struct http_request *request;
	struct error err;

	/* The library comes here, too, with what it could not parse. The judge lets none of that
	 * in. */
	if (!connection || !evhttp_request_get_uri(raw)) {
		evhttp_send_error(raw, 400, NULL);
		return;
	}
	http_connection_enter(connection, HTTP_HANDLING, 0);
	if (!http_request_new(&server->pool, connection, raw, &request, &err)) {
		http_answer_problem(request, 400, &err);
		return;
	}
	server->on_request(server->arg, request);
}

static struct http_port *port_for(struct http_server *server, struct http_tls *tls)
{
	const struct http_limits *limits = &server->pool.settings->limits;
	int64_t limit_ms = server->pool.settings->library_limit_ms;
	struct timeval limit = { .tv_sec = limit_ms / 1000, .tv_usec = limit_ms % 1000 * 1000 };
	struct http_port *port;

	for (size_t i = 0; i < server->port_count; i++)
		if (server->ports[i]->tls == tls)
			return server->ports[i];
	port = xcalloc(1, sizeof(*port));
	*port = (struct http_port){ server, tls, evhttp_new(server->pool.base) };
	evhttp_set_bevcb(port->library, make_bufferevent, port);
	evhttp_set_gencb(port->library, on_library_request, server);
	evhttp_set_timeout_tv(port->library, &limit);
	evhttp_set_allowed_methods(port->library, EVHTTP_REQ_GET | EVHTTP_REQ_POST |
						      EVHTTP_REQ_PUT | EVHTTP_REQ_PATCH |
						      EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS |
						      EVHTTP_REQ_TRACE | EVHTTP_REQ_HEAD);
	evhttp_set_max_headers_size(port->library, (ev_ssize_t)limits->header_bytes_max);
	evhttp_set_max_body_size(port->library, (ev_ssize_t)limits->body_bytes_max);
	server->ports = xrealloc(server->ports, server->port_count + 1, sizeof(*server->ports));
	server->ports[server->port_count++] = port;
	return port;
}

struct http_server *http_server_new(struct loop *loop, const struct http_server_settings *settings,
				    void (*on_request)(void *arg, struct http_request *request),
				    void *arg)
{
	struct http_server *server = xcalloc(1, sizeof(*server));
	struct event_base *base = loop_event_base(loop);

	server->pool.base = base;
	server->pool.settings = settings;
	LIST_INIT(&server->pool.requests);
	LIST_INIT(&server->pool.streams);
	LIST_INIT(&server->pool.tunnels);
	server->on_request = on_request;
	server->arg = arg;
	server->pool.sweep = event_new(base, -1, 0, on_sweep, server);
	server->admit = event_new(base, -1, 0, on_admit, server);
	return server;
}

/* Ours, and not one that another server has put there since. */
static void remove_socket(struct http_server *server)
{
	struct stat now;

	if (server->socket_path && lstat(server->socket_path, &now) == 0 &&
	    now.st_ino == server->socket_stat.st_ino && now.st_dev == server->socket_stat.st_dev)
		unlink(server->socket_path);
	free(server->socket_path);
}

void http_server_free(struct http_server *server)
{
	if (!server)
		return;
	remove_socket(server);
	while (!LIST_EMPTY(&server->pool.streams))
		http_stream_abandon(LIST_FIRST(&server->pool.streams));
	while (!LIST_EMPTY(&server->pool.tunnels))
		http_tunnel_abandon(LIST_FIRST(&server->pool.tunnels));
	while (!LIST_EMPTY(&server->pool.requests))
		http_request_free(LIST_FIRST(&server->pool.requests));
	for (size_t i = 0; i < server->port_count; i++) {
		evhttp_free(server->ports[i]->library);
		free(server->ports[i]);
	}
	free(server->ports);
	for (size_t i = 0; i < server->connection_count; i++)
		http_connection_free(server->connections[i]);
	free(server->connections);
	event_free(server->pool.sweep);
	event_free(server->admit);
	free(server);
}

const char *http_server_library_version(void)
{
	return event_get_version();
}

size_t http_server_connection_count(struct http_server *server)
{
	forget_finished(server);
	return server->connection_count;
}

/* ---- listening ---- */

static bool make_address(const char *path, struct sockaddr_un *address, struct error *err)
{
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(address->sun_path))
		return error_set_as(err, ERR_INVALID, "socket_path_too_long",
				    "the socket's path \"%s\" is longer than %zu bytes", path,
				    sizeof(address->sun_path) - 1);
	strcpy(address->sun_path, path);
	return true;
}

/* Nothing is there, or the socket of a server that is dead: nobody accepts on it. */
static bool check_place(const char *path, struct error *err)
{
	AUTO(close) int fd = -1;
	struct sockaddr_un address;
	struct stat found;

	if (lstat(path, &found) < 0 && errno == ENOENT)
		return true;
	if (!S_ISSOCK(found.st_mode))
		return error_set_as(err, ERR_CONFLICT, "address_in_use",
				    "\"%s\" exists and is no socket", path);
	if (!make_address(path, &address, err))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return error_set_errno(err, errno, "cannot make a socket");
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 && errno == ECONNREFUSED)
		return true;
	return error_set_as(err, ERR_CONFLICT, "address_in_use", "another server listens on \"%s\"",
			    path);
}

/* Bound under another name, given its mode, and only then moved to where clients look: nobody
 * connects before the mode is right, and a dead server's socket is replaced in one step. */
static bool bind_and_move(int fd, const char *path, mode_t mode, gid_t gid, struct error *err)
{
	AUTO(free) char *temporary = NULL;
	struct sockaddr_un address;
	char suffix[7];

	random_hex(suffix, sizeof(suffix) - 1);
	temporary = xasprintf("%s.%s", path, suffix);
	if (!make_address(temporary, &address, err))
		return false;
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return error_set_errno(err, errno, "cannot listen on \"%s\"", path);
	if ((gid != (gid_t)-1 && chown(temporary, (uid_t)-1, gid) < 0) ||
	    chmod(temporary, mode) < 0 || listen(fd, LISTEN_BACKLOG) < 0 ||
	    rename(temporary, path) < 0) {
		error_set_errno(err, errno, "cannot listen on \"%s\"", path);
		unlink(temporary);
		return false;
	}
	return true;
}

static void on_accept_again(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	evconnlistener_enable(arg);
}

/* Out of descriptors: what waits to be accepted would make every turn fail like this one at once.
 * The library has taken the callback's argument for itself. */
static void on_accept_error(struct evconnlistener *listener, void *arg)
{
	struct timeval pause = { .tv_usec = SWEEP_MS * 1000 };

	(void)arg;
	evconnlistener_disable(listener);
	event_base_once(evconnlistener_get_base(listener), -1, EV_TIMEOUT, on_accept_again,
			listener, &pause);
}

static void listen_on(struct http_server *server, struct http_tls *tls, int fd)
{
	struct evconnlistener *listener = evconnlistener_new(
	    server->pool.base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);

	evhttp_bind_listener(port_for(server, tls)->library, listener);
	evconnlistener_set_error_cb(listener, on_accept_error);
}

bool http_server_listen_tcp(struct http_server *server, const char *address, struct http_tls *tls,
			    char bound[HTTP_BOUND_SIZE], struct error *err)
{
	int fd;

	if (!http_tcp_listen(address, !tls, &fd, bound, HTTP_BOUND_SIZE, err))
		return false;
	listen_on(server, tls, fd);
	return true;
}

bool http_server_listen_unix(struct http_server *server, const char *path, mode_t mode, gid_t gid,
			     struct error *err)
{
	AUTO(close) int fd = -1;

	if (!check_place(path, err))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return error_set_errno(err, errno, "cannot make a socket");
	if (!bind_and_move(fd, path, mode, gid, err))
		return false;
	server->socket_path = xstrdup(path);
	if (lstat(path, &server->socket_stat) < 0)
		return error_set_errno(err, errno, "cannot look at \"%s\"", path);
	listen_on(server, NULL, TAKE_FD(fd));
	return true;
}

void http_server_on_answered(struct http_server *server,
			     void (*on_answered)(void *arg, const struct http_request *request,
						 int status),
			     void *arg)
{
	server->pool.on_answered = on_answered;
	server->pool.on_answered_arg = arg;
}
