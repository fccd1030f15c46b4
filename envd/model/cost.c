#include "model/cost.h"

int64_t cost_for(int64_t microcents_per_hour, int64_t ms)
{
	__int128 product = (__int128)microcents_per_hour * ms + 1800000;

	product /= 3600000;
	return product > INT64_MAX ? INT64_MAX : (int64_t)product;
}

/* What was acknowledged was not proved gone. */
static int64_t end_of_cost(const struct environment *environment, int64_t now_ms)
{
	if (environment->settled_at_ms > 0)
		return environment->settled_at_ms;
	return environment->ended_at_ms && !environment->settled_at_ms ? environment->ended_at_ms
								       : now_ms;
}

struct cost cost_of(const struct environment *environment, int64_t now_ms)
{
	int64_t start = environment->provisioning_at_ms,
		price = environment->price_microcents_per_hour;
	int64_t until = end_of_cost(environment, now_ms);
	int64_t end = environment->expires_at_ms;
	struct cost cost = { 0, 0 };

	if (start)
		cost.so_far_microcents = cost_for(price, until > start ? until - start : 0);
	if (environment->desired == DESIRED_ABSENT)
		cost.at_expiry_microcents = cost.so_far_microcents;
	else if (end)
		cost.at_expiry_microcents = cost_for(price, end - start);
	else
		/* Not ready yet: quoted as if building took nothing, plus what it has cost so far.
		 */
		cost.at_expiry_microcents =
		    cost.so_far_microcents + cost_for(price, environment->lease_ms);
	return cost;
}

int64_t cost_debt_per_hour(const struct environment *environment)
{
	return environment->is_quarantined || environment->settled_at_ms < 0
		   ? environment->price_microcents_per_hour
		   : 0;
}

double cost_to_units(int64_t microcents)
{
	return (double)microcents / MICROCENTS_PER_UNIT;
}
