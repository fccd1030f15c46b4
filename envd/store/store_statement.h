/*
 * store_statement.h - inside store/ only: the connection, and SQL as one string beside the function
 * that runs it. Turns SQLite's conventions into ours, here and nowhere else.
 */
#ifndef ENVD_STORE_STORE_STATEMENT_H
#define ENVD_STORE_STORE_STATEMENT_H

#include <sqlite3.h>

#include "base/json_read.h"
#include "store/store.h"

struct store_tx {
	struct store *store;
	bool is_broken;
};

struct store_statement {
	sqlite3_stmt *prepared;
	const char *sql; /* a constant: the pointer tells which */
};

struct store {
	sqlite3 *db;
	/* Every statement that was ever run, to be run again: preparing costs more than running. As
	 * many as there are strings of SQL in this folder. */
	struct store_statement *statements;
	size_t statement_count;
	char *folder;
	char instance[40];
	int lock_fd;
	struct process_identity self;
	int64_t turns;
	struct store_tx tx;
	bool in_tx;
	bool is_open; /* it could be written when it was opened */
};

/* Gives it back: it belongs to the store. */
void statement_release(sqlite3_stmt *statement);
DEFINE_AUTO(sqlite3_stmt *, statement_release)
/* Before the connection is closed. */
void statement_finalize_all(struct store *store);

/* ERR_UNAVAILABLE "disk_full" or "store_busy", ERR_CORRUPT, ... from a result code; a real I/O
 * error ends the program. */
bool store_error(struct store *store, int result, struct error *err, const char *doing);

/*
 * `*statement` is given back with statement_release(). `sql` must be a constant.
 *
 * `types` has one letter per parameter: t text (NULL is SQL's), i int64_t, j json (NULL is SQL's).
 * Strings are copied.
 */
NODISCARD bool statement_prepare(struct store *store, const char *sql, sqlite3_stmt **statement,
				 struct error *err, const char *types, ...);

/* `*has_row` false at the end. */
NODISCARD bool statement_step(struct store *store, sqlite3_stmt *statement, bool *has_row,
			      struct error *err);

/* Prepare, bind and run one that gives no rows; `*changed` (may be NULL) gets the rows touched. */
NODISCARD bool statement_run(struct store_tx *tx, const char *sql, int64_t *changed,
			     struct error *err, const char *types, ...);

/* One whole number; 0 when there is no row or it is NULL. */
NODISCARD bool statement_number(struct store *store, const char *sql, int64_t *number,
				struct error *err, const char *types, ...);

/* Copies; NULL for SQL's NULL. */
char *column_text(sqlite3_stmt *statement, int column);
/* `otherwise` (stolen) for NULL or unreadable. */
json_t *column_json(sqlite3_stmt *statement, int column, json_t *otherwise);

#endif
