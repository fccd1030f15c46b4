/*
 * compose_check.h - does what a Compose file refers to exist, and can its services be started in
 * some order? For compose/ only.
 */
#ifndef ENVD_COMPOSE_COMPOSE_CHECK_H
#define ENVD_COMPOSE_COMPOSE_CHECK_H

#include "compose/compose.h"

/* Error: slugs compose_invalid and compose_cycle. */
NODISCARD bool compose_check(const struct compose_file *file, struct error *err);

#endif
