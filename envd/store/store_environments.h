/*
 * store_environments.h - rows of environments. Reads take the store, changes a transaction. A
 * change names the state it comes from, so that envd and the reaper can share the file: whoever
 * comes second gets ERR_CONFLICT or ERR_GONE instead of overwriting.
 */
#ifndef ENVD_STORE_STORE_ENVIRONMENTS_H
#define ENVD_STORE_STORE_ENVIRONMENTS_H

#include "model/environment.h"
#include "model/lease.h"
#include "store/store.h"

/* New row. Fills in `sequence`. ERR_CONFLICT "name_taken" when a live environment has the name. */
NODISCARD bool store_environment_insert(struct store_tx *tx, struct environment *environment,
					struct error *err);

/* By id or name; a destroyed one answers by id, and by name when no live one has it (the newest).
 * ERR_NOT_FOUND "environment_not_found". New object. */
NODISCARD bool store_environment_find(struct store *store, const char *name_or_id,
				      struct environment **environment, struct error *err);
NODISCARD bool store_environment_read(struct store *store, struct env_id id,
				      struct environment **environment, struct error *err);

/* With its documents as they are stored, unparsed (model/environment.h): to show it, and where no
 * document counts, which is almost every decision. Those of lists are, too. */
NODISCARD bool store_environment_show(struct store *store, struct env_id id,
				      struct environment **environment, struct error *err);

/* A list: newest first, `after_sequence` 0 from the start, else strictly older ones. */
struct environment_filter {
	const char *state; /* NULL: any */
	const char *owner;
	const char *project;
	const char *template_name;
	const char *label_key; /* with label_value */
	const char *label_value;
	bool with_destroyed;
	int64_t after_sequence;
	int64_t limit; /* at most 500 */
};
/* Return false, with an error, to end it. */
typedef bool (*environment_row)(void *arg, const struct environment *environment,
				struct error *err);
NODISCARD bool store_environment_list(struct store *store, const struct environment_filter *filter,
				      environment_row on_row, void *arg, struct error *err);

/* The compare-and-set of a step; only lifecycle.c calls it. */
NODISCARD bool store_environment_move(struct store_tx *tx, struct env_id id, enum env_state from,
				      enum env_state to, int64_t now_ms, struct error *err);

/* desired: present -> absent, generation + 1. `*fell` false when it had fallen before. */
NODISCARD bool store_environment_latch(struct store_tx *tx, struct env_id id, const char *reason,
				       const char *message, const struct error *failure,
				       int64_t now_ms, bool *fell, struct error *err);

/* One conditional update each: the first commit wins. `*done` false when the other won. */
NODISCARD bool store_environment_expire(struct store_tx *tx, struct env_id id,
					int64_t expires_at_ms, int64_t now_ms, bool *done,
					struct error *err);
struct lease_change {
	int64_t expires_at_ms;
	int64_t expires_boot_ms;
	const char *boot_id;
};
NODISCARD bool store_environment_extend(struct store_tx *tx, struct env_id id,
					const struct lease_change *change, bool *done,
					struct error *err);
/* Once: a second one is not `*done`. */
NODISCARD bool store_environment_grant_grace(struct store_tx *tx, struct env_id id,
					     const struct lease_change *change, bool *done,
					     struct error *err);

/* Facts that go with a step. */
NODISCARD bool store_environment_set_created(struct store_tx *tx, struct env_id id,
					     const json_t *data, struct error *err);
NODISCARD bool store_environment_set_lease(struct store_tx *tx, struct env_id id,
					   const struct lease_change *change, struct error *err);
struct try_change {
	int64_t attempts;
	int64_t next_try_at_ms;
	bool is_unknown;
	bool is_quarantined;
	const json_t *blocked_by;    /* NULL: [] */
	const struct error *failure; /* NULL: none */
	const char *message;         /* NULL: "" */
};
NODISCARD bool store_environment_set_try(struct store_tx *tx, struct env_id id,
					 const struct try_change *change, struct error *err);
NODISCARD bool store_environment_set_check(struct store_tx *tx, struct env_id id, const char *run,
					   const char *verdict, struct error *err);

NODISCARD bool store_environment_set_reason(struct store_tx *tx, struct env_id id,
					    const char *reason, struct error *err);

/* It failed and is kept: why, while it is still wanted. */
NODISCARD bool store_environment_keep(struct store_tx *tx, struct env_id id, const char *reason,
				      const char *message, const struct error *failure,
				      int64_t now_ms, struct error *err);

/* Evidence: to be taken until then; how that ended. */
NODISCARD bool store_environment_want_evidence(struct store_tx *tx, struct env_id id,
					       int64_t until_ms, struct error *err);
NODISCARD bool store_environment_set_evidence(struct store_tx *tx, struct env_id id,
					      enum evidence evidence, int64_t at_ms, int64_t bytes,
					      struct error *err);
NODISCARD bool store_environment_set_next_try(struct store_tx *tx, struct env_id id, int64_t at_ms,
					      struct error *err);

/* Proofs of the end, in the order in which they were stored:
 * [{"kind","at_ms","detail":{...}}]. */
NODISCARD bool store_proof_add(struct store_tx *tx, struct env_id id, const char *kind,
			       int64_t at_ms, const json_t *detail, struct error *err);
NODISCARD bool store_proofs(struct store *store, struct env_id id, json_t **proofs,
			    struct error *err);

/* Idempotency: one (owner, key) is one environment for as long as the record lives. */
NODISCARD bool store_idempotency_find(struct store *store, const char *owner, const char *key,
				      bool *found, struct env_id *id, char body_digest[65],
				      struct error *err);
NODISCARD bool store_idempotency_add(struct store_tx *tx, const char *owner, const char *key,
				     struct env_id id, const char *body_digest, struct error *err);

/* Every environment ever, for the bill. */
NODISCARD bool store_environments_each(struct store *store, environment_row on_row, void *arg,
				       struct error *err);

/* As it was accepted; `*quote` NULL: its template has an amount an hour and no components. New
 * reference. */
NODISCARD bool store_environment_quote(struct store *store, struct env_id id, json_t **quote,
				       struct error *err);

#endif
