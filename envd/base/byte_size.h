/*
 * byte_size.h - amounts of memory as people write them: 512MiB, 2GiB, and 512m or 2g as Compose
 * does.
 */
#ifndef ENVD_BASE_BYTE_SIZE_H
#define ENVD_BASE_BYTE_SIZE_H

#include <stdint.h>

#include "base/error.h"

/* A whole number and a unit: KiB, MiB, GiB, TiB or k, m, g, t (powers of 1024 all of them); at most
 * 1024 TiB. ERR_INVALID that names `what`. */
NODISCARD bool byte_size_parse(const char *text, const char *what, int64_t *bytes,
			       struct error *err);

#define BYTE_SIZE_TEXT 24

/* "16 GiB", "1.5 GiB", "512 MiB". Returns `into`. */
const char *byte_size_format(int64_t bytes, char into[BYTE_SIZE_TEXT]);

#endif
