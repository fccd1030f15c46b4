/*
 * store_audit.h - who changed what, from where: append only, by trigger. The newest 100,000 rows
 * are kept, and only older ones can be removed (a few hundred at a time).
 */
#ifndef ENVD_STORE_STORE_AUDIT_H
#define ENVD_STORE_STORE_AUDIT_H

#include "base/json_read.h"
#include "store/store.h"

struct audit_entry {
	int64_t at_ms;
	const char *who;      /* "" when nobody knows */
	const char *role;     /* "admin"; "none" */
	const char *project;  /* "" when nobody knows */
	const char *token;    /* its id; "" without one */
	const char *from;     /* address, or "unix" */
	const char *request;  /* id of the request; "" */
	const char *action;   /* "create", "token revoke", "failed logins" */
	const char *subject;  /* id of the environment or token; "" */
	const json_t *detail; /* or NULL */
};

/* Removes what is too old, too. */
NODISCARD bool store_audit_append(struct store_tx *tx, const struct audit_entry *entry,
				  struct error *err);

/* Newest first, `after` 0 from the start. A new array of JSON objects, new reference; `*last` is
 * the number of the last one. */
NODISCARD bool store_audit_list(struct store *store, int64_t after, int64_t limit, json_t **items,
				int64_t *last, struct error *err);

#endif
