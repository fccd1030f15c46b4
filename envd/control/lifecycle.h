/*
 * lifecycle.h - the only place where an environment changes its state, its lease or its wish to
 * live.
 *
 * Every function runs inside a turn's transaction (control/turn.h); what is to be told or started
 * happens after its commit. The caller has been authenticated; permissions are checked here,
 * because here it is known whose environment it is.
 */
#ifndef ENVD_CONTROL_LIFECYCLE_H
#define ENVD_CONTROL_LIFECYCLE_H

#include "control/control.h"
#include "model/environment.h"
#include "model/permission.h"
#include "store/store_jobs.h"

enum { KEEP_DEFAULT = -1 };

struct create_request {
	const char *template_name;
	const struct template_checkout *checkout; /* of its git source; NULL: a folder's template */
	const char *name;                         /* NULL: made */
	const char *target; /* a name, or labels (model/target.h); NULL: as the template says */
	int64_t lease_ms;   /* -1: the template's default */
	const json_t *pins; /* object or NULL */
	const json_t *parameters;    /* object or NULL */
	const json_t *labels;        /* object of strings or NULL; at most 32, 256 bytes each */
	int64_t keep_ms;             /* kept so long if it fails; 0: not; KEEP_DEFAULT: as set */
	const char *trace_parent;    /* W3C traceparent of the caller; NULL or invalid: none */
	const char *idempotency_key; /* NULL: none; at most 200 bytes */
	const char *body_digest;     /* SHA-256 of the request body, with a key */
};

/* Accepts: the row is queued. `*is_replay` when the key had made it before. Errors: ERR_NOT_FOUND
 * "template_not_found", ERR_INVALID (component, version, parameter, lease, name), ERR_CONFLICT
 * "name_taken", ERR_INVALID "idempotency_key_reused", ERR_UNAVAILABLE "disk_low". */
NODISCARD bool lifecycle_create(struct control *control, struct store_tx *tx,
				const struct create_request *request, const struct caller *caller,
				struct env_id *id, bool *is_replay, struct error *err);

/* Longer by `more_ms`, or at least `more_ms` from now. ERR_GONE "lease_ended" with when and why;
 * ERR_CONFLICT "not_ready" before it is ready; ERR_INVALID "lease_out_of_range", "lease_too_long";
 * ERR_LIMIT "quota_lease". */
enum extend_kind { EXTEND_BY, EXTEND_AT_LEAST };
NODISCARD bool lifecycle_extend(struct control *control, struct store_tx *tx, struct env_id id,
				enum extend_kind kind, int64_t more_ms, const struct caller *caller,
				struct error *err);

/* Latch it absent because somebody asked. Asking again is fine, also when it is gone. */
NODISCARD bool lifecycle_destroy(struct control *control, struct store_tx *tx, struct env_id id,
				 const struct caller *caller, struct error *err);

/* It cannot be proved gone, and a person who may takes that on, by its name: stored as a proof of
 * its own kind, destroyed with reason "acknowledged". ERR_CONFLICT "not_quarantined" while there is
 * hope. */
NODISCARD bool lifecycle_acknowledge(struct control *control, struct store_tx *tx, struct env_id id,
				     const char *name, const struct caller *caller,
				     struct error *err);

/* What may have been left of one that was acknowledged is gone, or is somebody else's to pay: it
 * costs no more from now on. Asking again is fine. ERR_CONFLICT "not_acknowledged". */
NODISCARD bool lifecycle_settle(struct control *control, struct store_tx *tx, struct env_id id,
				const char *name, const struct caller *caller, struct error *err);

/* Ask for a check run of a ready environment. `suites`: array of "smoke" and "load"; `plan` NULL:
 * the template's. `run_id` gets the run. ERR_GONE, ERR_CONFLICT "not_ready". */
NODISCARD bool lifecycle_check(struct control *control, struct store_tx *tx, struct env_id id,
			       const json_t *suites, const json_t *plan,
			       const struct caller *caller, char run_id[ID_TEXT_SIZE],
			       struct error *err);

/* ---- for reconcile and the ends of jobs ---- */

NODISCARD bool lifecycle_apply(struct control *control, struct store_tx *tx, struct env_id id,
			       enum env_event event, const char *message, struct error *err);

/* Latch, and the step that goes with it. Nothing happens if it had fallen before. `failure` may be
 * NULL. */
NODISCARD bool lifecycle_unwant(struct control *control, struct store_tx *tx, struct env_id id,
				const char *reason, const char *message,
				const struct error *failure, struct error *err);

/* What was asked for did not come about. It is kept to be looked at if that was asked for, else
 * unwanted; evidence is taken either way, before anything is destroyed. */
NODISCARD bool lifecycle_fail(struct control *control, struct store_tx *tx, struct env_id id,
			      const char *reason, const struct error *failure, struct error *err);

/* envd is to take evidence of it, and a destroy waits for that as long as the settings say. Not an
 * error where no evidence is taken at all. */
NODISCARD bool lifecycle_want_evidence(struct control *control, struct store_tx *tx,
				       struct env_id id, struct error *err);

/* The same, because somebody asked. ERR_GONE when it is being destroyed or gone; ERR_CONFLICT
 * "evidence_off". */
NODISCARD bool lifecycle_ask_evidence(struct control *control, struct store_tx *tx,
				      struct env_id id, const struct caller *caller,
				      struct error *err);

/* There will be no evidence, and why; what waited for it goes on. */
NODISCARD bool lifecycle_give_up_evidence(struct control *control, struct store_tx *tx,
					  struct env_id id, const char *why, struct error *err);

/* The lease is over: as lifecycle_unwant(), but only if `expires_at_ms` still is the end. */
NODISCARD bool lifecycle_expire(struct control *control, struct store_tx *tx, struct env_id id,
				int64_t expires_at_ms, const char *message, struct error *err);

#endif
