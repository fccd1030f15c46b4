/*
 * compose_interpolate.h - ${VARIABLES} in a text, as the Compose specification has them (compose.h
 * lists the forms). For compose/ only.
 */
#ifndef ENVD_COMPOSE_COMPOSE_INTERPOLATE_H
#define ENVD_COMPOSE_COMPOSE_INTERPOLATE_H

#include <jansson.h>

#include "base/error.h"

/*
 * `variables` may be NULL. The name of every variable in the text becomes a key of `used`, also
 * those in a default that is not needed. The caller frees `result`. Error without a place:
 * ERR_INVALID, or ERR_LIMIT over `bytes_max`.
 */
NODISCARD bool compose_interpolate(const char *text, const json_t *variables, size_t bytes_max,
				   json_t *used, char **result, struct error *err);

#endif
