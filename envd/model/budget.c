#include "model/budget.h"

#include "model/cost.h"

enum { SECOND_MS = 1000 };

const struct budget budget_none = { .month_microcents = BUDGET_UNLIMITED };

int64_t charge_in(const struct charge *charge, struct month month)
{
	int64_t begin = month_begin_ms(month), end = month_begin_ms(month_after(month));
	int64_t from = charge->from_ms > begin ? charge->from_ms : begin;
	int64_t until = charge->until_ms < end ? charge->until_ms : end;

	return from < until ? cost_for(charge->microcents_per_hour, until - from) : 0;
}

bool budget_fits(const struct budget_room *room, const struct charge *now,
		 const struct charge *more, struct month *month)
{
	*month = room->first;
	for (size_t i = 0; i < BUDGET_MONTHS_MAX; i++, *month = month_after(*month)) {
		int64_t asked = charge_in(more, *month) - (now ? charge_in(now, *month) : 0);

		/* What asks for nothing in a month is not refused because that month is full. */
		if (asked > 0 && asked > room->left_microcents[i])
			return false;
	}
	return true;
}

int64_t budget_latest_end_ms(const struct budget_room *room, const struct charge *now,
			     const struct charge *more, int64_t earliest_ms)
{
	struct charge shorter = *more;
	int64_t low = -1, high = (more->until_ms - earliest_ms) / SECOND_MS;
	struct month month;

	/* Longer never is cheaper, so the border can be halved towards. */
	while (low < high) {
		int64_t middle = low + (high - low + 1) / 2;

		shorter.until_ms = earliest_ms + middle * SECOND_MS;
		if (budget_fits(room, now, &shorter, &month))
			low = middle;
		else
			high = middle - 1;
	}
	return low < 0 ? -1 : earliest_ms + low * SECOND_MS;
}
