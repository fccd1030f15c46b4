/*
 * eventually.h - for tests: wait for a condition, never for time.
 */
#ifndef TESTS_SUPPORT_EVENTUALLY_H
#define TESTS_SUPPORT_EVENTUALLY_H

#include <stdbool.h>
#include <stdint.h>

/* Asks again and again, a few milliseconds apart, until it is true; false when `limit_ms` passed.
 */
bool eventually(bool (*condition)(void *arg), void *arg, int64_t limit_ms);

#endif
