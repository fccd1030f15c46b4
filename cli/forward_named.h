/*
 * forward_named.h - the ports of an environment's cluster that its template has names for, all of
 * them at once, each on a port of this machine.
 */
#ifndef CLI_FORWARD_NAMED_H
#define CLI_FORWARD_NAMED_H

#include "cli/api_client.h"

/* [{"name", "namespace", "service", "port", "local"}] of an environment, by its name; `one` (may be
 * NULL): only this one, ERR_NOT_FOUND "forward_not_found" when it is not there. New reference. */
NODISCARD bool forward_named_fetch(struct api_client *client, const char *name, const char *one,
				   json_t **forwards, struct error *err);

/* Until an interrupt: always false then. `local` is the port for the first; -1: its own, or any
 * that is free where that is taken. */
bool forward_named_run(struct api_client *client, const char *name, const json_t *forwards,
		       int64_t local, struct error *err);

#endif
