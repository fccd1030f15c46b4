/*
 * store.h - the truth: one SQLite file (WAL, synchronous=FULL), opened by envd and by envd-reaper.
 * Only this folder knows SQL.
 *
 * Debian 12's SQLite has the WAL-reset race, so every write transaction and every checkpoint of
 * either program runs under one advisory lock, DATA/store.lock. It is taken without blocking: when
 * the other program holds it, store_begin() fails with ERR_UNAVAILABLE "store_busy" and the caller
 * tries again from a timer. Reading needs no lock.
 *
 * A failure that made SQLite roll the whole transaction back (full disk, I/O error) is told by
 * store_tx_is_broken(): the turn is lost, nothing of it was kept. A real I/O error ends the
 * program: a failed fsync must not be retried, and what is on disk is the truth to start again
 * from.
 */
#ifndef ENVD_STORE_STORE_H
#define ENVD_STORE_STORE_H

#include <stdint.h>

#include "base/error.h"
#include "base/spawn.h"

struct store;
struct store_tx; /* at most one at a time per store */

/* `folder` must exist. Errors: ERR_CORRUPT "store_newer" (made by a newer version),
 * ERR_UNAVAILABLE "store_busy" or "disk_full", ERR_DENIED when it cannot be written. Migrations run
 * only if `may_migrate`; without it an older file is ERR_CORRUPT "store_older". */
NODISCARD bool store_open(const char *folder, bool may_migrate, struct store **store,
			  struct error *err);

/* Never checkpoints. */
void store_close(struct store *store);
DEFINE_AUTO(struct store *, store_close)

const char *store_folder(const struct store *store);

/* This installation's id: in every label. Lives as long as the store. */
const char *store_instance(const struct store *store);

/* BEGIN IMMEDIATE under the lock. */
NODISCARD bool store_begin(struct store *store, struct store_tx **tx, struct error *err);
/* The same, waiting while the other program has the lock. Blocks: for commands, not for daemons. */
NODISCARD bool store_begin_within(struct store *store, int64_t limit_ms, struct store_tx **tx,
				  struct error *err);
/* The tx is gone afterwards, whatever the outcome. On failure nothing was kept. */
NODISCARD bool store_commit(struct store_tx *tx, struct error *err);
void store_rollback(struct store_tx *tx);

/* Between the two, everything is read as it is at the first reading, and the file is locked once
 * and not once a question. Not while a tx is open; nothing may be written. */
void store_read_begin(struct store *store);
void store_read_end(struct store *store);

/* One piece of a turn that may fail by itself. */
NODISCARD bool store_savepoint(struct store_tx *tx, struct error *err);
NODISCARD bool store_savepoint_keep(struct store_tx *tx, struct error *err);
void store_savepoint_undo(struct store_tx *tx);

/* SQLite has rolled everything back by itself. */
bool store_tx_is_broken(const struct store_tx *tx);

struct store *store_of(struct store_tx *tx);

/* Who holds the write lock, and since when (monotonic clock of this boot). False if nobody does. */
struct store_holder {
	struct process_identity process;
	int64_t since_mono_ms;
	int64_t turn; /* differs for every transaction of that process */
};
bool store_lock_holder(const char *folder, struct store_holder *holder);

/* Give the reserve back to a full disk, so that destroying never needs space; and make it again
 * when there is plenty. */
void store_reserve_release(struct store *store);
void store_reserve_ensure(struct store *store);

/* Changes whenever the other program has committed something. */
int64_t store_data_version(struct store *store);

#endif
