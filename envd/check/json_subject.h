/*
 * json_subject.h - parts of JSON, and of JSON inside a token, as subjects of expectations.
 */
#ifndef ENVD_CHECK_JSON_SUBJECT_H
#define ENVD_CHECK_JSON_SUBJECT_H

#include <jansson.h>

#include "model/observed.h"

/* `path`: "status", "components.ledger.status", "items[0].id", "items.#" (how many),
 * "data[tls.crt]" (a key with dots). Objects and arrays are seen as their compact text. */
struct observed json_subject(const json_t *json, const char *path);

/* A claim of a JSON Web Token, not verified: "exp". An empty path is the token itself. Nothing,
 * with a note, when `token` is NULL or has not three parts with JSON in the middle one. */
struct observed jwt_subject(const char *token, const char *path);

#endif
