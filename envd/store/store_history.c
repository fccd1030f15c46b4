#include "store/store_history.h"

#include "store/store_statement.h"

bool store_history_append(struct store_tx *tx, const struct env_id *id, int64_t at_ms,
			  const struct history_entry *entry, struct error *err)
{
	return statement_run(
	    tx,
	    "INSERT INTO history(environment, at, kind, event, state, message, data)"
	    " VALUES (?,?,?,?,?,?,?)",
	    NULL, err, "tittttj", id ? id->text : NULL, at_ms, entry->kind, entry->event,
	    entry->state, entry->message ? entry->message : "", entry->data);
}

static struct history_row read_row(sqlite3_stmt *row)
{
	struct history_row made = { .n = sqlite3_column_int64(row, 0),
				    .at_ms = sqlite3_column_int64(row, 2) };
	const char *id = (const char *)sqlite3_column_text(row, 1);

	if (id)
		made.environment = env_id_from(id);
	made.kind = column_text(row, 3);
	made.event = column_text(row, 4);
	made.state = column_text(row, 5);
	made.message = column_text(row, 6);
	made.data = column_json(row, 7, NULL);
	made.name = column_text(row, 8);
	made.project = column_text(row, 9);
	if (!made.name)
		made.name = xstrdup("");
	if (!made.project)
		made.project = xstrdup("");
	return made;
}

bool store_history_list(struct store *store, const struct env_id *id, int64_t after, int64_t limit,
			struct history_list *list, struct error *err)
{
	AUTO(statement_release) sqlite3_stmt *statement = NULL;
	AUTO(history_list_release) struct history_list made = { NULL, 0 };
	bool has_row;

	if (!statement_prepare(
		store,
		id ? "SELECT h.n, h.environment, h.at, h.kind, h.event, h.state, h.message, "
		     "h.data, e.name, e.project"
		     " FROM history h LEFT JOIN environments e ON e.id = h.environment"
		     " WHERE h.n > ?1 AND h.environment = ?3 ORDER BY h.n LIMIT ?2"
		   : "SELECT h.n, h.environment, h.at, h.kind, h.event, h.state, h.message, "
		     "h.data, e.name, e.project"
		     " FROM history h LEFT JOIN environments e ON e.id = h.environment"
		     " WHERE h.n > ?1 ORDER BY h.n LIMIT ?2",
		&statement, err, id ? "iit" : "ii", after, limit, id ? id->text : NULL))
		return false;
	for (;;) {
		if (!statement_step(store, statement, &has_row, err))
			return false;
		if (!has_row)
			break;
		made.rows = xrealloc(made.rows, made.count + 1, sizeof(*made.rows));
		made.rows[made.count++] = read_row(statement);
	}
	*list = made;
	made = (struct history_list){ NULL, 0 };
	return true;
}

void history_list_release(struct history_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->rows[i].name);
		free(list->rows[i].project);
		free(list->rows[i].kind);
		free(list->rows[i].event);
		free(list->rows[i].state);
		free(list->rows[i].message);
		json_decref(list->rows[i].data);
	}
	free(list->rows);
	*list = (struct history_list){ NULL, 0 };
}

bool store_history_newest(struct store *store, int64_t *n, struct error *err)
{
	return statement_number(store, "SELECT max(n) FROM history", n, err, "");
}
