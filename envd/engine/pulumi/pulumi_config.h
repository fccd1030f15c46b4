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

/*
 * The file of a layer, written once; a later attempt, and layers that share it, find it there.
 *
 *   config_begin()   writes the plain values. *result NULL: it was written before
 *   config_next()    the next call of the CLI, until there is none: first the one that makes the
 *                    layer's stack, since what is in a file is encrypted with the key of its first
 *                    stack, then one for each secret
 *   config_end()     it is written
 *
 * One call at a time, and no other stack that shares the file is made meanwhile.
 */
struct config_writing;

/* The caller frees the result. Errors: those of state_read(), ERR_EXTERNAL. */
NODISCARD bool config_begin(const struct pulumi_place *place, const struct pulumi_record *record,
			    size_t layer, struct config_writing **result, struct error *err);

/* `*words` without the program, borrowed until the next call; NULL when all was done. `*input`
 * goes to its stdin, a secret, or NULL; the caller wipes and frees it. Errors: those of
 * secret_read(). */
NODISCARD bool config_next(struct config_writing *writing, const char *const **words, char **input,
			   struct error *err);
NODISCARD bool config_end(const struct config_writing *writing, struct pulumi_record *record,
			  struct error *err);
void config_writing_free(struct config_writing *writing);

/* SHA-256 over the plain values of a layer, for the lock. */
NODISCARD bool config_hash(const struct pulumi_place *place, size_t layer, char *into,
			   struct error *err);

/* An array of those that can be read again: the server's variables and files. To hide them; never
 * to be written anywhere. New reference. */
json_t *config_known_secrets(const struct pulumi_place *place);

#endif
