/*
 * http_tunnel.h - a connection that stops being HTTP: answered with 101 and from then on passed,
 * byte for byte, to and from a descriptor, where somebody else speaks with the client.
 *
 * Nothing queues without bound: whoever reads slowly makes the other side wait. A client that waits
 * for ever is allowed (a pager); one whose machine is gone is noticed by the kernel's keepalive.
 */
#ifndef ENVD_HTTP_HTTP_TUNNEL_H
#define ENVD_HTTP_HTTP_TUNNEL_H

#include "http/http_request.h"

struct http_tunnel;

struct http_tunnel_spec {
	const char *protocol; /* of the Upgrade header; a literal */
	int fd;               /* a socket, taken over when it starts; its end of file ends both */

	/* Once, from the loop, never from inside http_tunnel_start(): it is over and gone. */
	void (*on_end)(void *arg);
	void *arg;
};

/* Is it asked for? ERR_INVALID "upgrade_required"; a header says to what. */
NODISCARD bool http_tunnel_is_wanted(struct http_request *request, const char *protocol,
				     struct error *err);

/* Takes the request over, and answers 101. ERR_LIMIT "too_many_streams": it does not. */
NODISCARD bool http_tunnel_start(struct http_request *request, const struct http_tunnel_spec *spec,
				 struct error *err);

/* For the end of the server: calls on_end now. */
void http_tunnel_abandon(struct http_tunnel *tunnel);

#endif
