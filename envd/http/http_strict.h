/*
 * http_strict.h - is this, byte for byte, the one request that everybody would read the same way?
 *
 * A pure, incremental judge of raw bytes, asked before the HTTP library sees them. The library is
 * lenient: it accepts bare line feeds, folded headers, two lengths, chunk sizes such as "0x5"; each
 * of these lets a proxy and a server disagree about where a request ends. What is accepted here is:
 *
 *	METHOD SP /target SP HTTP/1.1 CRLF, headers of RFC 9110 tokens, exactly one Host, at most
 *one Content-Length of digits only, no Transfer-Encoding, that many bytes, and nothing after them.
 *
 * It does not matter how the bytes are cut into pieces.
 */
#ifndef ENVD_HTTP_HTTP_STRICT_H
#define ENVD_HTTP_HTTP_STRICT_H

#include <stdint.h>

#include "base/error.h"
#include "base/text.h"

struct http_limits {
	size_t target_bytes_max;
	size_t header_bytes_max; /* request line and headers together, line ends included */
	size_t header_count_max;
	size_t body_bytes_max;
};

enum http_verdict {
	HTTP_MORE,     /* fine so far */
	HTTP_COMPLETE, /* one whole request, and not a byte more */
	HTTP_REFUSED,  /* for ever; see `refusal` */
};

struct http_strict {
	const struct http_limits *limits;
	int state;        /* of http_strict.c */
	struct text line; /* the one being read */
	size_t header_bytes;
	size_t header_count;
	unsigned seen; /* headers that may come once, one bit each */
	bool may_have_body;
	int64_t body_left;
	/* Once refused. The error echoes nothing of the input. */
	int refusal_status;
	struct error refusal;
};

/* `limits` must outlive it. */
void http_strict_init(struct http_strict *strict, const struct http_limits *limits);
void http_strict_release(struct http_strict *strict);

enum http_verdict http_strict_feed(struct http_strict *strict, const char *bytes, size_t length);

#endif
