/*
 * http_server.h - HTTP/1.1 as a mechanism: it listens, judges, limits, and hands over requests.
 *
 * Requests come to `on_request` one at a time and are answered when their answers are known
 * (http_response.h, http_stream.h). Until a request is whole it costs a bounded amount of memory
 * and time; beyond `connections_max` a connection is answered 503 at once, and 429 beyond what one
 * peer may have, so that no peer takes them all.
 */
#ifndef ENVD_HTTP_HTTP_SERVER_H
#define ENVD_HTTP_HTTP_SERVER_H

#include <stdint.h>
#include <sys/types.h>

#include "http/http_request.h"
#include "loop/loop.h"

struct http_server;
struct http_tls;

struct http_server_settings {
	struct http_limits limits;
	size_t connections_max;
	size_t connections_per_peer_max;
	size_t streams_max;
	int64_t request_deadline_ms; /* from accept to the last byte of the request */
	int64_t answer_deadline_ms;  /* from the answer to its last byte */
	size_t stream_bytes_max;     /* waiting for one reader */
	int64_t stream_stall_ms;     /* a reader takes nothing */
	int64_t heartbeat_ms;
	int64_t library_limit_ms; /* the library's own per read and write: a net under the rest */
};
extern const struct http_server_settings http_server_defaults;

/* `settings` must outlive the server. */
struct http_server *http_server_new(struct loop *loop, const struct http_server_settings *settings,
				    void (*on_request)(void *arg, struct http_request *request),
				    void *arg);

/* After the loop's last turn: requests that were not answered are forgotten, streams are told. */
void http_server_free(struct http_server *server);
DEFINE_AUTO(struct http_server *, http_server_free)

/* A unix socket at `path`, with `mode` whatever the umask is. A socket that a dead server left
 * there is replaced; a live one, or anything else, is ERR_CONFLICT "address_in_use". It is removed
 * when the server is freed. Group `gid` may connect too; (gid_t)-1: only the owner's group. */
NODISCARD bool http_server_listen_unix(struct http_server *server, const char *path, mode_t mode,
				       gid_t gid, struct error *err);

/* A TCP socket at "HOST:PORT" ("[::1]:8443"; port 0: any that is free), speaking TLS; with `tls`
 * NULL plain HTTP, on a loopback address only. `tls` must outlive the server. `bound` gets the
 * address as it is. ERR_INVALID "address_invalid" or "address_not_loopback"; ERR_CONFLICT
 * "address_in_use". Looks up names, so only before anything is served. */
#define HTTP_BOUND_SIZE 64
NODISCARD bool http_server_listen_tcp(struct http_server *server, const char *address,
				      struct http_tls *tls, char bound[HTTP_BOUND_SIZE],
				      struct error *err);

/* Told once for every request that is answered, with its status, before it is gone; a request that
 * never was whole is none. */
void http_server_on_answered(struct http_server *server,
			     void (*on_answered)(void *arg, const struct http_request *request,
						 int status),
			     void *arg);

/* Of the HTTP library, for people who compare it with its advisories. */
const char *http_server_library_version(void);

/* Connections that are open now. */
size_t http_server_connection_count(struct http_server *server);

#endif
