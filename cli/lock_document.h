/*
 * lock_document.h - everything that an environment was built from, as a document that can be kept,
 * compared and built from again:
 *
 *	{"apiVersion", "kind": "Lock", "parameters": {...}, "lock": {"template": {"name", "digest"},
 *	 "components": {...}, "services": {...}, "runtime": {...},
 *	 "source": {"name", "repository", "commit"}}}
 *
 * Nothing in it is the environment's own (names, times, addresses): two environments that were
 * built from the same things have the same document.
 */
#ifndef CLI_LOCK_DOCUMENT_H
#define CLI_LOCK_DOCUMENT_H

#include "cli/api_client.h"

/* Of a running or an ended environment, by name or id. `environment` (may be NULL) gets its own
 * document. New references. */
NODISCARD bool lock_fetch(struct api_client *client, const char *name, json_t **lock,
			  json_t **environment, struct error *err);

/* From a file that `envctl lock -o json` wrote, else of the environment of this name. New
 * reference. */
NODISCARD bool lock_read(struct api_client *client, const char *name_or_file, json_t **lock,
			 struct error *err);

/* [{"path": "lock.components.web.version", "a": ..., "b": ...}], sorted by path; null where one has
 * nothing. New reference. */
json_t *json_differences(const json_t *a, const json_t *b);

/* "path: A, not B", one a line. */
void json_differences_text(const json_t *differences, struct text *into);

#endif
