/*
 * redact.h - what is kept and shown must hold nobody's secrets. Pure.
 *
 * Two ways to know one: its value is known (learned from variables, parameters and files whose
 * names say so), then it is hidden wherever it turns up; or the text around it says so
 * ("Authorization: ...", "password=...", a private key), then what follows is hidden.
 */
#ifndef ENVD_WORKER_REDACT_H
#define ENVD_WORKER_REDACT_H

#include "base/json_read.h"
#include "base/text.h"

struct redactor;

struct redactor *redactor_new(void);
void redactor_free(struct redactor *redactor);
DEFINE_AUTO(struct redactor *, redactor_free)

/* Values shorter than 6 bytes are no secrets that could be told from ordinary words. */
void redactor_learn(struct redactor *redactor, const char *value);

/* Every value under a name that says so: members of objects, and "NAME=VALUE" strings. */
void redactor_learn_json(struct redactor *redactor, const json_t *json);

/* Appends `text` (any number of lines) to `into`, with every secret as "***". */
void redactor_add(const struct redactor *redactor, const char *text, size_t length,
		  struct text *into);

/* A copy with every string redacted, and what stands under a secret name. New reference. */
json_t *redactor_json(const struct redactor *redactor, const json_t *json);

#endif
