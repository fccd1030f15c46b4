/*
 * pulumi_config.h - the configuration of the stacks: plain values as a file that we write, secrets
 * through the CLI over its stdin, one after another. Eight `config set` at once lose values, and an
 * argument can be read by everybody on the machine.
 */
#ifndef ENVD_ENGINE_PULUMI_PULUMI_CONFIG_H
#define ENVD_ENGINE_PULUMI_PULUMI_CONFIG_H

#include "engine/pulumi/pulumi_record.h"

/*
 * What can be known before anything is built: every ${...} has a value, values are of the types
 * that the projects declare, secrets are where they are said to be. ERR_INVALID "config_invalid",
 * "secret_missing".
 */
NODISCARD bool config_check(const struct pulumi_place *place, struct error *err);

/* Writes the file of a layer, once; a later attempt, and layers that share it, find it there. Makes
 * the layer's stack, too: what is in a file is encrypted with the key of its first stack. */
NODISCARD bool config_write(const struct pulumi_place *place, struct pulumi_record *record,
			    size_t layer, struct error *err);

/* SHA-256 over the plain values of a layer, for the lock. */
NODISCARD bool config_hash(const struct pulumi_place *place, size_t layer, char *into,
			   struct error *err);

/* An array of those that can be read again: the server's variables and files. To hide them; never
 * to be written anywhere. New reference. */
json_t *config_known_secrets(const struct pulumi_place *place);

#endif
