/*
 * http_post.h - send a document to a server of ours, without waiting for it: plain HTTP to an
 * address that was resolved before anything was served.
 */
#ifndef ENVD_HTTP_HTTP_POST_H
#define ENVD_HTTP_HTTP_POST_H

#include <stdint.h>

#include "base/error.h"
#include "loop/loop.h"

struct http_place; /* where to */

/* "http://HOST[:PORT][/PATH]"; looks the name up, which may take a while. ERR_INVALID
 * "endpoint_invalid", ERR_UNAVAILABLE "endpoint_unknown". `path` is added to that of the address.
 */
NODISCARD bool http_place_new(const char *address, const char *path, struct http_place **place,
			      struct error *err);
void http_place_free(struct http_place *place);
DEFINE_AUTO(struct http_place *, http_place_free)

/* `on_end` comes once, from a loop turn, with the status, or 0 when there was no answer within
 * `limit_s`; not at all if the loop is freed first. `body` is copied. */
struct http_post {
	const char *content_type;
	const char *body;
	size_t length;
	int limit_s;
	void (*on_end)(void *arg, int status);
	void *arg;
};
NODISCARD bool http_post_begin(struct loop *loop, const struct http_place *place,
			       const struct http_post *post, struct error *err);

#endif
