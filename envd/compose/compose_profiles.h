/*
 * compose_profiles.h - services that are only there when asked for: `profiles:`. For compose/ only.
 *
 * As with other Compose tools the variable COMPOSE_PROFILES asks: names with commas between them,
 * "*" for all. A template gives it as a parameter.
 */
#ifndef ENVD_COMPOSE_COMPOSE_PROFILES_H
#define ENVD_COMPOSE_COMPOSE_PROFILES_H

#include "compose/compose_reader.h"

/* Services that nobody asked for leave the file. Who cannot do without one of these is an error. */
NODISCARD bool compose_profiles_select(const struct compose_reader *reader, struct error *err);

#endif
