#include "model/lease.h"

#include <string.h>

#include "base/duration.h"

static int64_t tolerance_ms(const struct lease *lease)
{
	int64_t share = lease->lease_ms / 20;

	return share < 60000 ? share : 60000;
}

bool lease_has_ended(const struct lease *lease, const struct lease_now *now)
{
	bool by_wall = now->wall_ms >= lease->expires_at_ms;
	int64_t boot_left = lease->expires_boot_ms - now->boot_ms;

	/* Another boot: its clock says nothing about the time that has passed since. */
	if (!lease->boot_id || strcmp(lease->boot_id, now->boot_id) != 0)
		return by_wall;
	if (by_wall)
		return boot_left <= tolerance_ms(lease);
	return boot_left <= -tolerance_ms(lease);
}

int64_t lease_left_ms(const struct lease *lease, const struct lease_now *now)
{
	int64_t left = lease->expires_at_ms - now->wall_ms;

	return left > 1 ? left : 1;
}

int64_t lease_look_again_ms(const struct lease *lease, const struct lease_now *now)
{
	int64_t wall_left = lease->expires_at_ms - now->wall_ms;
	int64_t boot_left = lease->expires_boot_ms - now->boot_ms;
	int64_t left = wall_left;

	if (lease->boot_id && strcmp(lease->boot_id, now->boot_id) == 0) {
		if (wall_left <= 0)
			left = boot_left - tolerance_ms(lease);
		else if (boot_left + tolerance_ms(lease) < wall_left)
			left = boot_left + tolerance_ms(lease);
	}
	return left > 1 ? left : 1;
}

int64_t lease_end_now_ms(const struct lease *lease, const struct lease_now *now)
{
	int64_t by_boot = now->wall_ms + lease->expires_boot_ms - now->boot_ms;
	int64_t apart = by_boot - lease->expires_at_ms;

	if (!lease->boot_id || strcmp(lease->boot_id, now->boot_id) != 0 ||
	    (apart <= tolerance_ms(lease) && apart >= -tolerance_ms(lease)))
		return lease->expires_at_ms;
	return by_boot;
}

bool lease_choose(const struct lease_limits *limits, int64_t asked_ms, int64_t *lease_ms,
		  struct error *err)
{
	char asked[DURATION_TEXT_SIZE], least[DURATION_TEXT_SIZE], most[DURATION_TEXT_SIZE];
	int64_t minimum =
	    limits->minimum_ms > LEASE_MINIMUM_MS ? limits->minimum_ms : LEASE_MINIMUM_MS;
	int64_t chosen = asked_ms >= 0 ? asked_ms : limits->default_ms;

	/* Too long is a rule of the house, too short is a mistake: clients tell them apart. */
	if (chosen < minimum || chosen > limits->maximum_ms)
		return error_set_as(err, ERR_INVALID,
				    chosen > limits->maximum_ms ? "lease_too_long"
								: "lease_out_of_range",
				    "a lease of %s is out of range (expected %s to %s)",
				    duration_format(chosen, asked), duration_format(minimum, least),
				    duration_format(limits->maximum_ms, most));
	*lease_ms = chosen;
	return true;
}
