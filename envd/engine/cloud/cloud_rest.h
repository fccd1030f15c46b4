/*
 * cloud_rest.h - lists of REST APIs that come in numbered pages and say how many things there are:
 * all pages, or an error.
 */
#ifndef ENVD_ENGINE_CLOUD_CLOUD_REST_H
#define ENVD_ENGINE_CLOUD_CLOUD_REST_H

#include "engine/cloud/cloud.h"

struct cloud_rest {
	const char *who;     /* "DigitalOcean" */
	const char *address; /* its own; the question may name another */
	const char *size;    /* "per_page=200" */
	const char *set;     /* where the list is; NULL: each list says */
	/* How many there are of all pages; -1: the answer does not say. */
	int64_t (*total)(const json_t *answer);
	/* Its own words for a refusal, or NULL. Borrowed. */
	const char *(*words)(const json_t *answer);
};

/* GET. ERR_NOT_FOUND for a 404, ERR_EXTERNAL "cloud_denied" for any other refusal. New reference.
 */
NODISCARD bool cloud_rest_get(const struct cloud_rest *rest, const struct cloud_question *question,
			      const char *path, json_t **answer, struct error *err);

/* ERR_EXTERNAL "cloud_invalid" when the list changed while it was read: some of it was not seen.
 * New reference. */
NODISCARD bool cloud_rest_list(const struct cloud_rest *rest, const struct cloud_question *question,
			       const char *path, const char *set, json_t **items,
			       struct error *err);

/* "2026-01-02T03:04:05" with or without "Z", as Unix seconds; 0: it cannot be read. */
int64_t cloud_rest_seconds(const char *text);

/* A text as it is, a number as text; NULL: neither. `into` holds 32 bytes. */
const char *cloud_rest_id(const json_t *value, char into[32]);

#endif
