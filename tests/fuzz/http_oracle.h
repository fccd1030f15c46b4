/*
 * http_oracle.h - for fuzzing: a request as RFC 9112 and RFC 9110 have it, read from all its bytes
 * at once. Written from the RFCs and from the promises of http_strict.h; shares no code with it.
 */
#ifndef TESTS_FUZZ_HTTP_ORACLE_H
#define TESTS_FUZZ_HTTP_ORACLE_H

#include <stddef.h>

#include "http/http_strict.h"

enum oracle_verdict { ORACLE_INCOMPLETE, ORACLE_COMPLETE, ORACLE_BAD };

struct oracle_request {
	const char *method;
	size_t method_length;
	const char *target;
	size_t target_length;
	const char *body;
	size_t body_length;
	size_t length; /* of the whole request */
};

/* The fields of `request` are inside `bytes` and only set when it is complete. Bytes after it make
 * it bad. Incomplete only says that no end was found yet: what there is may be bad already. */
enum oracle_verdict oracle_read(const struct http_limits *limits, const char *bytes, size_t length,
				struct oracle_request *request);

#endif
