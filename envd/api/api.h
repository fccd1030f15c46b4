/*
 * api.h - HTTP as our interface: the table of routes in api.c, one file per noun beside it.
 */
#ifndef ENVD_API_API_H
#define ENVD_API_API_H

#include "control/control.h"

struct api;

/* Listens on settings->listen. `control` has its templates and its feed by then. Errors: ERR_CONFLICT
 * "address_in_use" when a living server has the socket, and those of making it. */
NODISCARD bool api_open(struct control *control, struct api **api, struct error *err);

/* Stops listening; who still waits for an answer is cut off. */
void api_close(struct api *api);

#endif
