/*
 * http_post.h - send a document to a server of ours, without waiting for it, by HTTP or HTTPS, to
 * an address that was resolved before anything was served.
 */
#ifndef ENVD_HTTP_HTTP_POST_H
#define ENVD_HTTP_HTTP_POST_H

#include <stdint.h>

#include "base/error.h"
#include "loop/loop.h"

struct http_place; /* where to */

/* "http[s]://HOST[:PORT][/PATH]"; looks the name up, which may take a while. `path` is added to
 * that of the address. `ca_file` (https only, may be NULL): as http_trust_new(). ERR_INVALID
 * "endpoint_invalid", "tls_unusable"; ERR_UNAVAILABLE "endpoint_unknown". */
struct http_place_spec {
	const char *address;
	const char *path;
	const char *ca_file;
};
NODISCARD bool http_place_new(const struct http_place_spec *spec, struct http_place **place,
			      struct error *err);
void http_place_free(struct http_place *place);
DEFINE_AUTO(struct http_place *, http_place_free)

/* `on_end` comes once, from a loop turn, with the status, or 0 when there was no answer within
 * `limit_s`; `distrust` then says why the server was not believed, and is NULL when it was not
 * that. Not at all if the loop is freed first. `body` is copied. */
struct http_post {
	const char *content_type;
	const char *body;
	size_t length;
	int limit_s;
	void (*on_end)(void *arg, int status, const char *distrust);
	void *arg;
};
NODISCARD bool http_post_begin(struct loop *loop, const struct http_place *place,
			       const struct http_post *post, struct error *err);

#endif
