/*
 * store_census.h - how many of what there are right now, for metrics.
 */
#ifndef ENVD_STORE_STORE_CENSUS_H
#define ENVD_STORE_STORE_CENSUS_H

#include "store/store.h"

/* Called once for each name that has any. */
typedef void (*census_row)(void *arg, const char *name, int64_t value);

/* Environments that are not destroyed, by state. */
NODISCARD bool store_census_states(struct store *store, census_row on_row, void *arg,
				   struct error *err);
/* Live jobs by kind. */
NODISCARD bool store_census_jobs(struct store *store, census_row on_row, void *arg,
				 struct error *err);
/* Microcents an hour by currency: of all that is built and not proved gone; of debts: the
 * quarantined, and the acknowledged that are not settled. */
NODISCARD bool store_census_prices(struct store *store, bool only_debts, census_row on_row,
				   void *arg, struct error *err);
/* `oldest_at_ms`: since when the oldest unwanted one is not proved gone; 0: there is none. */
NODISCARD bool store_census_debts(struct store *store, int64_t *quarantined, int64_t *oldest_at_ms,
				  struct error *err);

/* Targets that are not clean; `oldest_at_ms` as above. */
NODISCARD bool store_census_targets(struct store *store, int64_t *dirty, int64_t *oldest_at_ms,
				    struct error *err);

#endif
