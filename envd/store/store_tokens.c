#include "store/store_tokens.h"

#include "store/store_statement.h"

#define COLUMNS                                                                                    \
	"n, id, digest, name, project, role, created_by, created_at, expires_at, last_used_at, "   \
	"revoked_at"

#define FORGET_AFTER_MS (INT64_C(90) * 24 * 3600000)

static void copy(sqlite3_stmt *statement, int column, char *into, size_t size)
{
	snprintf(into, size, "%s", (const char *)sqlite3_column_text(statement, column));
}

static bool read_row(sqlite3_stmt *statement, struct token_row *row, struct error *err)
{
	*row = (struct token_row){ .n = sqlite3_column_int64(statement, 0) };
	copy(statement, 1, row->id, sizeof(row->id));
	copy(statement, 2, row->digest, sizeof(row->digest));
	copy(statement, 3, row->name, sizeof(row->name));
	copy(statement, 4, row->project, sizeof(row->project));
	if (!role_parse((const char *)sqlite3_column_text(statement, 5), &row->role, err))
		return error_wrap(err, "token %s", row->id);
	copy(statement, 6, row->created_by, sizeof(row->created_by));
	row->created_at_ms = sqlite3_column_int64(statement, 7);
	row->expires_at_ms = sqlite3_column_int64(statement, 8);
	row->last_used_at_ms = sqlite3_column_int64(statement, 9);
	row->revoked_at_ms = sqlite3_column_int64(statement, 10);
	return true;
}

static bool make_room(struct store_tx *tx, int64_t now_ms, struct error *err)
{
	int64_t count;

	if (!statement_run(tx,
			   "DELETE FROM tokens WHERE expires_at < ?1"
			   " OR (revoked_at > 0 AND revoked_at < ?1)",
			   NULL, err, "i", now_ms - FORGET_AFTER_MS) ||
	    !statement_number(tx->store, "SELECT count(*) FROM tokens", &count, err, ""))
		return false;
	return count < TOKENS_MAX ||
	       error_set_as(err, ERR_LIMIT, "token_limit",
			    "there are %lld tokens already, and %d may be known at once",
			    (long long)count, TOKENS_MAX);
}

bool store_token_insert(struct store_tx *tx, const struct token_row *row, struct error *err)
{
	struct token_row other;
	bool is_taken;

	if (!make_room(tx, row->created_at_ms, err) ||
	    !store_token_find(tx->store, row->id, &other, &is_taken, err))
		return false;
	if (is_taken)
		return error_set_as(err, ERR_CONFLICT, "token_exists",
				    "the id %s, made at random, is taken: try again", row->id);
	return statement_run(tx,
			     "INSERT INTO tokens(id, digest, name, project, role, created_by, "
			     "created_at, expires_at) VALUES (?,?,?,?,?,?,?,?)",
			     NULL, err, "ttttttii", row->id, row->digest, row->name, row->project,
			     role_name(row->role), row->created_by, row->created_at_ms,
			     row->expires_at_ms);
}

bool store_token_find(struct store *store, const char *id, struct token_row *row, bool *found,
		      struct error *err)
{
	AUTO(statement_release) sqlite3_stmt *statement = NULL;

	return statement_prepare(store, "SELECT " COLUMNS " FROM tokens WHERE id = ?", &statement,
				 err, "t", id) &&
	       statement_step(store, statement, found, err) &&
	       (!*found || read_row(statement, row, err));
}

bool store_token_list(struct store *store, int64_t after, int64_t limit, struct token_row *rows,
		      size_t *count, struct error *err)
{
	AUTO(statement_release) sqlite3_stmt *statement = NULL;
	bool has_row;

	*count = 0;
	if (!statement_prepare(store,
			       "SELECT " COLUMNS " FROM tokens WHERE ?1 = 0 OR n < ?1"
			       " ORDER BY n DESC LIMIT ?2",
			       &statement, err, "ii", after, limit))
		return false;
	for (;;) {
		if (!statement_step(store, statement, &has_row, err))
			return false;
		if (!has_row)
			return true;
		if (!read_row(statement, &rows[*count], err))
			return false;
		*count += 1;
	}
}

bool store_token_revoke(struct store_tx *tx, const char *id, int64_t now_ms, struct error *err)
{
	return statement_run(tx, "UPDATE tokens SET revoked_at = ? WHERE id = ? AND revoked_at = 0",
			     NULL, err, "it", now_ms, id);
}

bool store_token_set_used(struct store_tx *tx, const char *id, int64_t now_ms, struct error *err)
{
	return statement_run(tx, "UPDATE tokens SET last_used_at = ? WHERE id = ?", NULL, err, "it",
			     now_ms, id);
}
