/*
 * api_targets.h - handlers: what environments are built on, and how full it is.
 */
#ifndef ENVD_API_API_TARGETS_H
#define ENVD_API_API_TARGETS_H

struct http_request;

void api_list_targets(void *api, struct http_request *request);

#endif
