/*
 * text.h - strings that grow, and small questions about strings.
 */
#ifndef ENVD_BASE_TEXT_H
#define ENVD_BASE_TEXT_H

#include <stdarg.h>
#include <stdint.h>

#include "base/cleanup.h"

/* A growing, always NUL-terminated string. Start with `struct text t = TEXT_EMPTY;`. */
struct text {
	char *bytes; /* NULL only while nothing was added */
	size_t length;
	size_t allocated;
};

#define TEXT_EMPTY { NULL, 0, 0 }

void text_add(struct text *text, const char *more);
void text_add_bytes(struct text *text, const void *more, size_t length);
void text_add_char(struct text *text, char c);
void text_format(struct text *text, const char *format, ...) PRINTF_LIKE(2, 3);
void text_clear(struct text *text);   /* empty again, memory kept */
void text_release(struct text *text); /* memory gone; may be used again */
char *text_take(struct text *text);   /* never NULL; the caller frees; `text` is empty again */
const char *text_get(const struct text *text); /* never NULL; lives until the next change */

static inline void auto_text_release(struct text *text)
{
	text_release(text);
}

bool text_starts_with(const char *text, const char *prefix);
bool text_ends_with(const char *text, const char *suffix);

/* NULL-safe equality: two NULLs are equal. */
bool text_equal(const char *a, const char *b);

/* Is it one of them? `words` ends with NULL. */
bool text_is_among(const char *word, const char *const *words);

/* Damerau-Levenshtein (optimal string alignment) distance; strings over 64 bytes are far apart. */
unsigned text_distance(const char *a, const char *b);

/* The candidate within distance 2 (1 for words of up to three letters) that is nearest, or NULL:
 * what "did you mean" offers. `candidates` ends with NULL. */
const char *text_nearest(const char *wrong, const char *const *candidates);

/* "a, b, c"; the caller frees. `items` ends with NULL. */
char *text_join(const char *const *items, const char *separator);

/* Decimal digits only, no sign, no blanks, fits. */
NODISCARD bool text_to_int64(const char *text, int64_t *value);

/* Valid UTF-8 (RFC 3629), without NUL inside `length`. */
bool text_is_utf8(const char *bytes, size_t length);

/* Copy with every control byte except tab, and every byte that is not UTF-8, replaced by '?', for
 * messages that quote input. Never longer than `size - 1`; a cut is marked by "..." and leaves no
 * half character. Returns `into`. */
const char *text_printable(const char *text, char *into, size_t size);

/* In place: a byte that is not UTF-8 becomes '?', and a character at the end whose rest was cut off
 * goes away. Control bytes stay. */
void text_make_utf8(char *text);

#endif
