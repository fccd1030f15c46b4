/*
 * follow.h - wait until something about an environment is so.
 *
 * One stream of events says when to look; the document that is looked at decides. So a lost event
 * or connection, or a server that is restarted meanwhile, costs time and nothing else: the stream
 * goes on behind the last event that was seen, and every 30 s we look anyway.
 */
#ifndef CLI_FOLLOW_H
#define CLI_FOLLOW_H

#include "cli/api_client.h"
#include "cli/progress.h"

struct follow {
	struct api_client *client;
	struct progress *progress;
	const char *environment; /* name or id */
	const char *path;        /* of the document; NULL: the environment itself */
	const char *what;        /* for the error of a time-out: "demo to be ready" */
	int64_t timeout_ms;      /* 0: none */
	int64_t since_ms;        /* older events are not shown (the server's clock); 0: show all */
	bool shows_only_new;     /* what came before the call is not shown either */
	bool (*is_over)(void *arg, const json_t *document);
	void *arg;
};

/* New reference. ERR_TIMEOUT, slug "timed_out", when the time ran out; SLUG_INTERRUPTED; what
 * api_get() says when the document cannot be had. A server that is away is waited for up to 60 s.
 */
NODISCARD bool follow_until(const struct follow *follow, json_t **document, struct error *err);

#endif
