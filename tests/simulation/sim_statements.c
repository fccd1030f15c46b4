/*
 * sim_statements.c - statements of SQL are kept and used again: parsing them is most of the work of
 * a simulated turn, and says nothing about it.
 */
#include <sqlite3.h>
#include <string.h>

#include "base/cleanup.h"

enum { KEPT_MAX = 256 };

static struct kept {
	sqlite3 *db;
	const char *sql; /* SQLite's copy */
	sqlite3_stmt *statement;
	bool is_used;
} kept[KEPT_MAX];

int __real_sqlite3_prepare_v2(sqlite3 *db, const char *sql, int length, sqlite3_stmt **statement,
			      const char **rest);
int __wrap_sqlite3_prepare_v2(sqlite3 *db, const char *sql, int length, sqlite3_stmt **statement,
			      const char **rest);
int __real_sqlite3_finalize(sqlite3_stmt *statement);
int __wrap_sqlite3_finalize(sqlite3_stmt *statement);
int __real_sqlite3_close(sqlite3 *db);
int __wrap_sqlite3_close(sqlite3 *db);

static int prepare_and_keep(struct kept *place, sqlite3 *db, const char *sql,
			    sqlite3_stmt **statement)
{
	int result = __real_sqlite3_prepare_v2(db, sql, -1, statement, NULL);

	if (place && result == SQLITE_OK && *statement)
		*place = (struct kept){ db, sqlite3_sql(*statement), *statement, true };
	return result;
}

int __wrap_sqlite3_prepare_v2(sqlite3 *db, const char *sql, int length, sqlite3_stmt **statement,
			      const char **rest)
{
	struct kept *place = NULL;

	(void)length;
	(void)rest;
	for (size_t i = 0; i < KEPT_MAX; i++) {
		if (!kept[i].statement) {
			place = place ? place : &kept[i];
			break; /* no one is ever taken out but all of a connection */
		}
		if (kept[i].db != db || kept[i].is_used || strcmp(kept[i].sql, sql) != 0)
			continue;
		kept[i].is_used = true;
		*statement = kept[i].statement;
		return SQLITE_OK;
	}
	return prepare_and_keep(place, db, sql, statement);
}

int __wrap_sqlite3_finalize(sqlite3_stmt *statement)
{
	for (size_t i = 0; statement && i < KEPT_MAX && kept[i].statement; i++) {
		if (kept[i].statement != statement)
			continue;
		kept[i].is_used = false;
		sqlite3_reset(statement);
		return sqlite3_clear_bindings(statement);
	}
	return __real_sqlite3_finalize(statement);
}

int __wrap_sqlite3_close(sqlite3 *db)
{
	size_t left = 0;

	for (size_t i = 0; i < KEPT_MAX && kept[i].statement; i++) {
		if (kept[i].db == db)
			__real_sqlite3_finalize(kept[i].statement);
		else
			kept[left++] = kept[i];
	}
	for (size_t i = left; i < KEPT_MAX && kept[i].statement; i++)
		kept[i] = (struct kept){ NULL, NULL, NULL, false };
	return __real_sqlite3_close(db);
}
