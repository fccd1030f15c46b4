/*
 * store_spending.h - what projects are charged, by month, and what they owe: tallies that triggers
 * keep beside the environments (model/budget.h has the rule), so that accepting one more costs the
 * same whatever there is. Whole microcents.
 */
#ifndef ENVD_STORE_STORE_SPENDING_H
#define ENVD_STORE_STORE_SPENDING_H

#include "base/ids.h"
#include "model/budget.h"
#include "store/store.h"

/* Spent and reserved in this month: what was, what is until now, and what is to the ends of leases;
 * without what is owed since it was counted last. */
NODISCARD bool store_spending_charged(struct store *store, const char *project,
				      const char *currency, struct month month, int64_t *microcents,
				      struct error *err);

/* What is unwanted and not proved gone. */
struct owed_sum {
	int64_t microcents_per_hour;
	int64_t
	    microcents; /* in this month since it was counted last: to be added to the charged */
};
NODISCARD bool store_spending_owed(struct store *store, const char *project, const char *currency,
				   int64_t now_ms, struct owed_sum *sum, struct error *err);

/* What is owed since before `at_ms`, the beginning of a month, is charged to the months that it was
 * owed in. Grows with what is owed, once a month; nothing is written at other times. */
NODISCARD bool store_spending_count_debts(struct store_tx *tx, int64_t at_ms, struct error *err);

/* What was acknowledged costs no more from `at_ms` on. False in `*was_owed`: it did not cost
 * anything. */
NODISCARD bool store_spending_settle(struct store_tx *tx, struct env_id id, int64_t at_ms,
				     bool *was_owed, struct error *err);

/* ---- for people ---- */

/* NULL: of all projects; every currency apart. */
struct spending_row {
	const char *project;
	const char *currency;
	const char *template_name;
	int64_t charged_microcents;
};
typedef void (*spending_on_row)(void *arg, const struct spending_row *row);
NODISCARD bool store_spending_each(struct store *store, const char *project, struct month month,
				   spending_on_row on_row, void *arg, struct error *err);

/* What lives and is wanted, with its charge: of it, what comes after now is only reserved. */
struct live_row {
	const char *project;
	const char *currency;
	const char *template_name;
	bool is_queued; /* nothing of it is spent, whatever its charge says */
	struct charge charge;
};
typedef void (*spending_on_live)(void *arg, const struct live_row *row);
NODISCARD bool store_spending_live(struct store *store, const char *project,
				   spending_on_live on_row, void *arg, struct error *err);

struct owed_row {
	struct env_id id;
	const char *name;
	const char *project;
	const char *currency;
	const char *template_name;
	bool is_acknowledged;
	bool is_quarantined;
	int64_t since_ms;
	struct charge charge; /* not in the month's yet */
};
typedef void (*spending_on_owed)(void *arg, const struct owed_row *row);
NODISCARD bool store_spending_debts(struct store *store, const char *project, int64_t now_ms,
				    spending_on_owed on_row, void *arg, struct error *err);

#endif
