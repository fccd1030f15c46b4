/*
 * base64.h - bytes as text and back (RFC 4648, with padding).
 */
#ifndef ENVD_BASE_BASE64_H
#define ENVD_BASE_BASE64_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

/* With '-' and '_' where `for_urls`, else '+' and '/'. The caller frees. */
char *base64_encode(const void *bytes, size_t length, bool for_urls);

/* Either alphabet, padding or not. False for anything else; the caller frees `bytes`, which a NUL
 * follows. */
NODISCARD bool base64_decode(const char *text, char **bytes, size_t *length);

#endif
