/*
 * api_history.h - handlers: what happened, a page at a time.
 */
#ifndef ENVD_API_API_HISTORY_H
#define ENVD_API_API_HISTORY_H

struct http_request;

void api_list_history(void *api, struct http_request *request);

#endif
