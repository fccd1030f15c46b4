/*
 * month.h - calendar months in UTC, of which a budget has one amount each. Pure arithmetic; the
 * same months as those of SQLite's strftime().
 */
#ifndef ENVD_MODEL_MONTH_H
#define ENVD_MODEL_MONTH_H

#include <stdint.h>

#include "base/error.h"

enum { MONTH_TEXT_SIZE = 16 };

struct month {
	int year;
	int number; /* 1 to 12 */
};

/* From 1970 on. */
struct month month_of(int64_t at_ms);
struct month month_after(struct month month);

/* Its first millisecond; the month after it begins where it ends. */
int64_t month_begin_ms(struct month month);

/* "2026-11". Returns `into`. */
const char *month_format(struct month month, char into[MONTH_TEXT_SIZE]);

/* ERR_INVALID "month_invalid": "2026-11", years 2020 to 2099. */
NODISCARD bool month_parse(const char *text, struct month *month, struct error *err);

#endif
