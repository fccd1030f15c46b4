/*
 * store_sightings.h - what sweeps have seen that nobody should own: one row per environment id,
 * kept until it is gone, so that only what two complete listings some time apart showed is
 * destroyed.
 */
#ifndef ENVD_STORE_STORE_SIGHTINGS_H
#define ENVD_STORE_STORE_SIGHTINGS_H

#include "model/environment.h"
#include "store/store.h"

struct sighting {
	struct env_id environment;
	const char *target;
	const json_t *detail; /* what was seen */
};
NODISCARD bool store_sighting_note(struct store_tx *tx, const struct sighting *sighting,
				   int64_t now_ms, struct error *err);
/* First seen when; 0: never. */
NODISCARD bool store_sighting_first(struct store *store, struct env_id environment,
				    int64_t *first_ms, struct error *err);
NODISCARD bool store_sighting_forget(struct store_tx *tx, struct env_id environment,
				     struct error *err);
/* Those of this target that the listing at `now_ms` did not show: gone by themselves. */
NODISCARD bool store_sightings_prune(struct store_tx *tx, const char *target, int64_t now_ms,
				     struct error *err);
/* The newest sequence that was given out. */
NODISCARD bool store_sequence(struct store *store, int64_t *sequence, struct error *err);

#endif
