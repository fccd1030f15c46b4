/*
 * pattern.h - POSIX extended regular expressions over bytes, with the traps of other dialects
 * refused.
 */
#ifndef ENVD_MODEL_PATTERN_H
#define ENVD_MODEL_PATTERN_H

#include <regex.h>

#include "base/error.h"

#define PATTERN_BYTES_MAX 500

/* ERR_INVALID that says what is wrong. "\d" and "(?" are refused with what to write instead: POSIX
 * would take the first one for the letter d. */
NODISCARD bool pattern_compile(const char *source, regex_t *regex, struct error *err);

/* `bytes` need not end with NUL and may hold it. `groups` may be NULL. */
bool pattern_matches(const regex_t *regex, const char *bytes, size_t length, regmatch_t *groups,
		     size_t group_count);

#endif
