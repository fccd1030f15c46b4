#include "base/base64.h"

#include <string.h>

static const char plain_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

char *base64_encode(const void *bytes, size_t length, bool for_urls)
{
	const unsigned char *from = bytes;
	const char *digits = for_urls ? url_digits : plain_digits;
	char *text = xcalloc((length + 2) / 3 * 4 + 1, 1), *to = text;

	for (size_t i = 0; i < length; i += 3) {
		unsigned group = (unsigned)from[i] << 16;

		group |= i + 1 < length ? (unsigned)from[i + 1] << 8 : 0;
		group |= i + 2 < length ? from[i + 2] : 0;
		*to++ = digits[group >> 18];
		*to++ = digits[group >> 12 & 63];
		*to++ = i + 1 < length ? digits[group >> 6 & 63] : '=';
		*to++ = i + 2 < length ? digits[group & 63] : '=';
	}
	return text;
}

static bool digit_value(char c, unsigned *value)
{
	const char *at = c ? strchr(plain_digits, c) : NULL;

	if (at) {
		*value = (unsigned)(at - plain_digits);
		return true;
	}
	*value = c == '-' ? 62 : 63;
	return c == '-' || c == '_';
}

bool base64_decode(const char *text, char **bytes, size_t *length)
{
	size_t digits = strlen(text), made = 0;
	unsigned group = 0, value;
	AUTO(free) char *into = NULL;

	while (digits > 0 && text[digits - 1] == '=')
		digits--;
	if (strlen(text) - digits > 2 || digits % 4 == 1)
		return false;
	into = xcalloc(digits / 4 * 3 + 4, 1);
	for (size_t i = 0; i < digits; i++) {
		if (!digit_value(text[i], &value))
			return false;
		group = group << 6 | value;
		if (i % 4 > 0)
			into[made++] = (char)(group >> (6 - 2 * (i % 4)) & 0xff);
	}
	*bytes = TAKE(into);
	*length = made;
	return true;
}
