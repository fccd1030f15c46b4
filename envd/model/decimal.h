/*
 * decimal.h - exact decimal numbers, for money and counts: nine digits after the point, about
 * thirty before it.
 */
#ifndef ENVD_MODEL_DECIMAL_H
#define ENVD_MODEL_DECIMAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

#define DECIMAL_TEXT_SIZE 48

struct decimal {
	__int128 billionths;
};

/*
 * "12", "-3.5", "1,234.50", "$1,234.50", " -$5 ": blanks around it, a sign and one currency sign
 * ($, EUR sign, pound sign) are passed over, and commas must separate groups of three. False for
 * anything else: "1,2" may mean two things.
 */
NODISCARD bool decimal_read(const char *text, struct decimal *decimal);

/* False when the sum is out of range. */
NODISCARD bool decimal_add(struct decimal *decimal, struct decimal more);

struct decimal decimal_from_int64(int64_t number);

/* <0, 0, >0 as strcmp. */
int decimal_compare(struct decimal a, struct decimal b);

/* "1259.5"; at least as many digits after the point as `digits_min`. Returns `into`. */
const char *decimal_format(struct decimal decimal, int digits_min, char into[DECIMAL_TEXT_SIZE]);

#endif
