/*
 * environment.h - what we know about one environment: the record that the store keeps, reconcile
 * decides on and clients see. Plain data; nothing here does anything.
 */
#ifndef ENVD_MODEL_ENVIRONMENT_H
#define ENVD_MODEL_ENVIRONMENT_H

#include <stdint.h>

#include "base/ids.h"
#include "base/json_read.h"
#include "model/env_state.h"

/* A one-way latch: once absent, nothing builds it again. */
enum env_desired { DESIRED_PRESENT, DESIRED_ABSENT };

/* Why it is going or gone. Stored and sent to clients: never change a name. */
#define REASON_REQUESTED "requested"
#define REASON_LEASE_ENDED "lease_ended"
#define REASON_HARD_WALL "hard_wall"
#define REASON_QUEUE_TIMEOUT "queue_timeout"
#define REASON_CREATE_FAILED "create_failed"
#define REASON_CHECK_FAILED "check_failed"
#define REASON_CHECK_INCONCLUSIVE "check_inconclusive"
#define REASON_ACKNOWLEDGED "acknowledged"

// clang-format off
/* The names on the right are stored and sent to clients: never change one. */
#define EVIDENCE_STATES(X)                                                                         \
	X(EVIDENCE_NONE,     "none")                                                               \
	X(EVIDENCE_WANTED,   "wanted")   /* envd is to take it, or takes it */                     \
	X(EVIDENCE_TAKEN,    "taken")                                                              \
	X(EVIDENCE_GIVEN_UP, "given_up") /* history says why */
// clang-format on

enum evidence {
#define X(evidence, name) evidence,
	EVIDENCE_STATES(X)
#undef X
	    EVIDENCE_COUNT
};

/* What is JSON in the record. */
enum environment_document {
	DOCUMENT_SOURCE,
	DOCUMENT_ERROR,
	DOCUMENT_LABELS,
	DOCUMENT_PINS,
	DOCUMENT_PARAMETERS,
	DOCUMENT_OUTPUTS,
	DOCUMENT_ADDRESSES,
	DOCUMENT_SERVICES,
	DOCUMENT_LOCK,
	DOCUMENT_BLOCKED_BY,
	DOCUMENT_COUNT
};

struct environment {
	struct env_id id;
	int64_t sequence; /* grows by one per environment of this installation; in every label */
	char *name;
	char *owner;
	char *project;
	char *template_name;
	char *
	    template_folder; /* where it was accepted from; the snapshot lies in the env's folder */
	char *template_digest;
	json_t *source; /* {"name","repository","ref","commit"} of a git source; NULL: a folder */
	bool is_trusted;
	char *engine;
	/* What it is built on. While it is queued, the first that would do: it is settled by the
	 * claim, in the transaction that grants the slot. */
	char *target;
	json_t *wishes;        /* which targets would do (model/target.h); NULL: any */
	json_t *targets_tried; /* ["aws-1"] that had no capacity for it; NULL: none */

	enum env_desired desired;
	enum env_state state;
	int64_t
	    generation; /* grows when the latch falls: a destroy proves nothing for an older one */
	char *reason;   /* one of REASON_*, or NULL */
	char *message;  /* a sentence for people; may be "" */
	json_t *error;  /* {"code","slug","message","hint"} or NULL */

	json_t *labels;
	json_t *pins;
	json_t *parameters;
	json_t *outputs;   /* {} until created */
	json_t *addresses; /* [] until created */
	json_t *services;  /* [] until created */
	json_t *lock;      /* NULL until created */

	int64_t created_at_ms;
	int64_t provisioning_at_ms; /* 0: not yet; likewise below */
	int64_t ready_at_ms;
	int64_t expires_at_ms; /* 0 until ready: queueing and building burn no lease */
	/* Set once, when the lease ended with nobody there to extend it; `expires_at_ms` is as
	 * long then. */
	int64_t grace_until_ms;
	int64_t unwanted_at_ms;
	int64_t ended_at_ms;
	int64_t hard_wall_at_ms; /* fixed at the request, stamped on everything that is made */
	int64_t queue_limit_ms;
	int64_t provision_limit_ms;
	int64_t lease_ms;
	int64_t lease_maximum_ms;
	/* The end of the lease on CLOCK_BOOTTIME of that boot, so that a wall clock that jumps does
	 * not end it (model/lease.h). */
	int64_t expires_boot_ms;
	char boot_id[40];

	int64_t attempts; /* of what is being tried now: builds, later destroys */
	int64_t attempts_max;
	int64_t next_try_at_ms;
	bool is_unknown;     /* the last engine operation ended without a result: recover first */
	bool is_quarantined; /* destroying keeps failing; still being tried */
	json_t *blocked_by;  /* ["container abc: reason"]; [] */

	char *check_run;     /* the newest, or NULL */
	char *check_verdict; /* "passed", "failed", "inconclusive", or NULL */
	bool has_checks;

	char *trace_parent;                /* of the caller's trace (W3C), or NULL */
	int64_t memory_bytes;              /* that its template declares; 0: it does not say */
	int64_t price_microcents_per_hour; /* the high end of its quote: what is counted */
	int64_t price_low_microcents_per_hour;
	char *currency;
	char *prices_as_of;       /* the oldest book of its quote, "2026-11-01"; NULL: of none */
	bool prices_are_examples; /* nobody's offer */
	/* Of one that was acknowledged: when somebody said that it costs no more; -1: nobody has;
	 * 0: it has no price, or was not acknowledged. */
	int64_t settled_at_ms;
	json_t *quote; /* as it was accepted (wire/quote_json.h); only when it is inserted */

	/* Somebody asked to look at it should it fail: for how long, and at most. 0: nobody did. */
	int64_t keep_ms;
	int64_t keep_maximum_ms;
	int64_t kept_at_ms; /* since when it is kept (state failed); 0: it is not */

	/* The bundle that tells what was there; a field, not a state, so that nothing waits for it
	 * longer than `evidence_until_ms`. */
	enum evidence evidence;
	int64_t evidence_until_ms; /* wanted: given up then */
	int64_t evidence_at_ms;    /* taken: when, and how much of it there is */
	int64_t evidence_bytes;

	/* Of one that is read only to be shown: its documents as they are stored, each NULL if
	 * there is none, and the parsed ones above are NULL. */
	bool is_unparsed;
	char *stored[DOCUMENT_COUNT];
};

struct environment *environment_new(void);
void environment_free(struct environment *environment);
DEFINE_AUTO(struct environment *, environment_free)

const char *env_desired_name(enum env_desired desired);

const char *evidence_name(enum evidence evidence);
/* EVIDENCE_NONE for a name that we did not store. */
enum evidence evidence_parse(const char *name);

#endif
