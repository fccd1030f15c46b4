/*
 * json_read.h - reading JSON that somebody else wrote: strictly, with errors that name the field.
 *
 * Duplicate keys, trailing bytes, depth over JSON_DEPTH_MAX and invalid UTF-8 are refused. The
 * getters refuse a wrong type by name: field "ttl" must be a string (got a number).
 */
#ifndef ENVD_BASE_JSON_READ_H
#define ENVD_BASE_JSON_READ_H

#include <jansson.h>
#include <stdint.h>

#include "base/error.h"

#define JSON_DEPTH_MAX 32

DEFINE_AUTO(json_t *, json_decref)

/* jansson's json_object_foreach() over an object that is not ours to change. */
#define json_object_foreach_const(object, key, value)                                              \
	for (void *at_ = json_object_iter((json_t *)(uintptr_t)(object));                          \
	     at_ && ((key) = json_object_iter_key(at_)) &&                                         \
	     ((value) = json_object_iter_value(at_));                                              \
	     at_ = json_object_iter_next((json_t *)(uintptr_t)(object), at_))

/* `what` names the text in errors: "request body", a file's path. New reference. */
NODISCARD bool json_parse(const char *bytes, size_t length, const char *what, json_t **json,
			  struct error *err);

/* The whole file, at most `bytes_max`. */
NODISCARD bool json_read_file(const char *path, size_t bytes_max, json_t **json, struct error *err);

/* Every key of `object` must be in `known` (ends with NULL); the error names the key and the
 * nearest known one. */
NODISCARD bool json_only_keys(const json_t *object, const char *const *known, struct error *err);

/* Required fields: missing is ERR_INVALID. Strings are borrowed from `object`; a string with an
 * embedded NUL is refused. */
NODISCARD bool json_read_string(const json_t *object, const char *key, const char **value,
				struct error *err);
NODISCARD bool json_read_int64(const json_t *object, const char *key, int64_t *value,
			       struct error *err);
NODISCARD bool json_read_bool(const json_t *object, const char *key, bool *value,
			      struct error *err);
NODISCARD bool json_read_object(const json_t *object, const char *key, const json_t **value,
				struct error *err);
NODISCARD bool json_read_array(const json_t *object, const char *key, const json_t **value,
			       struct error *err);
/* A string such as "2h" (base/duration.h). */
NODISCARD bool json_read_duration_ms(const json_t *object, const char *key, int64_t *ms,
				     struct error *err);

/* True if the key is there and not null. */
bool json_has(const json_t *object, const char *key);

/* For JSON that we wrote ourselves: the value, or the default when it is missing or of another
 * type. `object` may be NULL. */
const char *json_get_string(const json_t *object, const char *key, const char *otherwise);
int64_t json_get_int64(const json_t *object, const char *key, int64_t otherwise);
double json_get_number(const json_t *object, const char *key, double otherwise);
bool json_get_bool(const json_t *object, const char *key, bool otherwise);

/* Compact, keys in insertion order; the caller frees. */
char *json_to_text(const json_t *json);

#endif
