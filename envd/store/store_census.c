#include "store/store_census.h"

#include "store/store_statement.h"

static bool each_row(struct store *store, sqlite3_stmt *statement, census_row on_row, void *arg,
		     struct error *err)
{
	bool has_row;

	for (;;) {
		if (!statement_step(store, statement, &has_row, err))
			return false;
		if (!has_row)
			return true;
		on_row(arg, (const char *)sqlite3_column_text(statement, 0),
		       sqlite3_column_int64(statement, 1));
	}
}

bool store_census_states(struct store *store, census_row on_row, void *arg, struct error *err)
{
	AUTO(statement_release) sqlite3_stmt *statement = NULL;

	return statement_prepare(store,
				 "SELECT state, sum(environments) FROM tallies"
				 " GROUP BY state HAVING sum(environments) > 0",
				 &statement, err, "") &&
	       each_row(store, statement, on_row, arg, err);
}

bool store_census_jobs(struct store *store, census_row on_row, void *arg, struct error *err)
{
	AUTO(statement_release) sqlite3_stmt *statement = NULL;

	return statement_prepare(store,
				 "SELECT kind, count(*) FROM jobs"
				 " WHERE state IN ('intent','running') GROUP BY kind",
				 &statement, err, "") &&
	       each_row(store, statement, on_row, arg, err);
}

bool store_census_prices(struct store *store, bool only_debts, census_row on_row, void *arg,
			 struct error *err)
{
	AUTO(statement_release) sqlite3_stmt *statement = NULL;

	return statement_prepare(store,
				 only_debts ? "SELECT currency, sum(price) FROM ("
					      "SELECT currency, price FROM environments"
					      " WHERE quarantined = 1 UNION ALL"
					      " SELECT currency, price FROM owed"
					      " WHERE acknowledged = 1 AND settled_at = 0)"
					      " GROUP BY currency"
					    : "SELECT currency, sum(price) FROM tallies"
					      " WHERE state <> 'queued' GROUP BY currency"
					      " HAVING sum(environments) > 0",
				 &statement, err, "") &&
	       each_row(store, statement, on_row, arg, err);
}

bool store_census_debts(struct store *store, int64_t *quarantined, int64_t *oldest_at_ms,
			struct error *err)
{
	return statement_number(store,
				"SELECT count(*) FROM environments"
				" WHERE quarantined = 1",
				quarantined, err, "") &&
	       statement_number(store,
				"SELECT min(unwanted_at) FROM environments"
				" WHERE desired = 'absent' AND state <> 'destroyed'",
				oldest_at_ms, err, "");
}

bool store_census_targets(struct store *store, int64_t *dirty, int64_t *oldest_at_ms,
			  struct error *err)
{
	return statement_number(store, "SELECT count(*) FROM targets WHERE condition <> 'clean'",
				dirty, err, "") &&
	       statement_number(store, "SELECT min(since) FROM targets WHERE condition <> 'clean'",
				oldest_at_ms, err, "");
}
