#include "model/money.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

enum { DIGITS = 8 };

bool money_parse(const char *text, int64_t units_max, int64_t *microcents)
{
	size_t whole = strspn(text, "0123456789");
	const char *part = text[whole] == '.' ? text + whole + 1 : text + whole;
	size_t digits = strspn(part, "0123456789");
	AUTO(free) char *units = xstrndup(text, whole);
	int64_t sum;

	if (part[digits] || digits > DIGITS || (text[whole] == '.' && !digits) ||
	    !text_to_int64(units, &sum) || sum > units_max)
		return false;
	for (size_t i = 0; i < DIGITS; i++)
		sum = sum * 10 + (i < digits ? part[i] - '0' : 0);
	if (sum > units_max * MICROCENTS_PER_UNIT)
		return false;
	*microcents = sum;
	return true;
}

bool money_is_currency(const char *text)
{
	return strlen(text) == 3 && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 3;
}

/* Of the absolute value, which the most negative number has too. */
static uint64_t magnitude(int64_t microcents)
{
	return microcents < 0 ? -(uint64_t)microcents : (uint64_t)microcents;
}

static const char *print(bool is_negative, uint64_t value, uint64_t per_unit, int digits,
			 char into[MONEY_TEXT_SIZE])
{
	const char *sign = is_negative && value ? "-" : "";
	unsigned long long units = value / per_unit, rest = value % per_unit;

	if (digits)
		snprintf(into, MONEY_TEXT_SIZE, "%s%llu.%0*llu", sign, units, digits, rest);
	else
		snprintf(into, MONEY_TEXT_SIZE, "%s%llu", sign, units);
	return into;
}

const char *money_format(int64_t microcents, char into[MONEY_TEXT_SIZE])
{
	uint64_t value = magnitude(microcents);
	bool is_small = value && value < MICROCENTS_PER_UNIT / 10;
	uint64_t step = is_small ? 10000 : 1000000;

	return print(microcents < 0, value / step + (value % step >= step / 2),
		     is_small ? 10000 : 100, is_small ? 4 : 2, into);
}

const char *money_exact(int64_t microcents, char into[MONEY_TEXT_SIZE])
{
	uint64_t value = magnitude(microcents), per_unit = MICROCENTS_PER_UNIT;
	int digits = DIGITS;

	while (digits > 0 && value % 10 == 0) {
		value /= 10;
		per_unit /= 10;
		digits--;
	}
	return print(microcents < 0, value, per_unit, digits, into);
}

int money_saving_percent(int64_t more, int64_t less)
{
	if (more <= 0 || less >= more)
		return 0;
	return (int)((__int128)(more - less) * 100 / more);
}

int64_t money_add(int64_t a, int64_t b)
{
	int64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}
