/*
 * login_limit.h - how often somebody may fail to log in: ten times a minute from one address, then
 * not for 10 s, and twice as long every further time, up to 15 min. Forgotten after 15 quiet
 * minutes.
 *
 * It limits those who fail and nobody else: a good token is good from a blocked address too, since
 * many agents share one, and 256 random bits are not guessed.
 *
 * Bounded: a table of fixed size; the address that was quiet for longest makes room. An IPv6
 * address counts with its whole /64.
 */
#ifndef ENVD_MODEL_LOGIN_LIMIT_H
#define ENVD_MODEL_LOGIN_LIMIT_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

enum {
	LOGIN_FAILURES_A_MINUTE = 10,
	LOGIN_ADDRESSES_MAX = 1024,
	LOGIN_ADDRESS_SIZE = 48,
};

struct login_limit;

struct login_limit *login_limit_new(void);
void login_limit_free(struct login_limit *limit);

/* One more failure from `address`; 0: answer it as a failure. Else it is blocked for so long yet.
 */
int64_t login_limit_fail(struct login_limit *limit, const char *address, int64_t now_mono_ms);

/* What has happened since the last call, one address at a time; false: nothing is left. For a
 * summary that does not grow with the failures. */
struct login_failures {
	char address[LOGIN_ADDRESS_SIZE];
	int64_t count;
	bool is_blocked;
};
NODISCARD bool login_limit_take(struct login_limit *limit, int64_t now_mono_ms,
				struct login_failures *failures);

#endif
