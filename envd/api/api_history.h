/*
 * api_history.h - handlers: what happened, a page at a time.
 */
#ifndef ENVD_API_API_HISTORY_H
#define ENVD_API_API_HISTORY_H

#include "api/api_context.h"

struct http_request;

void api_list_history(void *api, struct http_request *request);

/* The rows of one environment as clients see them, oldest first: the first 5,000 of a longer one.
 * New reference. */
NODISCARD bool api_history_read(struct api *api, const struct environment *environment,
				json_t **history, struct error *err);

#endif
