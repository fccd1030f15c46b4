/*
 * bare_sqlite: what SQLite alone can do with the rows of a create: the peer of the control plane.
 * The same schema, the same settings, the same four rows, prepared once, so many creates to a
 * transaction.
 *
 * Usage: bare_sqlite FOLDER CREATES BATCH          prints one JSON object
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "store/store.h"

static const char *const statements[] = {
	"UPDATE instance SET sequence = sequence + 1",
	"INSERT INTO environments(id, sequence, name, owner, template, template_folder,"
	" template_digest, trusted, engine, target, desired, state, generation, labels, pins,"
	" parameters, created_at, hard_wall_at, queue_limit, provision_limit, lease, lease_maximum,"
	" attempts_max, has_checks, price, currency, project, memory, keep, keep_maximum)"
	" VALUES (?1,(SELECT sequence FROM instance),?2,'root','idle','/srv/templates/idle',"
	" '0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef',1,'external','idle',"
	" 'present','queued',1,'{}','{}','{}',?3,?3+86400000,1800000,600000,7200000,86400000,2,0,0,"
	" 'USD','default',0,0,0)",
	"INSERT INTO history(environment, at, kind, event, state, message, data)"
	" VALUES (?1,?3,'state',NULL,'queued','accepted for \"root\" from template \"idle\"',NULL)",
	"INSERT INTO audit(at, who, role, project, token, peer, request, action, subject, detail)"
	" VALUES (?3,'root','admin','default','','unix','0123456789abcdef','create',?1,"
	" '{\"template\": \"idle\"}')",
};
enum { STATEMENTS = sizeof(statements) / sizeof(*statements) };

static sqlite3 *db;
static sqlite3_stmt *prepared[STATEMENTS];

static void die(const char *what)
{
	fprintf(stderr, "bare_sqlite: %s: %s\n", what, db ? sqlite3_errmsg(db) : "no database");
	exit(1);
}

static void execute(const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		die(sql);
}

/* The schema is the store's own; nothing else of it is used. */
static void open_database(const char *folder)
{
	struct store *store;
	struct error err;
	char path[512];

	if (!store_open(folder, true, &store, &err)) {
		fprintf(stderr, "bare_sqlite: %s\n", err.message);
		exit(1);
	}
	store_close(store);
	snprintf(path, sizeof(path), "%s/store.db", folder);
	if (sqlite3_open(path, &db) != SQLITE_OK)
		die("opening");
	execute("PRAGMA synchronous = FULL");
	execute("PRAGMA wal_autocheckpoint = 4096"); /* as the store */
	execute("PRAGMA foreign_keys = ON");
	for (size_t i = 0; i < STATEMENTS; i++)
		if (sqlite3_prepare_v2(db, statements[i], -1, &prepared[i], NULL) != SQLITE_OK)
			die(statements[i]);
}

static void create(unsigned n)
{
	char id[37], name[32];

	snprintf(id, sizeof(id), "00000000-0000-4000-8000-%012x", n);
	snprintf(name, sizeof(name), "idle-%06x", n);
	for (size_t i = 0; i < STATEMENTS; i++) {
		int parameters = sqlite3_bind_parameter_count(prepared[i]);

		if (parameters >= 1)
			sqlite3_bind_text(prepared[i], 1, id, -1, SQLITE_STATIC);
		if (parameters >= 2 && strstr(statements[i], "?2"))
			sqlite3_bind_text(prepared[i], 2, name, -1, SQLITE_STATIC);
		if (parameters >= 3)
			sqlite3_bind_int64(prepared[i], 3, clock_wall_ms());
		if (sqlite3_step(prepared[i]) != SQLITE_DONE)
			die(statements[i]);
		sqlite3_reset(prepared[i]);
	}
}

int main(int argc, char **argv)
{
	long creates = argc == 4 ? strtol(argv[2], NULL, 10) : 0;
	long batch = argc == 4 ? strtol(argv[3], NULL, 10) : 0;
	int64_t began_us;
	double seconds;

	if (creates < 1 || batch < 1) {
		fprintf(stderr, "usage: bare_sqlite FOLDER CREATES BATCH\n");
		return 2;
	}
	open_database(argv[1]);
	began_us = clock_mono_us();
	for (long n = 0; n < creates;) {
		execute("BEGIN IMMEDIATE");
		for (long i = 0; i < batch && n < creates; i++)
			create((unsigned)n++);
		execute("COMMIT");
	}
	seconds = (double)(clock_mono_us() - began_us) / 1e6;
	printf("{\"creates\": %ld, \"batch\": %ld, \"seconds\": %.6f, \"per_second\": %.1f}\n",
	       creates, batch, seconds, (double)creates / seconds);
	for (size_t i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(prepared[i]);
	sqlite3_close(db);
	return 0;
}
