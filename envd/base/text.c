#include "base/text.h"

#include <string.h>

static void reserve(struct text *text, size_t more)
{
	size_t needed = text->length + more + 1;

	if (needed <= text->allocated)
		return;
	text->allocated = needed < 64 ? 64 : needed + needed / 2;
	text->bytes = xrealloc(text->bytes, text->allocated, 1);
}

void text_add_bytes(struct text *text, const void *more, size_t length)
{
	reserve(text, length);
	if (length)
		memcpy(text->bytes + text->length, more, length);
	text->length += length;
	text->bytes[text->length] = '\0';
}

void text_add(struct text *text, const char *more)
{
	text_add_bytes(text, more, strlen(more));
}

void text_add_char(struct text *text, char c)
{
	text_add_bytes(text, &c, 1);
}

void text_format(struct text *text, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (length <= 0)
		return;
	reserve(text, (size_t)length);
	va_start(args, format);
	vsnprintf(text->bytes + text->length, (size_t)length + 1, format, args);
	va_end(args);
	text->length += (size_t)length;
}

void text_clear(struct text *text)
{
	text->length = 0;
	if (text->bytes)
		text->bytes[0] = '\0';
}

void text_release(struct text *text)
{
	free(text->bytes);
	*text = (struct text)TEXT_EMPTY;
}

char *text_take(struct text *text)
{
	char *bytes = text->bytes ? text->bytes : xstrdup("");

	*text = (struct text)TEXT_EMPTY;
	return bytes;
}

const char *text_get(const struct text *text)
{
	return text->bytes ? text->bytes : "";
}

bool text_starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool text_ends_with(const char *text, const char *suffix)
{
	size_t length = strlen(text), wanted = strlen(suffix);

	return length >= wanted && strcmp(text + length - wanted, suffix) == 0;
}

bool text_equal(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

unsigned text_distance(const char *a, const char *b)
{
	enum { LONGEST = 64 };
	unsigned row[3][LONGEST + 1];
	size_t length_a = strlen(a), length_b = strlen(b);

	if (length_a > LONGEST || length_b > LONGEST)
		return LONGEST;
	for (size_t j = 0; j <= length_b; j++)
		row[0][j] = (unsigned)j;
	for (size_t i = 1; i <= length_a; i++) {
		unsigned *now = row[i % 3], *before = row[(i - 1) % 3], *earlier = row[(i + 1) % 3];

		now[0] = (unsigned)i;
		for (size_t j = 1; j <= length_b; j++) {
			unsigned other = a[i - 1] != b[j - 1];

			now[j] = least(least(before[j] + 1, now[j - 1] + 1), before[j - 1] + other);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = least(now[j], earlier[j - 2] + 1);
		}
	}
	return row[length_a % 3][length_b];
}

const char *text_nearest(const char *wrong, const char *const *candidates)
{
	unsigned allowed = strlen(wrong) <= 3 ? 1 : 2;
	const char *nearest = NULL;
	unsigned best = allowed + 1;

	for (; *candidates; candidates++) {
		unsigned distance = text_distance(wrong, *candidates);

		if (distance < best) {
			best = distance;
			nearest = *candidates;
		}
	}
	return nearest;
}

bool text_is_among(const char *word, const char *const *words)
{
	for (; *words; words++)
		if (strcmp(*words, word) == 0)
			return true;
	return false;
}

char *text_join(const char *const *items, const char *separator)
{
	struct text joined = TEXT_EMPTY;

	for (size_t i = 0; items[i]; i++) {
		if (i)
			text_add(&joined, separator);
		text_add(&joined, items[i]);
	}
	return text_take(&joined);
}

bool text_to_int64(const char *text, int64_t *value)
{
	int64_t sum = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' || __builtin_mul_overflow(sum, 10, &sum) ||
		    __builtin_add_overflow(sum, *text - '0', &sum))
			return false;
	}
	*value = sum;
	return true;
}

/* Length of the UTF-8 sequence at `bytes`, or 0 (RFC 3629, table of well-formed sequences). */
static size_t sequence_length(const unsigned char *bytes, size_t left)
{
	unsigned char low = 0x80, high = 0xBF;
	size_t length;

	if (bytes[0] < 0x80)
		return 1;
	if (bytes[0] >= 0xC2 && bytes[0] <= 0xDF)
		length = 2;
	else if ((bytes[0] & 0xF0) == 0xE0)
		length = 3;
	else if (bytes[0] >= 0xF0 && bytes[0] <= 0xF4)
		length = 4;
	else
		return 0;
	if (length > left)
		return 0;
	if (bytes[0] == 0xE0)
		low = 0xA0;
	else if (bytes[0] == 0xED)
		high = 0x9F;
	else if (bytes[0] == 0xF0)
		low = 0x90;
	else if (bytes[0] == 0xF4)
		high = 0x8F;
	if (bytes[1] < low || bytes[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++)
		if (bytes[i] < 0x80 || bytes[i] > 0xBF)
			return 0;
	return length;
}

bool text_is_utf8(const char *bytes, size_t length)
{
	const unsigned char *at = (const unsigned char *)bytes, *end = at + length;

	while (at < end) {
		size_t step = *at ? sequence_length(at, (size_t)(end - at)) : 0;

		if (!step)
			return false;
		at += step;
	}
	return true;
}

/* Bytes of `text` that can be shown as they are: one whole UTF-8 sequence, or 0. */
static size_t printable_length(const char *text)
{
	unsigned char first = (unsigned char)*text;

	if ((first < 0x20 && first != '\t') || first == 0x7F)
		return 0;
	/* A NUL is no continuation byte, so this never looks past the end. */
	return sequence_length((const unsigned char *)text, 4);
}

const char *text_printable(const char *text, char *into, size_t size)
{
	size_t length = 0, fits = 0; /* `fits` still leaves room for "..." */

	while (*text) {
		size_t step = printable_length(text), width = step ? step : 1;

		if (length + width >= size) {
			snprintf(into + fits, size - fits, "%s", size - fits > 3 ? "..." : "");
			return into;
		}
		if (step)
			memcpy(into + length, text, step);
		else
			into[length] = '?';
		text += width;
		length += width;
		if (length + 3 < size)
			fits = length;
	}
	into[length] = '\0';
	return into;
}

static bool only_continues(const char *text)
{
	while (((unsigned char)*text & 0xC0) == 0x80)
		text++;
	return !*text;
}

/* Is what is left the beginning of a character whose end was cut off? */
static bool is_cut_off(const char *text)
{
	size_t length = strlen(text);
	unsigned char first = (unsigned char)*text;
	size_t wanted = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 1;

	return length < wanted && only_continues(text + 1);
}

void text_make_utf8(char *text)
{
	while (*text) {
		size_t step = sequence_length((unsigned char *)text, 4);

		if (!step && is_cut_off(text)) {
			*text = '\0';
			return;
		}
		if (!step)
			*text = '?';
		text += step ? step : 1;
	}
}
