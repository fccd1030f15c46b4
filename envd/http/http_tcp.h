/*
 * http_tcp.h - a TCP socket to listen on. For http/ only.
 */
#ifndef ENVD_HTTP_HTTP_TCP_H
#define ENVD_HTTP_HTTP_TCP_H

#include "base/error.h"

/* As http_server_listen_tcp() says; the descriptor is the caller's. */
NODISCARD bool http_tcp_listen(const char *address, bool must_be_loopback, int *fd, char *bound,
			       size_t bound_size, struct error *err);

#endif
