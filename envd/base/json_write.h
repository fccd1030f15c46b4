/*
 * json_write.h - JSON as text at once, for answers that are long or asked for often: a tree of
 *values costs an allocation each. What was stored as JSON goes through as it is.
 *
 *	struct json_writer writer = { &text };
 *	json_write_open(&writer, NULL, '{');
 *	json_write_text(&writer, "name", name);
 *	json_write_close(&writer, '}');
 *
 * `key` is a constant of ours that needs no escaping; NULL inside an array and for the whole.
 */
#ifndef ENVD_BASE_JSON_WRITE_H
#define ENVD_BASE_JSON_WRITE_H

#include <jansson.h>
#include <stdint.h>

#include "base/text.h"

struct json_writer {
	struct text *into;
	bool needs_comma;
};

void json_write_open(struct json_writer *writer, const char *key, char bracket);
void json_write_close(struct json_writer *writer, char bracket);

/* null for NULL; must be UTF-8. */
void json_write_text(struct json_writer *writer, const char *key, const char *value);
void json_write_integer(struct json_writer *writer, const char *key, int64_t value);
/* 15 digits, as json_to_text() does. */
void json_write_real(struct json_writer *writer, const char *key, double value);
void json_write_bool(struct json_writer *writer, const char *key, bool value);
/* A text that is JSON already. */
void json_write_raw(struct json_writer *writer, const char *key, const char *json);
void json_write_value(struct json_writer *writer, const char *key, const json_t *value);

#endif
