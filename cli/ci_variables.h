/*
 * ci_variables.h - what a CI system tells about itself by variables.
 *
 * From them come the idempotency key (a step that is repeated gets the same environment; a re-run
 * gets a new one) and a name that says where an environment comes from.
 */
#ifndef CLI_CI_VARIABLES_H
#define CLI_CI_VARIABLES_H

#include <jansson.h>

#include "base/error.h"
#include "base/ids.h"

enum { IDEMPOTENCY_KEY_SIZE = 33 };

/* 32 hexadecimal digits: from the CI's variables and the request, else random. True if from CI. */
bool ci_idempotency_key(const json_t *request, char into[IDEMPOTENCY_KEY_SIZE]);

/* "gh-shop-812-1f3a5c"; the caller frees. NULL without CI: the server makes one up. */
char *ci_environment_name(const char *key);

/* GitHub's runner reads commands from the log. */
bool ci_is_github(void);

/* Lines between these are text to the runner, whatever they start with. Nothing elsewhere. */
void ci_foreign_begin(FILE *stream);
void ci_foreign_end(FILE *stream);

/* "::error title=SLUG::MESSAGE". Nothing elsewhere. */
void ci_annotate_error(FILE *stream, const struct error *err);

#endif
