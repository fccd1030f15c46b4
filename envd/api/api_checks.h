/*
 * api_checks.h - handlers: ask for a check run, and see how it went.
 */
#ifndef ENVD_API_API_CHECKS_H
#define ENVD_API_API_CHECKS_H

#include <jansson.h>

struct check_run;
struct http_request;

void api_start_check(void *api, struct http_request *request);
void api_list_checks(void *api, struct http_request *request);
void api_get_check(void *api, struct http_request *request);

/* The run's report; before there is one, the same document without results. New reference. */
json_t *api_check_json(const struct check_run *run);

#endif
