/*
 * error.h - the one way to fail.
 *
 * A function that can fail returns bool and takes `struct error *err` last. `true`: done, `*err`
 * untouched. `false`: `*err` is set and no out-parameter was written. `err` is never NULL; who does
 * not care declares `struct error ignored;` and says why.
 *
 * The struct is caller-allocated and of fixed size: an error never needs freeing, and making one
 * never fails. Messages are lower case, have no full stop, name the thing in quotes and say what
 * was expected: lease of "e1" may not pass 24h (asked 72h).
 */
#ifndef ENVD_BASE_ERROR_H
#define ENVD_BASE_ERROR_H

#include "base/cleanup.h"

/* Codes say what the *caller* can do. The names on the right travel in worker lines and problems.
 */
#define ERROR_CODES(X)                                                                             \
	X(ERR_NONE, "none")                                                                        \
	X(ERR_INVALID, "invalid")   /* the request is wrong and will stay wrong */                 \
	X(ERR_STRANGER, "stranger") /* we do not know who is asking */                             \
	X(ERR_DENIED, "denied")     /* we do, and this caller may not */                           \
	X(ERR_NOT_FOUND, "not_found")                                                              \
	X(ERR_CONFLICT, "conflict")       /* right request, wrong moment: the state forbids it */  \
	X(ERR_GONE, "gone")               /* it was there and has ended */                         \
	X(ERR_LIMIT, "limit")             /* a quota or one of our own bounds was reached */       \
	X(ERR_UNAVAILABLE, "unavailable") /* try again later */                                    \
	X(ERR_TIMEOUT, "timeout")                                                                  \
	X(ERR_EXTERNAL, "external") /* a program or server we rely on failed */                    \
	X(ERR_CORRUPT, "corrupt")   /* stored data breaks our own rules */                         \
	X(ERR_INTERNAL, "internal") /* our bug, or the machine let us down */

enum error_code {
#define X(code, name) code,
	ERROR_CODES(X)
#undef X
};

struct error {
	enum error_code code;
	const char
	    *slug; /* stable name for clients, e.g. "lease_ended"; a literal, never NULL once set */
	char message[512];
	char hint[256]; /* what the caller can do about it; may be empty */
};

/* Each fills in `*err` and returns false, so that failing is one line. The slug is the code's name
 * unless error_set_as() gives a closer one (a string literal). */
bool error_set(struct error *err, enum error_code code, const char *format, ...) PRINTF_LIKE(3, 4);
bool error_set_as(struct error *err, enum error_code code, const char *slug, const char *format,
		  ...) PRINTF_LIKE(4, 5);
bool error_set_errno(struct error *err, int errno_value, const char *format, ...) PRINTF_LIKE(3, 4);

/* "<context>: <old message>"; code, slug and hint stay. */
bool error_wrap(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* Replace the hint. */
bool error_hint(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* The hint for a word that is none of `known`, which ends with NULL: the nearest, else all of them,
 * as far as there is room. */
bool error_hint_known(struct error *err, const char *wrong, const char *const *known);

/* Worth the same call later? */
bool error_is_transient(const struct error *err);

const char *error_code_name(enum error_code code);

/* ERR_INTERNAL for a name that is not in the list. */
enum error_code error_code_from_name(const char *name);

#endif
