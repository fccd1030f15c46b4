/*
 * store_history.h - what happened, append only. The row's number is the id of server-sent events.
 */
#ifndef ENVD_STORE_STORE_HISTORY_H
#define ENVD_STORE_STORE_HISTORY_H

#include "model/environment.h"
#include "store/store.h"

/* Kinds; stored and sent to clients: never change one. */
#define HISTORY_STATE "state"
#define HISTORY_PROGRESS "progress"
#define HISTORY_LAYER "layer"
#define HISTORY_WARNING "warning"
#define HISTORY_CHECK "check"
#define HISTORY_LEASE "lease"
#define HISTORY_JOB "job"
#define HISTORY_SWEEP "sweep"
#define HISTORY_EVIDENCE "evidence"
#define HISTORY_MONEY "money"

struct history_entry {
	const char *kind;
	const char *event; /* of the state table, or NULL */
	const char *state; /* after it, or NULL */
	const char *message;
	const json_t *data; /* or NULL */
};

/* `id` NULL: about the service itself. */
NODISCARD bool store_history_append(struct store_tx *tx, const struct env_id *id, int64_t at_ms,
				    const struct history_entry *entry, struct error *err);

struct history_row {
	int64_t n;
	int64_t at_ms;
	struct env_id environment; /* text "" when about the service */
	char *name;                /* of the environment; "" likewise */
	char *project;             /* its own; "" likewise */
	char *kind;
	char *event; /* may be NULL */
	char *state; /* may be NULL */
	char *message;
	json_t *data; /* may be NULL */
};
struct history_list {
	struct history_row *rows;
	size_t count;
};
/* Rows with n > after, oldest first; `id` NULL: of all. */
NODISCARD bool store_history_list(struct store *store, const struct env_id *id, int64_t after,
				  int64_t limit, struct history_list *list, struct error *err);
void history_list_release(struct history_list *list);
static inline void auto_history_list_release(struct history_list *list)
{
	history_list_release(list);
}

/* Number of the newest row; 0 when there is none. */
NODISCARD bool store_history_newest(struct store *store, int64_t *n, struct error *err);

#endif
