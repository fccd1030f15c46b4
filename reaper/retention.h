/*
 * retention.h - forget what ended long ago: its rows, and the folders of its jobs and its template.
 *
 * Part of a sweep, because removing folders blocks. Rows go first and their folders after the
 * commit; a folder whose row is gone (or never came, after a crash) is collected once it is older
 * than an hour, so nothing is left on the disk for ever.
 */
#ifndef REAPER_RETENTION_H
#define REAPER_RETENTION_H

#include "settings/settings.h"
#include "store/store.h"

struct retention_count {
	size_t environments; /* forgotten */
	size_t folders;      /* without a row */
};

NODISCARD bool retention_run(struct store *store, const struct settings *settings, int64_t now_ms,
			     struct retention_count *count, struct error *err);

#endif
