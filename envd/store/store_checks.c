#include "store/store_checks.h"

#include "store/store_statement.h"

#define COLUMNS                                                                                    \
	"id, environment, owner, state, verdict, suites, plan, report, message, asked_at, "        \
	"ended_at"

void check_run_free(struct check_run *run)
{
	if (!run)
		return;
	free(run->state);
	free(run->verdict);
	free(run->owner);
	free(run->message);
	json_decref(run->suites);
	json_decref(run->plan);
	json_decref(run->report);
	free(run);
}

void check_run_list_release(struct check_run_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		check_run_free(list->items[i]);
	free(list->items);
	*list = (struct check_run_list){ NULL, 0 };
}

static struct check_run *read_row(sqlite3_stmt *row)
{
	struct check_run *run = xcalloc(1, sizeof(*run));

	snprintf(run->id, sizeof(run->id), "%s", (const char *)sqlite3_column_text(row, 0));
	run->environment = env_id_from((const char *)sqlite3_column_text(row, 1));
	run->owner = column_text(row, 2);
	run->state = column_text(row, 3);
	run->verdict = column_text(row, 4);
	run->suites = column_json(row, 5, json_array());
	run->plan = column_json(row, 6, NULL);
	run->report = column_json(row, 7, NULL);
	run->message = column_text(row, 8);
	run->asked_at_ms = sqlite3_column_int64(row, 9);
	run->ended_at_ms = sqlite3_column_int64(row, 10);
	return run;
}

bool store_check_insert(struct store_tx *tx, const struct check_run *run, struct error *err)
{
	return statement_run(
	    tx,
	    "INSERT INTO check_runs(id, environment, owner, state, suites, plan, asked_at)"
	    " VALUES (?,?,?,'queued',?,?,?)",
	    NULL, err, "tttjji", run->id, run->environment.text, run->owner, run->suites, run->plan,
	    run->asked_at_ms);
}

static bool read_one(struct store *store, sqlite3_stmt *statement, struct check_run **run,
		     struct error *err)
{
	bool has_row;

	if (!statement_step(store, statement, &has_row, err))
		return false;
	*run = has_row ? read_row(statement) : NULL;
	return true;
}

bool store_check_find(struct store *store, const char *id, struct check_run **run,
		      struct error *err)
{
	AUTO(statement_release) sqlite3_stmt *statement = NULL;
	struct check_run *found;

	if (!statement_prepare(store, "SELECT " COLUMNS " FROM check_runs WHERE id = ?", &statement,
			       err, "t", id) ||
	    !read_one(store, statement, &found, err))
		return false;
	if (!found)
		return error_set_as(err, ERR_NOT_FOUND, "check_not_found",
				    "there is no check run \"%.40s\"", id);
	*run = found;
	return true;
}

bool store_check_list(struct store *store, struct env_id id, int64_t limit,
		      struct check_run_list *list, struct error *err)
{
	AUTO(statement_release) sqlite3_stmt *statement = NULL;
	AUTO(check_run_list_release) struct check_run_list made = { NULL, 0 };
	bool has_row;

	if (!statement_prepare(store,
			       "SELECT " COLUMNS " FROM check_runs WHERE environment = ?"
			       " ORDER BY asked_at DESC, rowid DESC LIMIT ?",
			       &statement, err, "ti", id.text, limit))
		return false;
	for (;;) {
		if (!statement_step(store, statement, &has_row, err))
			return false;
		if (!has_row)
			break;
		made.items = xrealloc(made.items, made.count + 1, sizeof(*made.items));
		made.items[made.count++] = read_row(statement);
	}
	*list = made;
	made = (struct check_run_list){ NULL, 0 };
	return true;
}

bool store_check_next(struct store *store, struct env_id id, struct check_run **run,
		      struct error *err)
{
	AUTO(statement_release) sqlite3_stmt *statement = NULL;

	return statement_prepare(store,
				 "SELECT " COLUMNS
				 " FROM check_runs WHERE environment = ? AND state <> 'ended'"
				 " ORDER BY asked_at, rowid LIMIT 1",
				 &statement, err, "t", id.text) &&
	       read_one(store, statement, run, err);
}

bool store_check_start(struct store_tx *tx, const char *id, struct error *err)
{
	return statement_run(
	    tx, "UPDATE check_runs SET state = 'running' WHERE id = ? AND state <> 'ended'", NULL,
	    err, "t", id);
}

bool store_check_end(struct store_tx *tx, const char *id, const char *verdict, const char *message,
		     const json_t *report, int64_t now_ms, struct error *err)
{
	return statement_run(tx,
			     "UPDATE check_runs SET state = 'ended', verdict = ?, message = ?, "
			     "report = ?, ended_at = ?"
			     " WHERE id = ? AND state <> 'ended'",
			     NULL, err, "ttjit", verdict, message, report, now_ms, id);
}

bool store_checks_abandon(struct store_tx *tx, struct env_id id, const char *message,
			  int64_t now_ms, struct error *err)
{
	return statement_run(tx,
			     "UPDATE check_runs SET state = 'ended', verdict = 'inconclusive', "
			     "message = ?, ended_at = ?"
			     " WHERE environment = ? AND state <> 'ended'",
			     NULL, err, "tit", message, now_ms, id.text);
}

bool store_checks_waiting(struct store *store, struct env_id id, int64_t *count, struct error *err)
{
	return statement_number(
	    store, "SELECT count(*) FROM check_runs WHERE environment = ? AND state <> 'ended'",
	    count, err, "t", id.text);
}
