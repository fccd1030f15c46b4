/*
 * http_connection.h - one accepted connection: its raw bytes are judged (http_strict.h) before the
 * HTTP library reads them, and it has a deadline as a whole, not one per byte.
 *
 * The library owns the connection and does not say when it lets go of it, so a reference to the
 * bufferevent is kept here and given back by http_connection_is_over() + http_connection_free().
 *
 * What is refused is answered with a problem, the rest of its input is thrown away for a moment (so
 * that the answer is not lost to a reset), and then it is closed.
 */
#ifndef ENVD_HTTP_HTTP_CONNECTION_H
#define ENVD_HTTP_HTTP_CONNECTION_H

#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "http/http_strict.h"

struct bufferevent;
struct event_base;
struct ssl_st;
struct http_connection;

enum http_phase {
	HTTP_RECEIVING, /* the request is not whole yet */
	HTTP_HANDLING,  /* somebody works on the answer */
	HTTP_ANSWERING, /* on its way out */
	HTTP_STREAMING,
	HTTP_TUNNELLING, /* no HTTP any more: nothing is judged */
	HTTP_REFUSING,
};

/* Who is at the other end, as the listener's kind knows it. */
enum http_peer_kind { HTTP_PEER_UNIX, HTTP_PEER_TCP };
enum { HTTP_PEER_GROUPS_MAX = 64, HTTP_PEER_ADDRESS_SIZE = 48 };
struct http_peer {
	enum http_peer_kind kind;
	char address[HTTP_PEER_ADDRESS_SIZE]; /* "192.0.2.1"; "unix" */
	/* Of a unix socket only. */
	uid_t uid;
	gid_t gid;
	pid_t pid;
	gid_t groups[HTTP_PEER_GROUPS_MAX]; /* supplementary ones, as the kernel knows them */
	size_t group_count;
};

/* `ssl`: the TLS that it speaks, taken over; NULL: none. What is judged are the decrypted bytes. */
struct http_connection *http_connection_new(struct event_base *base,
					    const struct http_limits *limits, struct ssl_st *ssl,
					    int64_t deadline_mono_ms);
void http_connection_free(struct http_connection *connection);

/* For the library, which takes its own reference by taking this one over. */
struct bufferevent *http_connection_bufferevent(struct http_connection *connection);

void http_connection_enter(struct http_connection *connection, enum http_phase phase,
			   int64_t deadline_mono_ms); /* 0: none */
enum http_phase http_connection_phase(const struct http_connection *connection);

/* Something of a request has arrived. */
bool http_connection_has_input(const struct http_connection *connection);
bool http_connection_is_due(const struct http_connection *connection, int64_t now_mono_ms);

/* The library has let go of it. */
bool http_connection_is_over(const struct http_connection *connection);

/* Only while receiving: answer with this and close. */
void http_connection_refuse(struct http_connection *connection, int status,
			    const struct error *problem);

/* From now on these are called in place of the library's own; and back to it, which then thinks
 * that its peer is gone, and lets go. For http_tunnel.c. */
void http_connection_take(struct http_connection *connection,
			  void (*on_read)(struct bufferevent *bufferevent, void *arg),
			  void (*on_written)(struct bufferevent *bufferevent, void *arg),
			  void (*on_event)(struct bufferevent *bufferevent, short what, void *arg),
			  void *arg);
void http_connection_give_back(struct http_connection *connection);

/* Its last byte is on its way: a TLS peer is told that this was all. For the library's own. */
void http_connection_say_goodbye(struct bufferevent *bufferevent);

/* Close as soon as possible; what was not sent is lost. */
void http_connection_drop(struct http_connection *connection);

/* A number for whoever is at the other end, by which connections are counted: the user of a unix
 * socket, the IPv4 address, the /64 of an IPv6 address. Known once it was accepted. */
uint64_t http_connection_origin(struct http_connection *connection);

NODISCARD bool http_connection_peer(struct http_connection *connection, struct http_peer *peer,
				    struct error *err);

#endif
