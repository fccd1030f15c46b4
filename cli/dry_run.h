/*
 * dry_run.h - a create that is not sent, or sent to be planned only.
 */
#ifndef CLI_DRY_RUN_H
#define CLI_DRY_RUN_H

#include "cli/creation.h"

extern const char *const dry_runs[]; /* "client", "server"; ends with NULL */

/* Prints the request, or the server's plan. `has_changes`: it would make something. */
NODISCARD bool dry_run(struct creation *creation, const char *where, bool *has_changes,
		       struct error *err);

#endif
