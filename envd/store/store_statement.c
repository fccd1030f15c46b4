#include "store/store_statement.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sysexits.h>

/* For what a new start from the disk can mend and this one cannot. A failed fsync may have dropped
 * pages that SQLite believes are safe: the only truth left is what is on disk, so start again from
 * there. */
static void end_program(struct store *store, const char *doing)
{
	char line[256];
	int length =
	    snprintf(line, sizeof(line),
		     "level=error msg=\"store: cannot go on after %s: %s (%s); ending\"\n", doing,
		     sqlite3_errmsg(store->db), strerror(sqlite3_system_errno(store->db)));

	if (write(STDERR_FILENO, line, (size_t)length) < 0)
		_exit(EX_OSERR);
	_exit(EX_IOERR);
}

static bool is_disk_full(struct store *store, int result)
{
	int extended = sqlite3_extended_errcode(store->db);

	/* The shared-memory file cannot grow on a full disk: not a broken disk. */
	return (result & 0xFF) == SQLITE_FULL || extended == SQLITE_IOERR_SHMSIZE ||
	       ((result & 0xFF) == SQLITE_IOERR && sqlite3_system_errno(store->db) == ENOSPC);
}

bool store_error(struct store *store, int result, struct error *err, const char *doing)
{
	/* SQLITE_FULL and some others roll the whole transaction back by themselves. */
	if (store->in_tx && sqlite3_get_autocommit(store->db))
		store->tx.is_broken = true;
	if (is_disk_full(store, result))
		return error_set_as(err, ERR_UNAVAILABLE, "disk_full", "the disk of \"%s\" is full",
				    store->folder);
	switch (result & 0xFF) {
	case SQLITE_IOERR:
		end_program(store, doing);
		break;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return error_set_as(err, ERR_UNAVAILABLE, "store_busy", "the store is busy (%s)",
				    doing);
	case SQLITE_READONLY:
		/* The same for its log and its index, which are opened when they are needed. Only a
		 * new connection can write again. */
		if (store->is_open)
			end_program(store, doing);
		__attribute__((fallthrough));
	case SQLITE_PERM:
	case SQLITE_CANTOPEN:
		return error_set_as(err, ERR_DENIED, "store_unwritable",
				    "cannot write the store in \"%s\": %s", store->folder,
				    sqlite3_errmsg(store->db));
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return error_set_as(err, ERR_CORRUPT, "store_corrupt",
				    "the store in \"%s\" is damaged: %s", store->folder,
				    sqlite3_errmsg(store->db));
	}
	return error_set(err, ERR_INTERNAL, "store: %s: %s", doing, sqlite3_errmsg(store->db));
}

static int bind_json(sqlite3_stmt *statement, int position, const json_t *json)
{
	return sqlite3_bind_text(statement, position, json ? json_to_text(json) : NULL, -1, free);
}

/* `lifetime`: SQLITE_STATIC for what is run and given back before the caller goes on. */
static int bind_all(sqlite3_stmt *statement, sqlite3_destructor_type lifetime, const char *types,
		    va_list args)
{
	int result = SQLITE_OK;

	for (int i = 0; types[i] && result == SQLITE_OK; i++) {
		if (types[i] == 't')
			result = sqlite3_bind_text(statement, i + 1, va_arg(args, const char *), -1,
						   lifetime);
		else if (types[i] == 'i')
			result = sqlite3_bind_int64(statement, i + 1, va_arg(args, int64_t));
		else
			result = bind_json(statement, i + 1, va_arg(args, const json_t *));
	}
	return result;
}

/* One that is in the middle of its rows is somebody's: then a second one is made. */
static sqlite3_stmt *find_free(const struct store *store, const char *sql)
{
	for (size_t i = 0; i < store->statement_count; i++) {
		const struct store_statement *at = &store->statements[i];

		if (at->sql == sql && !sqlite3_stmt_busy(at->prepared))
			return at->prepared;
	}
	return NULL;
}

static int find_or_make(struct store *store, const char *sql, sqlite3_stmt **statement)
{
	int result;

	*statement = find_free(store, sql);
	if (*statement)
		return SQLITE_OK;
	result = sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL);
	if (result != SQLITE_OK)
		return result;
	store->statements =
	    xrealloc(store->statements, store->statement_count + 1, sizeof(*store->statements));
	store->statements[store->statement_count++] = (struct store_statement){ *statement, sql };
	return SQLITE_OK;
}

void statement_release(sqlite3_stmt *statement)
{
	if (!statement)
		return;
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
}

void statement_finalize_all(struct store *store)
{
	while (store->statement_count)
		sqlite3_finalize(store->statements[--store->statement_count].prepared);
	free(store->statements);
	store->statements = NULL;
}

static bool prepare(struct store *store, const char *sql, sqlite3_stmt **statement,
		    sqlite3_destructor_type lifetime, struct error *err, const char *types,
		    va_list args)
{
	sqlite3_stmt *made = NULL;
	int result = find_or_make(store, sql, &made);

	assert(result != SQLITE_OK || (int)strlen(types) == sqlite3_bind_parameter_count(made));
	if (result == SQLITE_OK)
		result = bind_all(made, lifetime, types, args);
	if (result != SQLITE_OK)
		return store_error(store, result, err, "preparing");
	*statement = made;
	return true;
}

bool statement_prepare(struct store *store, const char *sql, sqlite3_stmt **statement,
		       struct error *err, const char *types, ...)
{
	va_list args;
	bool done;

	va_start(args, types);
	done = prepare(store, sql, statement, SQLITE_TRANSIENT, err, types, args);
	va_end(args);
	return done;
}

bool statement_step(struct store *store, sqlite3_stmt *statement, bool *has_row, struct error *err)
{
	int result = sqlite3_step(statement);

	if (result != SQLITE_ROW && result != SQLITE_DONE)
		return store_error(store, result, err, "running a statement");
	*has_row = result == SQLITE_ROW;
	return true;
}

bool statement_run(struct store_tx *tx, const char *sql, int64_t *changed, struct error *err,
		   const char *types, ...)
{
	AUTO(statement_release) sqlite3_stmt *statement = NULL;
	va_list args;
	bool done, has_row;

	va_start(args, types);
	done = prepare(tx->store, sql, &statement, SQLITE_STATIC, err, types, args);
	va_end(args);
	if (!done || !statement_step(tx->store, statement, &has_row, err))
		return false;
	if (changed)
		*changed = sqlite3_changes(tx->store->db);
	return true;
}

bool statement_number(struct store *store, const char *sql, int64_t *number, struct error *err,
		      const char *types, ...)
{
	AUTO(statement_release) sqlite3_stmt *statement = NULL;
	va_list args;
	bool done, has_row = false;

	va_start(args, types);
	done = prepare(store, sql, &statement, SQLITE_STATIC, err, types, args);
	va_end(args);
	if (!done || !statement_step(store, statement, &has_row, err))
		return false;
	*number = has_row ? sqlite3_column_int64(statement, 0) : 0;
	return true;
}

char *column_text(sqlite3_stmt *statement, int column)
{
	const char *text = (const char *)sqlite3_column_text(statement, column);

	return text ? xstrdup(text) : NULL;
}

json_t *column_json(sqlite3_stmt *statement, int column, json_t *otherwise)
{
	const char *text = (const char *)sqlite3_column_text(statement, column);
	json_t *json = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;

	if (!json)
		return otherwise;
	json_decref(otherwise);
	return json;
}
