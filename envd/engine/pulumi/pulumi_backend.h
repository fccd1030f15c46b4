/*
 * pulumi_backend.h - where the states of an environment are: files of its own, a bucket of S3, or
 * Pulumi Cloud.
 *
 * Files are read as they lie there (pulumi_state.h). The others are asked by the CLI (`stack
 * export`), and what it said is believed until the next command about the stack: nobody else writes
 * to an environment's stacks while a job of it runs.
 *
 * Credentials go into the variables of the programs, and nowhere else of ours. The CLI itself
 * writes a token into PULUMI_HOME (0600); it goes with the stacks.
 */
#ifndef ENVD_ENGINE_PULUMI_PULUMI_BACKEND_H
#define ENVD_ENGINE_PULUMI_PULUMI_BACKEND_H

#include "engine/pulumi/pulumi_place.h"

/* What the template says, filled in. ERR_INVALID "backend_invalid". */
NODISCARD bool backend_open(struct pulumi_place *place, struct error *err);
void backend_release(struct pulumi_place *place);

/* "NAME=value" for the programs: the address and, once they were read, the credentials. Ends with
 * NULL; borrowed. Errors: those of secret_read(), ERR_INVALID "credentials_invalid". */
NODISCARD bool backend_variables(struct pulumi_place *place, char *const **variables,
				 struct error *err);

/* What the CLI calls the environment's stack of any project, and who owns it. */
const char *backend_stack(const struct pulumi_place *place);
const char *backend_owner(const struct pulumi_place *place);

/* Where a person looks at a project's stack; NULL: nowhere. The caller frees. */
char *backend_link(const struct pulumi_place *place, const char *project);

/* argv of the command that makes a stack, without the program; `words` has room for all. */
#define BACKEND_INIT_WORDS 8
void backend_init_words(const struct pulumi_place *place, const char *words[BACKEND_INIT_WORDS]);

/* Is it asked by the CLI? Else its files are read. */
bool backend_is_remote(const struct pulumi_place *place);

/* The state of a stack as `stack export` prints it; `*whole` NULL: there is no such stack. Borrowed
 * until backend_forget(). ERR_EXTERNAL "state_unreadable": never taken for an empty one. */
NODISCARD bool backend_export(const struct pulumi_place *place, size_t layer, const json_t **whole,
			      struct error *err);

/* A command about this stack has been run. */
void backend_forget(const struct pulumi_place *place, size_t layer);

/* How many locks of the stack there are. Where the backend does not say (Pulumi Cloud), none. */
NODISCARD bool backend_locks(const struct pulumi_place *place, size_t layer, size_t *count,
			     struct error *err);

/* Does whoever holds a lock still live? `text` is the lock as Pulumi writes it, `host` ours. Pure
 * but for /proc. ERR_CONFLICT "locked_elsewhere" when it cannot be known here. */
NODISCARD bool backend_lock_is_dead(const char *text, const char *host, struct error *err);

#endif
