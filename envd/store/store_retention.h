/*
 * store_retention.h - how long what has ended is remembered. Only rows of environments that were
 * proved gone are ever forgotten; a trigger of the schema refuses the others.
 */
#ifndef ENVD_STORE_STORE_RETENTION_H
#define ENVD_STORE_STORE_RETENTION_H

#include "base/ids.h"
#include "store/store.h"

struct retention {
	int64_t before_ms;   /* wall clock: what ended before this is forgotten */
	int64_t newest_kept; /* at most so many ended ones are kept, however young */
};

enum { RETENTION_BATCH_MAX = 64 };

struct retention_batch {
	struct env_id environments[RETENTION_BATCH_MAX];
	size_t count;
	struct job_id *jobs; /* of these environments: each may have a folder */
	size_t job_count;
};

/* The oldest that are due, at most RETENTION_BATCH_MAX. */
NODISCARD bool store_retention_due(struct store *store, const struct retention *retention,
				   struct retention_batch *batch, struct error *err);
void retention_batch_release(struct retention_batch *batch);

/* Everything that is stored about them goes: proofs, jobs, checks, keys, history. */
NODISCARD bool store_retention_forget(struct store_tx *tx, const struct retention_batch *batch,
				      struct error *err);
/* History of what is not on record: sweeps, and orphans that they removed. */
NODISCARD bool store_retention_prune_history(struct store_tx *tx, const struct retention *retention,
					     struct error *err);

/* Is this folder's environment or job on record? */
NODISCARD bool store_retention_knows(struct store *store, const char *id, bool *known,
				     struct error *err);

#endif
