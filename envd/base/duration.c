#include "base/duration.h"

#include <string.h>

#include "base/text.h"

static const struct {
	const char *name;
	int64_t us;
} units[] = {
	{ "d", 86400000000 }, { "h", 3600000000 }, { "m", 60000000 },
	{ "s", 1000000 },     { "ms", 1000 },      { "us", 1 },
};

static const int64_t longest_us = 3650LL * 86400 * 1000000;

static bool refuse(const char *text, const char *what, struct error *err)
{
	char shown[48];

	return error_set(
	    err, ERR_INVALID,
	    "%s \"%s\" is not a duration (expected a number and a unit, such as 90s, 10m, 2h or "
	    "1h30m)",
	    what, text_printable(text, shown, sizeof(shown)));
}

/* What follows the part that is too long was not looked at yet. */
static bool too_long(const char *text, const char *what, struct error *err)
{
	char shown[48];

	return error_set(err, ERR_INVALID, "%s \"%s\" is longer than 10 years", what,
			 text_printable(text, shown, sizeof(shown)));
}

/* Index of the unit at `at`, or -1. The unit ends where the next number or the text does. */
static int unit_at(const char *at, size_t *length)
{
	*length = strspn(at, "dhmsu");
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (strlen(units[i].name) == *length && strncmp(units[i].name, at, *length) == 0)
			return (int)i;
	return -1;
}

bool duration_parse_us(const char *text, const char *what, int64_t *us, struct error *err)
{
	const char *at = text;
	int64_t sum = 0;
	int last = -1;

	do {
		size_t digits = strspn(at, "0123456789"), length;
		char number[20];
		int64_t amount;
		int unit;

		if (!digits || digits >= sizeof(number))
			return refuse(text, what, err);
		memcpy(number, at, digits);
		number[digits] = '\0';
		unit = unit_at(at + digits, &length);
		if (unit <= last || !text_to_int64(number, &amount))
			return refuse(text, what, err);
		if (__builtin_mul_overflow(amount, units[unit].us, &amount) ||
		    __builtin_add_overflow(sum, amount, &sum) || sum > longest_us)
			return too_long(text, what, err);
		last = unit;
		at += digits + length;
	} while (*at);
	*us = sum;
	return true;
}

bool duration_parse(const char *text, const char *what, int64_t *ms, struct error *err)
{
	int64_t us;

	if (!duration_parse_us(text, what, &us, err))
		return false;
	*ms = us / 1000;
	return true;
}

static void two_units(char *into, const char *sign, long long large, char large_unit,
		      long long small, char small_unit)
{
	if (small)
		snprintf(into, DURATION_TEXT_SIZE, "%s%lld%c%02lld%c", sign, large, large_unit,
			 small, small_unit);
	else
		snprintf(into, DURATION_TEXT_SIZE, "%s%lld%c", sign, large, large_unit);
}

const char *duration_format(int64_t ms, char *into)
{
	const char *sign = ms < 0 ? "-" : "";
	long long left = ms == INT64_MIN ? INT64_MAX : ms < 0 ? -ms : ms;
	const size_t size = DURATION_TEXT_SIZE;

	if (left < 1000)
		snprintf(into, size, "%s%lldms", sign, left);
	else if (left < 60000 && left % 1000)
		snprintf(into, size, "%s%lld.%llds", sign, left / 1000, left % 1000 / 100);
	else if (left < 60000)
		snprintf(into, size, "%s%llds", sign, left / 1000);
	else if (left < 3600000)
		two_units(into, sign, left / 60000, 'm', left % 60000 / 1000, 's');
	else if (left < 86400000)
		two_units(into, sign, left / 3600000, 'h', left % 3600000 / 60000, 'm');
	else
		two_units(into, sign, left / 86400000, 'd', left % 86400000 / 3600000, 'h');
	return into;
}
