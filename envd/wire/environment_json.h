/*
 * environment_json.h - an environment as clients see it.
 *
 * { "apiVersion":"envd/v1", "kind":"Environment", "id", "name", "sequence", "template",
 *   "template_digest", "source": null or {"name","repository","ref","commit"}, "engine", "target",
 *   "owner", "labels", "desired", "state", "reason", "message", "error", "pins", "parameters",
 *   "created_at", "provisioning_at", "ready_at", "expires_at", "grace_until", "hard_wall_at",
 *   "ended_at", "lease_seconds", "clocks": {"queued_ms","provisioning_ms","lease_left_ms"},
 *   "queue_position", "holders": [{"target","environment","owner","state","since","until"}],
 *   "attempts", "next_try_at", "quarantined", "blocked_by", "outputs",
 * "services", "checks", "cost", "proofs", "kept": {"seconds","maximum_seconds","since","until"} or
 * null: to be looked at if it fails, "evidence": {"state","taken_at","bytes"} }
 *
 * Times are RFC 3339 UTC, and null while they have not come; "lease_left_ms" is null until the
 * lease runs. Every field is always there.
 */
#ifndef ENVD_WIRE_ENVIRONMENT_JSON_H
#define ENVD_WIRE_ENVIRONMENT_JSON_H

#include "base/json_write.h"
#include "model/environment.h"
#include "model/lease.h"

/* What is not in the record. */
struct environment_view {
	struct lease_now now;
	int64_t queue_position; /* 0: it does not queue */
	const char *waits_for;  /* why it queues, a sentence; NULL: it does not, or is next */
	const json_t *holders;  /* who has what it waits for; NULL: nobody */
	const json_t *proofs;   /* [{"kind","at_ms","detail"}]; NULL: none */
};

void environment_write(struct json_writer *json, const struct environment *environment,
		       const struct environment_view *view);
/* The same as a value. New reference. */
json_t *environment_json(const struct environment *environment,
			 const struct environment_view *view);

/* {"expires_at","grace_until","hard_wall_at","lease_seconds","lease_left_ms","maximum_seconds"}:
 * the lease alone. New reference. */
json_t *environment_lease_json(const struct environment *environment, const struct lease_now *now);

/* RFC 3339, or null for 0. New reference. */
json_t *time_json(int64_t at_ms);

#endif
