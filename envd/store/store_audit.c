#include "store/store_audit.h"

#include "base/clock.h"
#include "store/store_statement.h"

enum { ROWS_FORGOTTEN_AT_ONCE = 256 };

/* As the trigger says; not with every row, because creates wait for it. */
static bool forget_oldest(struct store_tx *tx, struct error *err)
{
	return sqlite3_last_insert_rowid(tx->store->db) % ROWS_FORGOTTEN_AT_ONCE != 0 ||
	       statement_run(tx, "DELETE FROM audit WHERE n <= (SELECT max(n) FROM audit) - 100000",
			     NULL, err, "");
}

bool store_audit_append(struct store_tx *tx, const struct audit_entry *entry, struct error *err)
{
	return statement_run(tx,
			     "INSERT INTO audit(at, who, role, project, token, peer, request, "
			     "action, subject, detail) VALUES (?,?,?,?,?,?,?,?,?,?)",
			     NULL, err, "ittttttttj", entry->at_ms, entry->who, entry->role,
			     entry->project, entry->token, entry->from, entry->request,
			     entry->action, entry->subject, entry->detail) &&
	       forget_oldest(tx, err);
}

static json_t *row_json(sqlite3_stmt *row)
{
	static const char *const keys[] = { "who",  "role",    "project", "token",
					    "from", "request", "action",  "subject" };
	json_t *json = json_object();
	char at[CLOCK_TEXT_SIZE];

	json_object_set_new(json, "n", json_integer(sqlite3_column_int64(row, 0)));
	json_object_set_new(json, "at",
			    json_string(clock_format(sqlite3_column_int64(row, 1), at)));
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		json_object_set_new(
		    json, keys[i], json_string((const char *)sqlite3_column_text(row, 2 + (int)i)));
	json_object_set_new(json, "detail", column_json(row, 10, json_object()));
	return json;
}

bool store_audit_list(struct store *store, int64_t after, int64_t limit, json_t **items,
		      int64_t *last, struct error *err)
{
	AUTO(statement_release) sqlite3_stmt *statement = NULL;
	AUTO(json_decref) json_t *made = json_array();
	bool has_row;

	*last = 0;
	if (!statement_prepare(store,
			       "SELECT n, at, who, role, project, token, peer, request, action, "
			       "subject, detail FROM audit WHERE ?1 = 0 OR n < ?1"
			       " ORDER BY n DESC LIMIT ?2",
			       &statement, err, "ii", after, limit))
		return false;
	for (;;) {
		if (!statement_step(store, statement, &has_row, err))
			return false;
		if (!has_row)
			break;
		*last = sqlite3_column_int64(statement, 0);
		json_array_append_new(made, row_json(statement));
	}
	*items = TAKE(made);
	return true;
}
