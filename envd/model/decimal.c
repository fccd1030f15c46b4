#include "model/decimal.h"

#include <stdio.h>
#include <string.h>

#define SCALE 1000000000
#define FRACTION_DIGITS 9

static const char *skip_currency(const char *at)
{
	static const char *const signs[] = { "$", "\xE2\x82\xAC", "\xC2\xA3" };

	for (size_t i = 0; i < ARRAY_SIZE(signs); i++)
		if (strncmp(at, signs[i], strlen(signs[i])) == 0)
			return at + strlen(signs[i]);
	return at;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits, in groups of three if there are commas. Moves `*at` past them. */
static bool read_whole(const char **at, __int128 *whole)
{
	size_t digits = 0, since_comma = 0;
	bool has_comma = false;

	for (; is_digit(**at) || **at == ','; (*at)++) {
		if (**at == ',') {
			if (!digits || (has_comma ? since_comma != 3 : digits > 3))
				return false;
			has_comma = true;
			since_comma = 0;
			continue;
		}
		if (++digits > 28)
			return false;
		since_comma++;
		*whole = *whole * 10 + (**at - '0');
	}
	return digits > 0 && (!has_comma || since_comma == 3);
}

/* Digits beyond the ninth must be zero: a number is kept exactly or not at all. */
static bool read_fraction(const char **at, __int128 *fraction)
{
	int digits = 0;

	if (**at != '.')
		return true;
	for ((*at)++; is_digit(**at); (*at)++, digits++) {
		if (digits < FRACTION_DIGITS)
			*fraction = *fraction * 10 + (**at - '0');
		else if (**at != '0')
			return false;
	}
	for (int i = digits; i < FRACTION_DIGITS; i++)
		*fraction *= 10;
	return digits > 0;
}

bool decimal_read(const char *text, struct decimal *decimal)
{
	const char *at = text + strspn(text, " \t\r\n");
	__int128 whole = 0, fraction = 0, value;
	bool is_negative = *at == '-';

	if (*at == '-' || *at == '+')
		at++;
	at = skip_currency(at);
	if (!read_whole(&at, &whole) || !read_fraction(&at, &fraction))
		return false;
	if (at[strspn(at, " \t\r\n")])
		return false;
	value = whole * SCALE + fraction;
	decimal->billionths = is_negative ? -value : value;
	return true;
}

bool decimal_add(struct decimal *decimal, struct decimal more)
{
	return !__builtin_add_overflow(decimal->billionths, more.billionths, &decimal->billionths);
}

struct decimal decimal_from_int64(int64_t number)
{
	return (struct decimal){ (__int128)number * SCALE };
}

int decimal_compare(struct decimal a, struct decimal b)
{
	return (a.billionths > b.billionths) - (a.billionths < b.billionths);
}

const char *decimal_format(struct decimal decimal, int digits_min, char into[DECIMAL_TEXT_SIZE])
{
	bool is_negative = decimal.billionths < 0;
	unsigned __int128 value = is_negative ? -(unsigned __int128)decimal.billionths
					      : (unsigned __int128)decimal.billionths;
	int digits = FRACTION_DIGITS;
	char reversed[DECIMAL_TEXT_SIZE];
	size_t length = 0, used = 0;

	while (digits > digits_min && value % 10 == 0) {
		value /= 10;
		digits--;
	}
	do {
		if (digits && length == (size_t)digits)
			reversed[length++] = '.';
		reversed[length++] = (char)('0' + (int)(value % 10));
		value /= 10;
	} while (value || length <= (size_t)digits + (digits > 0));
	if (is_negative)
		into[used++] = '-';
	while (length > 0)
		into[used++] = reversed[--length];
	into[used] = '\0';
	return into;
}
