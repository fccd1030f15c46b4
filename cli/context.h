/*
 * context.h - which server, and as whom: a context of config.h put into the common options.
 *
 * The server is named by --server, else by --context, ENVCTL_SERVER, ENVCTL_CONTEXT, or what the
 * files choose. Where something other than the context names the server, nothing of the context is
 * used: a token goes to the server that it was written down for.
 */
#ifndef CLI_CONTEXT_H
#define CLI_CONTEXT_H

#include "cli/command.h"

NODISCARD bool context_apply(struct cli *cli, struct error *err);

/* Which one context_apply() would use, and why: "--context", "$ENVCTL_CONTEXT", a file's path.
 * `*name` NULL: none; then `*why` says what names the server instead, or is NULL. */
NODISCARD bool context_in_use(struct cli *cli, const char **name, const char **why,
			      struct error *err);

#endif
