#include "store/store_spending.h"

#include "model/cost.h"
#include "store/store_statement.h"

/* Where the tally of debts begins, as in store_schema.c. */
#define SINCE_MS INT64_C(1577836800000)

bool store_spending_charged(struct store *store, const char *project, const char *currency,
			    struct month month, int64_t *microcents, struct error *err)
{
	char text[MONTH_TEXT_SIZE];

	return statement_number(store,
				"SELECT sum(charged) FROM spending"
				" WHERE project = ? AND currency = ? AND month = ?",
				microcents, err, "ttt", project, currency,
				month_format(month, text));
}

/* Of what is owed since an earlier month and was not charged to it yet, the part that is not this
 * month's: nothing, except between the beginning of a month and the first create in it. */
static bool before_this_month(struct store *store, const char *project, const char *currency,
			      int64_t now_ms, int64_t *microcents, struct error *err)
{
	AUTO(statement_release) sqlite3_stmt *statement = NULL;
	int64_t begin = month_begin_ms(month_of(now_ms));
	bool has_row;

	*microcents = 0;
	if (!statement_prepare(store,
			       "SELECT price, counted_until FROM owed INDEXED BY owed_counted"
			       " WHERE settled_at = 0 AND counted_until < ?"
			       " AND project = ? AND currency = ?",
			       &statement, err, "itt", begin, project, currency))
		return false;
	for (;;) {
		if (!statement_step(store, statement, &has_row, err))
			return false;
		if (!has_row)
			return true;
		*microcents =
		    money_add(*microcents, cost_for(sqlite3_column_int64(statement, 0),
						    begin - sqlite3_column_int64(statement, 1)));
	}
}

bool store_spending_owed(struct store *store, const char *project, const char *currency,
			 int64_t now_ms, struct owed_sum *sum, struct error *err)
{
	AUTO(statement_release) sqlite3_stmt *statement = NULL;
	int64_t since, older;
	bool has_row;

	*sum = (struct owed_sum){ 0, 0 };
	if (!statement_prepare(store,
			       "SELECT rate, base FROM owing WHERE project = ? AND currency = ?",
			       &statement, err, "tt", project, currency) ||
	    !statement_step(store, statement, &has_row, err))
		return false;
	if (!has_row)
		return true;
	sum->microcents_per_hour = sqlite3_column_int64(statement, 0);
	since = cost_for(sum->microcents_per_hour, now_ms > SINCE_MS ? now_ms - SINCE_MS : 0) -
		sqlite3_column_int64(statement, 1);
	if (!before_this_month(store, project, currency, now_ms, &older, err))
		return false;
	since -= older;
	sum->microcents = since > 0 ? since : 0; /* half a microcent of rounding each */
	return true;
}

bool store_spending_count_debts(struct store_tx *tx, int64_t at_ms, struct error *err)
{
	int64_t oldest;

	if (!statement_number(tx->store,
			      "SELECT min(counted_until) FROM owed INDEXED BY owed_counted"
			      " WHERE settled_at = 0",
			      &oldest, err, ""))
		return false;
	if (!oldest || oldest >= at_ms)
		return true;
	return statement_run(tx,
			     "UPDATE owed SET counted_until = ?1"
			     " WHERE settled_at = 0 AND counted_until < ?1",
			     NULL, err, "i", at_ms);
}

bool store_spending_settle(struct store_tx *tx, struct env_id id, int64_t at_ms, bool *was_owed,
			   struct error *err)
{
	int64_t changed;

	if (!statement_run(tx,
			   "UPDATE owed SET counted_until = max(counted_until, ?)"
			   " WHERE environment = ? AND acknowledged = 1 AND settled_at = 0",
			   NULL, err, "it", at_ms, id.text) ||
	    !statement_run(tx,
			   "UPDATE owed SET settled_at = ?"
			   " WHERE environment = ? AND acknowledged = 1 AND settled_at = 0",
			   &changed, err, "it", at_ms, id.text))
		return false;
	*was_owed = changed > 0;
	return true;
}

/* ---- for people ---- */

static const char *text_of(sqlite3_stmt *statement, int column)
{
	return (const char *)sqlite3_column_text(statement, column);
}

bool store_spending_each(struct store *store, const char *project, struct month month,
			 spending_on_row on_row, void *arg, struct error *err)
{
	AUTO(statement_release) sqlite3_stmt *statement = NULL;
	char text[MONTH_TEXT_SIZE];
	bool has_row;

	if (!statement_prepare(store,
			       "SELECT project, currency, template, charged FROM spending"
			       " WHERE month = ?1 AND (?2 IS NULL OR project = ?2)"
			       " ORDER BY project, currency, charged DESC, template",
			       &statement, err, "tt", month_format(month, text), project))
		return false;
	for (;;) {
		struct spending_row row;

		if (!statement_step(store, statement, &has_row, err))
			return false;
		if (!has_row)
			return true;
		row = (struct spending_row){ text_of(statement, 0), text_of(statement, 1),
					     text_of(statement, 2),
					     sqlite3_column_int64(statement, 3) };
		on_row(arg, &row);
	}
}

bool store_spending_live(struct store *store, const char *project, spending_on_live on_row,
			 void *arg, struct error *err)
{
	AUTO(statement_release) sqlite3_stmt *statement = NULL;
	bool has_row;

	/* Of all that ever was, only what lives is looked at. */
	if (!statement_prepare(store,
			       "SELECT project, currency, template, state = 'queued', price,"
			       " charge_from, charge_until"
			       " FROM environments INDEXED BY environments_walls"
			       " WHERE desired = 'present' AND price > 0"
			       " AND (?1 IS NULL OR project = ?1)",
			       &statement, err, "t", project))
		return false;
	for (;;) {
		struct live_row row;

		if (!statement_step(store, statement, &has_row, err))
			return false;
		if (!has_row)
			return true;
		row = (struct live_row){ text_of(statement, 0),
					 text_of(statement, 1),
					 text_of(statement, 2),
					 sqlite3_column_int(statement, 3),
					 { sqlite3_column_int64(statement, 4),
					   sqlite3_column_int64(statement, 5),
					   sqlite3_column_int64(statement, 6) } };
		on_row(arg, &row);
	}
}

bool store_spending_debts(struct store *store, const char *project, int64_t now_ms,
			  spending_on_owed on_row, void *arg, struct error *err)
{
	AUTO(statement_release) sqlite3_stmt *statement = NULL;
	bool has_row;

	if (!statement_prepare(store,
			       "SELECT o.environment, e.name, o.project, o.currency, o.template,"
			       " o.acknowledged, e.quarantined, o.since, o.price, o.counted_until"
			       " FROM owed o JOIN environments e ON e.id = o.environment"
			       " WHERE o.settled_at = 0 AND (?1 IS NULL OR o.project = ?1) ORDER "
			       "BY o.project, o.since",
			       &statement, err, "t", project))
		return false;
	for (;;) {
		struct owed_row row;

		if (!statement_step(store, statement, &has_row, err))
			return false;
		if (!has_row)
			return true;
		row = (struct owed_row){ env_id_from(text_of(statement, 0)),
					 text_of(statement, 1),
					 text_of(statement, 2),
					 text_of(statement, 3),
					 text_of(statement, 4),
					 sqlite3_column_int(statement, 5),
					 sqlite3_column_int(statement, 6),
					 sqlite3_column_int64(statement, 7),
					 { sqlite3_column_int64(statement, 8),
					   sqlite3_column_int64(statement, 9), now_ms } };
		on_row(arg, &row);
	}
}
