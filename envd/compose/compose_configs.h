/*
 * compose_configs.h - files that are put into containers: `configs:` and `secrets:`, at the top and
 * of a service. For compose/ only.
 */
#ifndef ENVD_COMPOSE_COMPOSE_CONFIGS_H
#define ENVD_COMPOSE_COMPOSE_CONFIGS_H

#include "compose/compose_reader.h"

/* The top-level keys. */
NODISCARD bool compose_configs_read(struct compose_reader *reader, struct compose_configs *configs,
				    struct error *err);
NODISCARD bool compose_secrets_read(struct compose_reader *reader, struct compose_configs *secrets,
				    struct error *err);
void compose_configs_release(struct compose_configs *configs);

compose_read_key compose_config_uses_read, compose_secret_uses_read;
void compose_config_uses_release(struct compose_config_uses *uses);

#endif
