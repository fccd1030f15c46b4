#include "base/bytes.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define DIGITS_MAX 18

bool bytes_parse(const char *text, const char *what, int64_t *bytes, struct error *err)
{
	static const char units[] = "kmgt";
	size_t digits = strspn(text, "0123456789");
	const char *unit = text + digits, *known;
	AUTO(free) char *number = xstrndup(text, digits);
	int64_t value = 0;
	char shown[40];
	int shift = 0;

	known = *unit ? strchr(units, tolower((unsigned char)*unit)) : NULL;
	if (known) {
		shift = 10 * (int)(known - units + 1);
		unit++;
	}
	if (tolower((unsigned char)*unit) == 'b')
		unit++;
	if (!digits || digits > DIGITS_MAX || *unit || !text_to_int64(number, &value) ||
	    value > INT64_MAX >> shift)
		return error_set(err, ERR_INVALID,
				 "%s must be an amount of memory, such as 512m or 16g (got \"%s\")",
				 what, text_printable(text, shown, sizeof(shown)));
	*bytes = value << shift;
	return true;
}

const char *bytes_format(int64_t bytes, char into[BYTES_TEXT_SIZE])
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	double value = (double)bytes;
	size_t unit = 0;

	for (; value >= 1024 && unit + 1 < ARRAY_SIZE(units); unit++)
		value /= 1024;
	snprintf(into, BYTES_TEXT_SIZE, value == (double)(int64_t)value ? "%.0f %s" : "%.1f %s",
		 value, units[unit]);
	return into;
}
