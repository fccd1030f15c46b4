/*
 * lease.h - until when an environment is lent. Pure; the clocks are arguments.
 *
 * A lease ends by the wall clock, unless the wall clock jumped: on the boot in which the lease was
 * set, CLOCK_BOOTTIME must agree within a tolerance of 5 % of the lease (at most 60 s), and when
 * the wall clock was set back, boot time alone ends it (reliability: a stepped clock must neither
 * destroy what is in use nor keep what costs money).
 */
#ifndef ENVD_MODEL_LEASE_H
#define ENVD_MODEL_LEASE_H

#include <stdint.h>

#include "base/error.h"

#define LEASE_MINIMUM_MS 10000

struct lease {
	int64_t expires_at_ms;   /* wall */
	int64_t expires_boot_ms; /* boot time, valid while boot_id is the running boot's */
	int64_t lease_ms;        /* its length, for the tolerance */
	const char *boot_id;
};

struct lease_now {
	int64_t wall_ms;
	int64_t boot_ms;
	const char *boot_id;
};

bool lease_has_ended(const struct lease *lease, const struct lease_now *now);

/* What is left by the wall clock, for people; at least 1. */
int64_t lease_left_ms(const struct lease *lease, const struct lease_now *now);

/* When lease_has_ended() is worth asking again, in ms from now; at least 1. Not the time left:
 * after the wall clock jumped ahead it is over by that clock, and boot time has the say. */
int64_t lease_look_again_ms(const struct lease *lease, const struct lease_now *now);

/* Its end as the wall clock counts now: `expires_at_ms`, unless that clock has jumped since. What
 * is added to a lease is added to this, or an hour that was set back would be lent once more. */
int64_t lease_end_now_ms(const struct lease *lease, const struct lease_now *now);

/* What a template allows. */
struct lease_limits {
	int64_t default_ms;
	int64_t minimum_ms;
	int64_t maximum_ms;
};

/* `asked_ms` -1 takes the default. ERR_INVALID slug "lease_out_of_range", naming both bounds. */
NODISCARD bool lease_choose(const struct lease_limits *limits, int64_t asked_ms, int64_t *lease_ms,
			    struct error *err);

#endif
