/*
 * tunnel_link.h - a local port whose connections go through the server: each one is a tunnel of its
 * own, in a process of its own, so that none waits while another is opened.
 */
#ifndef CLI_TUNNEL_LINK_H
#define CLI_TUNNEL_LINK_H

#include "cli/api_tunnel.h"

#define TUNNEL_LINKS_MAX 64

struct tunnel_links {
	int listen_fd;
	int wake_fd; /* readable: it is to end */
	struct api_client *client;
	const char *path;   /* of the forward */
	const json_t *body; /* of its request */
	/* In the process of that connection: it could not be opened, or broke off. */
	void (*on_failure)(void *arg, const struct error *failure);
	void *arg;
};

/* Until `wake_fd`: always false, ERR_TIMEOUT "interrupted". */
bool tunnel_links_run(const struct tunnel_links *links, struct error *err);

#endif
