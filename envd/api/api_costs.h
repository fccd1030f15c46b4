/*
 * api_costs.h - handlers: what was spent, by whom.
 */
#ifndef ENVD_API_API_COSTS_H
#define ENVD_API_API_COSTS_H

struct http_request;

void api_get_costs(void *api, struct http_request *request);

#endif
