/*
 * bundle.h - files in one tar.gz of a bounded size, and a folder of such with a bounded sum.
 */
#ifndef ENVD_WORKER_BUNDLE_H
#define ENVD_WORKER_BUNDLE_H

#include "base/json_read.h"
#include "base/text.h"

struct bundle;

/* `bytes_max` is for the contents, so that it holds for the compressed file all the more. */
struct bundle *bundle_new(const char *folder, size_t bytes_max);
void bundle_free(struct bundle *bundle);
DEFINE_AUTO(struct bundle *, bundle_free)

/* What fits: the end of a longer text is kept (a log's last words count) when `keeps_end`, else its
 * beginning, and the list says that it was cut. */
void bundle_add(struct bundle *bundle, const char *name, const char *bytes, size_t length,
		bool keeps_end);

size_t bundle_room(const struct bundle *bundle);

/* [{"name","bytes","cut"}], borrowed. */
const json_t *bundle_files(const struct bundle *bundle);

/* Compressed and put in place, whole or not at all, mode 0600. `bundle` takes no more after. */
NODISCARD bool bundle_write(struct bundle *bundle, const char *path, int64_t *bytes,
			    struct error *err);

/* Oldest first, until no more than `bytes_max` are left in all; `keep` (a path) is not touched. */
void bundle_prune(const char *folder, const char *keep, int64_t bytes_max);

#endif
