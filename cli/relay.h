/*
 * relay.h - a port of this machine whose connections go on to an address elsewhere.
 *
 * One process, no threads: up to RELAY_LINKS_MAX connections at a time, further ones wait to be
 * accepted. A side that has said all it had to say is told to the other side (half-close), so
 * protocols that wait for the end of the question get their answer.
 */
#ifndef CLI_RELAY_H
#define CLI_RELAY_H

#include <stdint.h>

#include "base/error.h"

enum { RELAY_LINKS_MAX = 64 };

/* On 127.0.0.1; `port` 0: a free one, told by `*chosen`. ERR_CONFLICT slug "port_taken". */
NODISCARD bool relay_listen(int64_t port, int *listen_fd, int *chosen, struct error *err);

struct relay {
	int listen_fd;
	const char *host; /* name or address */
	int port;
	int wake_fd;                                    /* readable: stop */
	void (*on_refused)(void *arg, const char *why); /* the other side could not be reached */
	void *arg;
};

/* Until `wake_fd` is readable: then ERR_TIMEOUT, slug "interrupted". */
bool relay_run(const struct relay *relay, struct error *err);

#endif
