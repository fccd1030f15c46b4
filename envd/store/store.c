#include "store/store.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/files.h"
#include "base/ids.h"
#include "base/text.h"
#include "store/store_schema.h"
#include "store/store_statement.h"

enum {
	PAGE_BYTES = 4096,
	/* Moving the log into the database takes tens of milliseconds, in which nobody is answered:
	 * with SQLite's 1,000 pages that happened to 3 creates of 100 under load. */
	LOG_PAGES = 4096,
	/* Room to move the whole log: with less a full disk could not be left. */
	RESERVE_BYTES = LOG_PAGES * PAGE_BYTES + (4 << 20),
};

static bool open_lock(struct store *store, struct error *err)
{
	AUTO(free) char *path = path_join(store->folder, "store.lock");

	store->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (store->lock_fd < 0)
		return error_set_errno(err, errno, "cannot open \"%s\"", path);
	return true;
}

/* Bounds on what a statement may do, and no way out of this file. */
static void harden(sqlite3 *db)
{
	sqlite3_limit(db, SQLITE_LIMIT_LENGTH, 16 << 20);
	sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_extended_result_codes(db, 1);
}

static bool execute(struct store *store, const char *sql, struct error *err)
{
	int result = sqlite3_exec(store->db, sql, NULL, NULL, NULL);

	return result == SQLITE_OK || store_error(store, result, err, sql);
}

static bool set_up(struct store *store, struct error *err)
{
	AUTO(free) char *log_pages = xasprintf("PRAGMA wal_autocheckpoint = %d", LOG_PAGES);

	return execute(store, "PRAGMA journal_mode = WAL", err) && execute(store, log_pages, err) &&
	       execute(store, "PRAGMA synchronous = FULL", err) &&
	       /* Savepoints keep what they may have to take back in memory, not in a file. */
	       execute(store, "PRAGMA temp_store = MEMORY", err) &&
	       execute(store, "PRAGMA foreign_keys = ON", err);
}

static bool open_database(struct store *store, struct error *err)
{
	AUTO(free) char *path = path_join(store->folder, "store.db");
	int result =
	    sqlite3_open_v2(path, &store->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);

	if (result != SQLITE_OK)
		return store_error(store, result, err, "opening");
	harden(store->db);
	/* When it cannot have the file for writing, for want of descriptors for example, SQLite
	 * opens it for reading and says nothing: a reaper with such a store would destroy nothing
	 * for as long as it lives. */
	if (sqlite3_db_readonly(store->db, "main") == 1)
		return error_set_as(err, ERR_DENIED, "store_unwritable",
				    "\"%s\" cannot be opened for writing", path);
	return set_up(store, err);
}

static void stamp_lock(struct store *store)
{
	char line[160];
	int length = snprintf(line, sizeof(line), "%d %lld %s %lld %lld\n", (int)store->self.pid,
			      store->self.start_ticks, store->self.boot_id,
			      (long long)clock_mono_ms(), (long long)store->turns);

	/* Advice for whoever finds the lock taken; without it they cannot tell a hung holder and
	 * wait. */
	if (pwrite(store->lock_fd, line, (size_t)length, 0) != length ||
	    ftruncate(store->lock_fd, length) != 0)
		return;
}

static bool take_lock(struct store *store, struct error *err)
{
	if (flock(store->lock_fd, LOCK_EX | LOCK_NB) != 0)
		return error_set_as(err, ERR_UNAVAILABLE, "store_busy",
				    "another program is writing the store");
	store->turns++;
	stamp_lock(store);
	return true;
}

static void drop_lock(struct store *store)
{
	flock(store->lock_fd, LOCK_UN);
}

static bool read_instance(struct store *store, struct error *err)
{
	AUTO(statement_release) sqlite3_stmt *statement = NULL;
	bool has_row;

	if (!statement_prepare(store, "SELECT id FROM instance", &statement, err, "") ||
	    !statement_step(store, statement, &has_row, err))
		return false;
	if (has_row)
		snprintf(store->instance, sizeof(store->instance), "%s",
			 (const char *)sqlite3_column_text(statement, 0));
	return true;
}

static bool ensure_instance(struct store *store, struct error *err)
{
	struct store_tx *tx;

	if (!read_instance(store, err))
		return false;
	if (store->instance[0])
		return true;
	if (!store_begin(store, &tx, err))
		return false;
	if (!statement_run(tx, "INSERT INTO instance VALUES (1, ?, ?, 0)", NULL, err, "ti",
			   env_id_new().text, clock_wall_ms())) {
		store_rollback(tx);
		return false;
	}
	return store_commit(tx, err) && read_instance(store, err);
}

/* Under the lock: making the file WAL and migrating it are writes too. */
static bool open_under_lock(struct store *store, bool may_migrate, struct error *err)
{
	bool done;

	if (!take_lock(store, err))
		return false;
	done = open_database(store, err) && store_schema_migrate(store, may_migrate, err);
	drop_lock(store);
	return done;
}

/* Before the first connection; later ones find it done. No program of ours has threads, and a tenth
 * of the time of a create went into locks that nobody else takes. */
static void configure_library(void)
{
	sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

bool store_open(const char *folder, bool may_migrate, struct store **store, struct error *err)
{
	AUTO(store_close) struct store *made = xcalloc(1, sizeof(*made));

	configure_library();

	made->folder = xstrdup(folder);
	made->lock_fd = -1;
	if (!process_identity_of(getpid(), &made->self))
		return error_set(err, ERR_INTERNAL, "cannot read our own identity from /proc");
	if (!open_lock(made, err) || !open_under_lock(made, may_migrate, err) ||
	    !ensure_instance(made, err))
		return false;
	made->is_open = true;
	*store = TAKE(made);
	return true;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	statement_finalize_all(store);
	sqlite3_close(store->db);
	if (store->lock_fd >= 0)
		close(store->lock_fd);
	free(store->folder);
	free(store);
}

const char *store_folder(const struct store *store)
{
	return store->folder;
}

const char *store_instance(const struct store *store)
{
	return store->instance;
}

struct store *store_of(struct store_tx *tx)
{
	return tx->store;
}

static bool check_version(struct store *store, struct error *err)
{
	int64_t version;

	if (!statement_number(store, "PRAGMA user_version", &version, err, ""))
		return false;
	if (version != store_schema_version())
		return error_set_as(
		    err, ERR_CORRUPT, "store_newer",
		    "the store changed to schema %lld under this program, which knows %lld",
		    (long long)version, (long long)store_schema_version());
	return true;
}

bool store_begin(struct store *store, struct store_tx **tx, struct error *err)
{
	assert(!store->in_tx);
	if (fault_fails(POINT_STORE_BEGIN, err))
		return false;
	if (!take_lock(store, err))
		return false;
	if (!execute(store, "BEGIN IMMEDIATE", err)) {
		drop_lock(store);
		return false;
	}
	store->in_tx = true;
	store->tx = (struct store_tx){ .store = store };
	if (!check_version(store, err)) {
		store_rollback(&store->tx);
		return false;
	}
	*tx = &store->tx;
	return true;
}

bool store_begin_within(struct store *store, int64_t limit_ms, struct store_tx **tx,
			struct error *err)
{
	int64_t until_ms = clock_mono_ms() + limit_ms;

	while (!store_begin(store, tx, err)) {
		if (strcmp(err->slug, "store_busy") != 0 || clock_mono_ms() >= until_ms)
			return false;
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	}
	return true;
}

static void end_tx(struct store *store)
{
	store->in_tx = false;
	drop_lock(store);
}

bool store_commit(struct store_tx *tx, struct error *err)
{
	struct store *store = tx->store;
	bool done = !tx->is_broken && !fault_fails(POINT_STORE_COMMIT, err) &&
		    execute(store, "COMMIT", err);

	if (tx->is_broken)
		error_set_as(err, ERR_UNAVAILABLE, "disk_full", "the disk of \"%s\" is full",
			     store->folder);
	if (!done && !sqlite3_get_autocommit(store->db))
		sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
	end_tx(store);
	return done;
}

void store_rollback(struct store_tx *tx)
{
	struct store *store = tx->store;

	if (!sqlite3_get_autocommit(store->db))
		sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
	end_tx(store);
}

void store_read_begin(struct store *store)
{
	assert(!store->in_tx);
	/* Without it each question locks for itself: slower, and as good. */
	sqlite3_exec(store->db, "BEGIN DEFERRED", NULL, NULL, NULL);
}

void store_read_end(struct store *store)
{
	if (!sqlite3_get_autocommit(store->db))
		sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL);
}

bool store_savepoint(struct store_tx *tx, struct error *err)
{
	return statement_run(tx, "SAVEPOINT piece", NULL, err, "");
}

bool store_savepoint_keep(struct store_tx *tx, struct error *err)
{
	return statement_run(tx, "RELEASE piece", NULL, err, "");
}

void store_savepoint_undo(struct store_tx *tx)
{
	/* After SQLite rolled everything back there is no savepoint left, and a new one would
	 * commit by itself. */
	if (sqlite3_get_autocommit(tx->store->db)) {
		tx->is_broken = true;
		return;
	}
	sqlite3_exec(tx->store->db, "ROLLBACK TO piece; RELEASE piece", NULL, NULL, NULL);
}

bool store_tx_is_broken(const struct store_tx *tx)
{
	return tx->is_broken;
}

bool store_lock_holder(const char *folder, struct store_holder *holder)
{
	AUTO(free) char *path = path_join(folder, "store.lock");
	AUTO(close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	char line[160];
	ssize_t length = fd < 0 ? 0 : pread(fd, line, sizeof(line) - 1, 0);
	long long ticks, since, turn;
	int pid;

	if (length <= 0)
		return false;
	line[length] = '\0';
	memset(holder, 0, sizeof(*holder));
	if (sscanf(line, "%d %lld %39s %lld %lld", &pid, &ticks, holder->process.boot_id, &since,
		   &turn) != 5)
		return false;
	holder->process.pid = pid;
	holder->process.start_ticks = ticks;
	holder->since_mono_ms = since;
	holder->turn = turn;
	return true;
}

void store_reserve_release(struct store *store)
{
	AUTO(free) char *path = path_join(store->folder, "reserve");

	unlink(path);
}

void store_reserve_ensure(struct store *store)
{
	AUTO(free) char *path = path_join(store->folder, "reserve");
	AUTO(close) int fd = -1;
	struct stat found;
	struct statvfs disk;

	if (stat(path, &found) == 0 && found.st_size >= RESERVE_BYTES)
		return;
	/* Made only where it does not itself fill the disk. */
	if (statvfs(store->folder, &disk) != 0 ||
	    (uint64_t)disk.f_bavail * disk.f_frsize < 2 * RESERVE_BYTES)
		return;
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0 && posix_fallocate(fd, 0, RESERVE_BYTES) != 0)
		unlink(path); /* no room for it now: tried again later */
}

int64_t store_data_version(struct store *store)
{
	struct error ignored; /* an unreadable version reads as "changed": the caller just looks */
	int64_t version;

	return statement_number(store, "PRAGMA data_version", &version, &ignored, "") ? version
										      : -1;
}
