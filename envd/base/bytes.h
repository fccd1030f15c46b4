/*
 * bytes.h - amounts of memory as people write them: "512m", "16g", "1048576".
 */
#ifndef ENVD_BASE_BYTES_H
#define ENVD_BASE_BYTES_H

#include <stdint.h>

#include "base/error.h"

#define BYTES_TEXT_SIZE 24

/* A whole number with k, m, g or t (powers of 1024, either case, "b" may follow) or none. `what`
 * names it in the error, ERR_INVALID. */
NODISCARD bool bytes_parse(const char *text, const char *what, int64_t *bytes, struct error *err);

/* "16 GiB", "1.5 GiB", "512 MiB". Returns `into`. */
const char *bytes_format(int64_t bytes, char into[BYTES_TEXT_SIZE]);

#endif
