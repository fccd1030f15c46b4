/*
 * history_json.h - a row of history as clients see it:
 *
 * { "n": 17, "at", "environment": ID|null, "name": NAME|null, "kind", "state": "ready"|null,
 *   "event": "created"|null, "message", "data": {...}|null }
 */
#ifndef ENVD_WIRE_HISTORY_JSON_H
#define ENVD_WIRE_HISTORY_JSON_H

#include <jansson.h>
#include <stdint.h>

struct history_view {
	int64_t n;
	int64_t at_ms;
	const char *environment; /* id; "" when it is about the service */
	const char *name;
	const char *kind;
	const char *state;   /* or NULL */
	const char *event;   /* or NULL */
	const char *message; /* or NULL */
	const json_t *data;  /* or NULL */
};

/* New reference. */
json_t *history_json(const struct history_view *row);

#endif
