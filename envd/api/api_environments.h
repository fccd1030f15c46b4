/*
 * api_environments.h - handlers: make, list, show and end environments.
 */
#ifndef ENVD_API_API_ENVIRONMENTS_H
#define ENVD_API_API_ENVIRONMENTS_H

struct http_request;

/* `api` is a struct api, as in all handlers. */
void api_create_environment(void *api, struct http_request *request);
void api_list_environments(void *api, struct http_request *request);
void api_get_environment(void *api, struct http_request *request);
void api_destroy_environment(void *api, struct http_request *request);
void api_acknowledge_environment(void *api, struct http_request *request);
void api_get_outputs(void *api, struct http_request *request);
void api_get_lock(void *api, struct http_request *request);

#endif
