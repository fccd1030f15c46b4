#include "retention.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "base/log.h"
#include "store/store_retention.h"

enum {
	BUSY_LIMIT_MS = 5000,
	BATCHES_MAX = 16, /* of one sweep; the next one goes on */
	/* A folder is made before its row is committed: a young one may still get it. */
	FOLDER_AGE_S = 3600,
};

static const char *const folders[] = { "environments", "jobs" };

static void remove_folder(const struct settings *settings, const char *kind, const char *id)
{
	AUTO(free) char *parent = path_join(settings->data, kind);
	AUTO(free) char *path = path_join(parent, id);
	struct error err;

	if (!folder_remove(path, &err))
		log_warn("%s cannot be removed, trying again at the next sweep: %s", path,
			 err.message);
}

/* Not in a folder of its own, so that all of it can be bounded as one. */
static void remove_evidence(const struct settings *settings, const char *id)
{
	AUTO(free) char *path = xasprintf("%s/evidence/%s.tar.gz", settings->data, id);

	unlink(path); /* there need not be any; what stays is bounded all the same */
}

static bool forget(struct store *store, const struct retention *retention,
		   const struct retention_batch *batch, struct error *err)
{
	struct store_tx *tx;

	if (!store_begin_within(store, BUSY_LIMIT_MS, &tx, err))
		return false;
	if (store_retention_forget(tx, batch, err) &&
	    store_retention_prune_history(tx, retention, err))
		return store_commit(tx, err);
	store_rollback(tx);
	return false;
}

static bool forget_batch(struct store *store, const struct settings *settings,
			 const struct retention *retention, size_t *forgotten, struct error *err)
{
	struct retention_batch batch;
	bool done;

	if (!store_retention_due(store, retention, &batch, err))
		return false;
	done = forget(store, retention, &batch, err);
	for (size_t i = 0; done && i < batch.count; i++) {
		remove_folder(settings, "environments", batch.environments[i].text);
		remove_evidence(settings, batch.environments[i].text);
	}
	for (size_t i = 0; done && i < batch.job_count; i++)
		remove_folder(settings, "jobs", batch.jobs[i].text);
	*forgotten = batch.count;
	retention_batch_release(&batch);
	return done;
}

static bool is_stale(const char *path, int64_t now_ms)
{
	struct stat status;

	return lstat(path, &status) == 0 && S_ISDIR(status.st_mode) &&
	       status.st_mtime < now_ms / 1000 - FOLDER_AGE_S;
}

static bool collect_folder(struct store *store, const char *parent, const char *id, int64_t now_ms,
			   size_t *collected, struct error *err)
{
	AUTO(free) char *path = path_join(parent, id);
	bool known;

	if (!id_is_valid(id) || !is_stale(path, now_ms))
		return true;
	if (!store_retention_knows(store, id, &known, err))
		return false;
	if (known)
		return true;
	*collected += 1;
	return folder_remove(path, err);
}

static bool collect_folders(struct store *store, const char *parent, int64_t now_ms,
			    size_t *collected, struct error *err)
{
	AUTO(closedir) DIR *listing = opendir(parent);
	const struct dirent *entry;

	while (listing && (entry = readdir(listing)))
		if (!collect_folder(store, parent, entry->d_name, now_ms, collected, err))
			return false;
	return true; /* no such folder: nothing was ever made */
}

bool retention_run(struct store *store, const struct settings *settings, int64_t now_ms,
		   struct retention_count *count, struct error *err)
{
	struct retention retention = { .before_ms = now_ms - settings->keep_ended_ms,
				       .newest_kept = settings->keep_ended_max };
	size_t forgotten = RETENTION_BATCH_MAX;

	*count = (struct retention_count){ 0, 0 };
	for (int i = 0; i < BATCHES_MAX && forgotten == RETENTION_BATCH_MAX; i++) {
		if (!forget_batch(store, settings, &retention, &forgotten, err))
			return false;
		count->environments += forgotten;
	}
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		AUTO(free) char *parent = path_join(settings->data, folders[i]);

		if (!collect_folders(store, parent, now_ms, &count->folders, err))
			return false;
	}
	return true;
}
