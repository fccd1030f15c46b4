#include "store/store_tally.h"

#include "store/store_statement.h"

/* A new one is near the end of the queue; an old one is near its beginning. */
enum { NEAR = 256 };

bool store_tally_open(struct store *store, int64_t *count, struct error *err)
{
	return statement_number(store, "SELECT sum(environments) FROM tallies", count, err, "");
}

bool store_tally_target(struct store *store, const char *target, struct target_use *use,
			struct error *err)
{
	AUTO(statement_release) sqlite3_stmt *statement = NULL;
	bool has_row;

	if (!statement_prepare(store,
			       "SELECT total(environments), total(memory) FROM tallies"
			       " WHERE target = ? AND state <> 'queued'",
			       &statement, err, "t", target) ||
	    !statement_step(store, statement, &has_row, err))
		return false;
	use->environments = sqlite3_column_int64(statement, 0);
	use->memory_bytes = sqlite3_column_int64(statement, 1);
	return true;
}

bool store_tally_project(struct store *store, const char *project, int64_t since_ms,
			 struct quota_use *use, struct error *err)
{
	AUTO(statement_release) sqlite3_stmt *statement = NULL;
	bool has_row;

	if (!statement_number(
		store, "SELECT count(*) FROM environments WHERE project = ? AND created_at > ?",
		&use->creates_last_hour, err, "ti", project, since_ms) ||
	    !statement_prepare(
		store,
		"SELECT total(environments), total(memory), total(price) FROM tallies"
		" WHERE project = ?",
		&statement, err, "t", project) ||
	    !statement_step(store, statement, &has_row, err))
		return false;
	use->environments = sqlite3_column_int64(statement, 0);
	use->memory_bytes = sqlite3_column_int64(statement, 1);
	use->microcents_per_hour = sqlite3_column_int64(statement, 2);
	return true;
}

static bool count_queued(struct store *store, int64_t from, int64_t to, int64_t most,
			 int64_t *count, struct error *err)
{
	return statement_number(store,
				"SELECT count(*) FROM (SELECT 1 FROM environments WHERE state = "
				"'queued' AND sequence >= ? AND sequence < ? LIMIT ?)",
				count, err, "iii", from, to, most);
}

static bool count_from_an_end(struct store *store, int64_t sequence, int64_t *before,
			      struct error *err)
{
	int64_t from_it, all;

	if (!count_queued(store, sequence, INT64_MAX, NEAR, &from_it, err))
		return false;
	if (from_it == NEAR)
		return count_queued(store, 0, sequence, INT64_MAX, before, err);
	if (!statement_number(store, "SELECT sum(environments) FROM tallies WHERE state = 'queued'",
			      &all, err, ""))
		return false;
	*before = all - from_it;
	return true;
}

bool store_tally_queued_before(struct store *store, int64_t sequence, struct queue_cursor *cursor,
			       int64_t *before, struct error *err)
{
	int64_t between;

	if (cursor->sequence > sequence) {
		if (!count_queued(store, sequence, cursor->sequence, INT64_MAX, &between, err))
			return false;
		*before = cursor->before - between;
	} else if (!count_from_an_end(store, sequence, before, err)) {
		return false;
	}
	*cursor = (struct queue_cursor){ sequence, *before };
	return true;
}
