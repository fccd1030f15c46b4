#include "store/store_retention.h"

#include "store/store_statement.h"

static bool list_jobs(struct store *store, struct env_id id, struct retention_batch *batch,
		      struct error *err)
{
	AUTO(statement_release) sqlite3_stmt *statement = NULL;
	bool has_row;

	if (!statement_prepare(store, "SELECT id FROM jobs WHERE environment = ?", &statement, err,
			       "t", id.text))
		return false;
	for (;;) {
		if (!statement_step(store, statement, &has_row, err))
			return false;
		if (!has_row)
			return true;
		batch->jobs = xrealloc(batch->jobs, batch->job_count + 1, sizeof(*batch->jobs));
		batch->jobs[batch->job_count++] =
		    job_id_from((const char *)sqlite3_column_text(statement, 0));
	}
}

static bool list_environments(struct store *store, const struct retention *retention,
			      struct retention_batch *batch, struct error *err)
{
	AUTO(statement_release) sqlite3_stmt *statement = NULL;
	bool has_row;

	if (!statement_prepare(
		store,
		"SELECT id FROM environments WHERE state = 'destroyed'"
		/* Of what is still paid for, it is known what it was. */
		" AND id NOT IN (SELECT environment FROM owed WHERE settled_at = 0) AND (ended_at "
		"< ?1"
		" OR id IN (SELECT id FROM environments WHERE state = 'destroyed'"
		"           ORDER BY ended_at DESC, sequence DESC LIMIT -1 OFFSET ?2))"
		" ORDER BY ended_at, sequence LIMIT ?3",
		&statement, err, "iii", retention->before_ms, retention->newest_kept,
		(int64_t)RETENTION_BATCH_MAX))
		return false;
	while (batch->count < RETENTION_BATCH_MAX) {
		if (!statement_step(store, statement, &has_row, err))
			return false;
		if (!has_row)
			break;
		batch->environments[batch->count++] =
		    env_id_from((const char *)sqlite3_column_text(statement, 0));
	}
	return true;
}

bool store_retention_due(struct store *store, const struct retention *retention,
			 struct retention_batch *batch, struct error *err)
{
	bool done;

	*batch = (struct retention_batch){ .count = 0 };
	done = list_environments(store, retention, batch, err);
	for (size_t i = 0; done && i < batch->count; i++)
		done = list_jobs(store, batch->environments[i], batch, err);
	if (!done)
		retention_batch_release(batch);
	return done;
}

void retention_batch_release(struct retention_batch *batch)
{
	free(batch->jobs);
	*batch = (struct retention_batch){ .count = 0 };
}

bool store_retention_forget(struct store_tx *tx, const struct retention_batch *batch,
			    struct error *err)
{
	/* What refers to an environment goes before it: foreign keys are on. */
	static const char *const deletions[] = {
		"DELETE FROM owed WHERE environment = ?",
		"DELETE FROM proofs WHERE environment = ?",
		"DELETE FROM check_runs WHERE environment = ?",
		"DELETE FROM idempotency WHERE environment = ?",
		"DELETE FROM history WHERE environment = ?",
		"DELETE FROM jobs WHERE environment = ?",
		"DELETE FROM environments WHERE id = ?",
	};

	for (size_t i = 0; i < batch->count; i++)
		for (size_t d = 0; d < ARRAY_SIZE(deletions); d++)
			if (!statement_run(tx, deletions[d], NULL, err, "t",
					   batch->environments[i].text))
				return false;
	return true;
}

bool store_retention_prune_history(struct store_tx *tx, const struct retention *retention,
				   struct error *err)
{
	return statement_run(tx,
			     "DELETE FROM history WHERE at < ? AND (environment IS NULL OR NOT"
			     " EXISTS(SELECT 1 FROM environments e WHERE e.id = environment))",
			     NULL, err, "i", retention->before_ms);
}

bool store_retention_knows(struct store *store, const char *id, bool *known, struct error *err)
{
	int64_t count;

	if (!statement_number(store,
			      "SELECT (SELECT count(*) FROM environments WHERE id = ?1)"
			      " + (SELECT count(*) FROM jobs WHERE id = ?1)",
			      &count, err, "t", id))
		return false;
	*known = count > 0;
	return true;
}
