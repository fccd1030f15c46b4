/*
 * money.h - amounts of money as whole microcents (10^-8 of a currency's unit: 1 USD is 100 cents of
 * 1,000,000 microcents each), so that sums are exact. Read from and written as decimal text, never
 * as a floating number.
 */
#ifndef ENVD_MODEL_MONEY_H
#define ENVD_MODEL_MONEY_H

#include <stdint.h>

#include "base/cleanup.h"

#define MICROCENTS_PER_UNIT 100000000

enum { MONEY_TEXT_SIZE = 32, CURRENCY_SIZE = 4 };

/* "12", "0.125": digits, and at most eight after a point; nothing else, no sign, no blank. False
 * for anything else, and for more than `units_max` (at most 10^9). */
NODISCARD bool money_parse(const char *text, int64_t units_max, int64_t *microcents);

/* Three capital letters, such as USD. */
bool money_is_currency(const char *text);

/* For people, rounded half up: two digits after the point, four for less than a tenth of a unit: an
 * environment of ten minutes costs less than a cent, but not nothing. Returns `into`. */
const char *money_format(int64_t microcents, char into[MONEY_TEXT_SIZE]);

/* All of it, as a number of JSON: "0.125", "3", "-0.5". Returns `into`. */
const char *money_exact(int64_t microcents, char into[MONEY_TEXT_SIZE]);

/* By how many percent `less` is below `more`, rounded down: a saving is never made larger than it
 * is. 0 where it is not below, or `more` is nothing. */
int money_saving_percent(int64_t more, int64_t less);

/* The sum, or the largest number there is. Neither may be negative. */
int64_t money_add(int64_t a, int64_t b);

#endif
