/*
 * budget.h - how much a project may spend in a calendar month (UTC), and whether one more charge
 * fits. Pure arithmetic, in whole microcents.
 *
 * An environment is charged from the moment at which building begins until its lease ends, at the
 * high end of its price: reserved as soon as it is accepted (as if it began at once, with the
 * longest time for building), moved with what really happens, and in the end what it cost. Time
 * counts in the month in which it passes, so what crosses the end of a month needs room in both.
 */
#ifndef ENVD_MODEL_BUDGET_H
#define ENVD_MODEL_BUDGET_H

#include "base/error.h"
#include "model/money.h"
#include "model/month.h"

#define BUDGET_UNLIMITED INT64_MAX

/* The longest lease and the longest time for building reach into no more. */
enum { BUDGET_MONTHS_MAX = 6 };

struct budget {
	int64_t month_microcents; /* BUDGET_UNLIMITED: there is none */
	char currency[CURRENCY_SIZE];
	char contact[100]; /* who to ask for more; may be "" */
};
extern const struct budget budget_none;

/* Charged from one moment until another; nothing if they are not in this order. */
struct charge {
	int64_t microcents_per_hour;
	int64_t from_ms;
	int64_t until_ms;
};

/* Of the part that lies in `month`, rounded half up. */
int64_t charge_in(const struct charge *charge, struct month month);

/* What is left of each month from `first` on; may be below nothing. */
struct budget_room {
	struct month first;
	int64_t left_microcents[BUDGET_MONTHS_MAX];
};

/* Whether `more`, in place of `now` (NULL: nothing), fits into every month that it reaches into.
 * `*month` is the first one in which it does not. */
bool budget_fits(const struct budget_room *room, const struct charge *now,
		 const struct charge *more, struct month *month);

/* The latest end, in whole seconds from `earliest_ms` on and not after that of `more`, with which
 * `more` fits; -1: not even with `earliest_ms`. */
int64_t budget_latest_end_ms(const struct budget_room *room, const struct charge *now,
			     const struct charge *more, int64_t earliest_ms);

#endif
