/*
 * scope.h - what ${name} means during one attempt of one check: its captures, the environment's
 * outputs and addresses, and a few words of our own.
 *
 *	${url}                        an output
 *	${ingress.host} ${ingress.port.443}   an address of a service
 *	${environment.id} ${environment.name}
 *	${uuid} ${random} ${now}      new each time: a UUID, 12 hexadecimal digits, Unix seconds
 *
 * It also remembers secrets (form fields called password and the like, captured cookies), so that
 *no message repeats them.
 */
#ifndef ENVD_CHECK_SCOPE_H
#define ENVD_CHECK_SCOPE_H

#include <jansson.h>

#include "base/error.h"

struct scope;

struct scope_source {
	const json_t *outputs;   /* may be NULL */
	const json_t *addresses; /* may be NULL */
	const char *environment_id;
	const char *environment_name;
};

/* What `source` points to must outlive the scope. */
struct scope *scope_new(const struct scope_source *source);
void scope_free(struct scope *scope);
DEFINE_AUTO(struct scope *, scope_free)

/* Forget captures and secrets: a new attempt. */
void scope_clear(struct scope *scope);

void scope_capture(struct scope *scope, const char *name, const char *text, bool is_secret);
/* NULL if nothing was captured under this name. */
const char *scope_captured(const struct scope *scope, const char *name, bool *is_secret);

/* The caller frees; NULL if there is no such name. `scope` is a struct scope *, so that this fits
 * placeholder_fill() and struct observer. */
char *scope_value(void *scope, const char *name);

/* ERR_INVALID, slug "check_name_unknown". The caller frees `filled`. */
NODISCARD bool scope_fill(struct scope *scope, const char *text, char **filled, struct error *err);

/* If a field of this name is likely to hold a secret, remember its value. */
void scope_note_field(struct scope *scope, const char *field, const char *value);

/* Overwrite secrets in `text` with asterisks, in place. */
void scope_redact(const struct scope *scope, char *text);

/* Every name there is but captures: NULL-terminated; free with scope_names_free(). */
char **scope_names(const struct scope *scope);
void scope_names_free(char **names);
DEFINE_AUTO(char **, scope_names_free)

#endif
