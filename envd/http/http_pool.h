/*
 * http_pool.h - what the requests and streams of one server share. For http/ only.
 */
#ifndef ENVD_HTTP_HTTP_POOL_H
#define ENVD_HTTP_HTTP_POOL_H

#include <stddef.h>
#include <sys/queue.h>

struct event;
struct event_base;
struct http_request;
struct http_server_settings;
struct http_stream;
struct http_tunnel;

struct http_pool {
	struct event_base *base;
	const struct http_server_settings *settings;
	struct event *sweep; /* to be made active when a connection may be over */
	LIST_HEAD(http_open_requests, http_request) requests; /* not answered yet, or streaming */
	LIST_HEAD(http_open_streams, http_stream) streams;
	LIST_HEAD(http_open_tunnels, http_tunnel) tunnels;
	size_t stream_count; /* tunnels too */
	/* Told once for every request that is answered; NULL: nobody counts. */
	void (*on_answered)(void *arg, const struct http_request *request, int status);
	void *on_answered_arg;
};

#endif
