/*
 * http_target.h - the target of a request line: "/v1/environments/e1?limit=5". Pure.
 *
 * A target is refused rather than repaired: what two programs could read differently (encoded
 * slashes, dot segments, "//", NUL) never reaches a handler.
 */
#ifndef ENVD_HTTP_HTTP_TARGET_H
#define ENVD_HTTP_HTTP_TARGET_H

#include <stddef.h>

#include "base/error.h"

/* Origin form, the characters of RFC 3986, percent-encodings that are whole and that decode to
 * UTF-8 without control characters. The path has no "//", no dot segments and no "/" or NUL that
 * only decoding shows. Error: ERR_INVALID slug "target_invalid"; the message echoes nothing. */
NODISCARD bool http_target_check(const char *target, size_t length, struct error *err);

/* Percent-decoding of a piece of a checked target; the caller frees. `plus_is_space`: in queries.
 */
char *http_target_decode(const char *piece, size_t length, bool plus_is_space);

#endif
