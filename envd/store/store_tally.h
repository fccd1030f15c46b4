/*
 * store_tally.h - how many environments there are, and what they need and cost together: kept by
 * triggers beside the rows, so that counting costs the same with ten as with a hundred thousand.
 */
#ifndef ENVD_STORE_STORE_TALLY_H
#define ENVD_STORE_STORE_TALLY_H

#include "model/quota.h"
#include "store/store.h"

/* Not destroyed, queued ones too: as long as there are any, something is owed. */
NODISCARD bool store_tally_open(struct store *store, int64_t *count, struct error *err);

struct target_use {
	int64_t environments; /* neither destroyed nor queued */
	int64_t memory_bytes; /* what those need together */
};
NODISCARD bool store_tally_target(struct store *store, const char *target, struct target_use *use,
				  struct error *err);

/* What a project has now; `since_ms`: an hour ago. */
NODISCARD bool store_tally_project(struct store *store, const char *project, int64_t since_ms,
				   struct quota_use *use, struct error *err);

/*
 * Queued ones before this sequence. `cursor` (zeroed at first) remembers the last answer: for the
 * items of a page, newest first, each answer is found from the one before.
 */
struct queue_cursor {
	int64_t sequence; /* 0: nothing yet */
	int64_t before;
};
NODISCARD bool store_tally_queued_before(struct store *store, int64_t sequence,
					 struct queue_cursor *cursor, int64_t *before,
					 struct error *err);

#endif
