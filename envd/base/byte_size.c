#include "base/byte_size.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

static const struct {
	const char *names[3];
	int shift;
} units[] = {
	{ { "k", "KiB", "ki" }, 10 },
	{ { "m", "MiB", "mi" }, 20 },
	{ { "g", "GiB", "gi" }, 30 },
	{ { "t", "TiB", "ti" }, 40 },
};

enum { LARGEST_SHIFT = 50 };

static bool find_shift(const char *unit, int *shift)
{
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		for (size_t j = 0; j < ARRAY_SIZE(units[i].names); j++)
			if (strcasecmp(unit, units[i].names[j]) == 0) {
				*shift = units[i].shift;
				return true;
			}
	return false;
}

bool byte_size_parse(const char *text, const char *what, int64_t *bytes, struct error *err)
{
	size_t length = strspn(text, "0123456789");
	AUTO(free) char *digits = xstrndup(text, length);
	char shown[40];
	int64_t number;
	int shift;

	if (text_to_int64(digits, &number) && find_shift(text + length, &shift) &&
	    number <= (INT64_C(1) << (LARGEST_SHIFT - shift))) {
		*bytes = number << shift;
		return true;
	}
	return error_set(err, ERR_INVALID, "%s \"%s\" is not a size, such as 512MiB or 2GiB", what,
			 text_printable(text, shown, sizeof(shown)));
}

const char *byte_size_format(int64_t bytes, char into[BYTE_SIZE_TEXT])
{
	static const char *const names[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	double value = (double)bytes;
	size_t unit = 0;

	for (; value >= 1024 && unit + 1 < ARRAY_SIZE(names); unit++)
		value /= 1024;
	snprintf(into, BYTE_SIZE_TEXT, value == (double)(int64_t)value ? "%.0f %s" : "%.1f %s",
		 value, names[unit]);
	return into;
}
