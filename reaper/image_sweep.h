/*
 * image_sweep.h - images that envd pulled or built, and that no container has needed for
 * --image-keep, or for half an hour when they are more than --image-keep-gib.
 *
 * Since when each is not needed is kept in DATA/images.json, from sweep to sweep; when that is
 * lost, the time begins again.
 */
#ifndef REAPER_IMAGE_SWEEP_H
#define REAPER_IMAGE_SWEEP_H

#include "settings/settings.h"
#include "store/store.h"

/* `removed` is increased by what was removed (or would be, `is_dry`), and each is said on stdout
 * and, together, in the history. */
NODISCARD bool image_sweep(struct store *store, const struct settings *settings,
			   const struct target *target, bool is_dry, size_t *removed,
			   struct error *err);

#endif
