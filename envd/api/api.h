/*
 * api.h - HTTP as our interface: who asks, what for, and the answer.
 *
 * Handlers read from top to bottom, and every way to fail ends in api_answer_error(). What changes
 * something is noted for the end of the turn and answered after its commit (api_change.h).
 */
#ifndef ENVD_API_API_H
#define ENVD_API_API_H

#include "control/control.h"

struct api;

/* Listens where the settings say (the unix socket's folder is made), as http_server_listen_unix().
 * `control` must outlive it, its history feed too. */
NODISCARD bool api_open(struct control *control, struct api **api, struct error *err);

/* After the last turn. Requests that were not answered are forgotten. */
void api_close(struct api *api);

#endif
