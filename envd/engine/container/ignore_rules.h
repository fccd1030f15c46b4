/*
 * ignore_rules.h - a .dockerignore file: which paths of a build context stay behind. Pure.
 *
 * Docker's rules: a pattern a line, `#` comments; `*` and `?` within one part of a path, `**`
 * across parts, `[...]`, `\`; a pattern that fits a folder fits all below it; `!` takes back; the
 * last that fits decides.
 */
#ifndef ENVD_ENGINE_CONTAINER_IGNORE_RULES_H
#define ENVD_ENGINE_CONTAINER_IGNORE_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

struct ignore_rules;

struct ignore_rules *ignore_rules_new(const char *text);
void ignore_rules_free(struct ignore_rules *rules);
DEFINE_AUTO(struct ignore_rules *, ignore_rules_free)

/* `path` is relative to the context: "a/b". */
bool ignore_rules_fit(const struct ignore_rules *rules, const char *path);

/* May something below an ignored folder have been taken back? */
bool ignore_rules_take_back(const struct ignore_rules *rules);

#endif
