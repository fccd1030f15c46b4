/*
 * placeholder.h - ${name} inside text; "$${" stands for a plain "${".
 */
#ifndef ENVD_MODEL_PLACEHOLDER_H
#define ENVD_MODEL_PLACEHOLDER_H

#include "base/error.h"

#define PLACEHOLDER_NAME_MAX 80

/* [A-Za-z_][A-Za-z0-9_.-]*: how much of `text` is a name. */
size_t placeholder_name_length(const char *text);

/* Tell every name in order. ERR_INVALID: not closed, or not a name. */
NODISCARD bool placeholder_names(const char *text, void (*on_name)(void *arg, const char *name),
				 void *arg, struct error *err);

/* Values of names are freed here. ERR_NOT_FOUND names the one that has no value. The caller frees
 * `filled`. */
NODISCARD bool placeholder_fill(const char *text, char *(*value)(void *arg, const char *name),
				void *arg, char **filled, struct error *err);

#endif
