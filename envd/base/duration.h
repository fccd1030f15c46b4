/*
 * duration.h - lengths of time as people write them: 90s, 10m, 2h, 1h30m, 500ms, 3d.
 */
#ifndef ENVD_BASE_DURATION_H
#define ENVD_BASE_DURATION_H

#include <stdint.h>

#include "base/error.h"

/*
 * One or more NUMBER UNIT pairs, largest unit first, each unit once: d h m s ms (and us, which is
 * rounded down to milliseconds by duration_parse and kept by duration_parse_us). No sign, no
 * blanks, and a unit always: "90" is refused, because nobody knows 90 of what. At most 10 years.
 * Error: ERR_INVALID that names `what` ("--ttl") and shows how it is written.
 */
NODISCARD bool duration_parse(const char *text, const char *what, int64_t *ms, struct error *err);
NODISCARD bool duration_parse_us(const char *text, const char *what, int64_t *us,
				 struct error *err);

/* "1h30m", "2m05s", "4.2s", "350ms". At most two units. `into` holds DURATION_TEXT_SIZE. */
#define DURATION_TEXT_SIZE 32
const char *duration_format(int64_t ms, char *into);

#endif
