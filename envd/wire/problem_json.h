/*
 * problem_json.h - an error as clients see it: application/problem+json (RFC 9457).
 *
 * { "type": "about:blank#lease_ended", "title": "Lease ended", "status": 410, "code":
 * "lease_ended", "detail": "...", "hint": "...", "request_id": "9a0c..." }
 *
 * "code" is the stable name to program against; "hint" is left out when there is none.
 */
#ifndef ENVD_WIRE_PROBLEM_JSON_H
#define ENVD_WIRE_PROBLEM_JSON_H

#include <jansson.h>

#include "base/error.h"

#define PROBLEM_CONTENT_TYPE "application/problem+json"

/* Bytes that are not UTF-8 are shown as '?'. New reference. */
json_t *problem_json(int status, const struct error *problem, const char *request_id);

#endif
