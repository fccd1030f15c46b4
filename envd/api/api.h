/*
 * api.h - HTTP as our interface: who asks, what for, and the answer.
 *
 * Handlers read from top to bottom, and every way to fail ends in api_answer_error(). What changes
 * something is noted for the end of the turn and answered after its commit (api_change.h).
 */
#ifndef ENVD_API_API_H
#define ENVD_API_API_H

#include "control/control.h"
#include "http/http_request.h"

struct api;

/* `control` must outlive it. Members of the group `ci_group` have the role ci; NULL or a group that
 * does not exist: nobody has. */
struct api *api_new(struct control *control, const char *ci_group);

/* Before the HTTP server is freed: questions under way are answered "shutting_down". */
void api_free(struct api *api);
DEFINE_AUTO(struct api *, api_free)

/* For http_server_new(); `api` is a struct api. */
void api_on_request(void *api, struct http_request *request);

/* The group whose members may use the socket, (gid_t)-1 if there is none. */
gid_t api_ci_group(const struct api *api);

#endif
