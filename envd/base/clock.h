/*
 * clock.h - what time it is. Wall time is Unix milliseconds (`..._at_ms`), elapsed time is
 * monotonic milliseconds (`..._mono_ms`).
 */
#ifndef ENVD_BASE_CLOCK_H
#define ENVD_BASE_CLOCK_H

#include <stdint.h>

#include "base/error.h"

int64_t clock_wall_ms(void);
int64_t clock_mono_ms(void);
int64_t clock_mono_us(void);
int64_t clock_boot_ms(void); /* CLOCK_BOOTTIME: goes on while the machine sleeps */

/* RFC 3339 UTC with milliseconds: 2026-11-24T19:55:15.123Z. `into` holds CLOCK_TEXT_SIZE bytes;
 * returns `into`. */
#define CLOCK_TEXT_SIZE 25
const char *clock_format(int64_t at_ms, char *into);

/* The same without milliseconds, for people: 2026-11-24T19:55:15Z. */
const char *clock_format_seconds(int64_t at_ms, char *into);

/* RFC 3339 with "Z" or an offset. */
NODISCARD bool clock_parse(const char *text, int64_t *at_ms, struct error *err);

/* This boot of this machine, from /proc/sys/kernel/random/boot_id; "" where there is none. */
const char *clock_boot_id(void);

#endif
