/*
 * api_look.h - handlers: looking into an environment. Its layers are in the history; its resources
 * and updates are in its engine's books, which a worker reads while the request waits.
 */
#ifndef ENVD_API_API_LOOK_H
#define ENVD_API_API_LOOK_H

struct http_request;

void api_list_layers(void *api, struct http_request *request);
void api_list_resources(void *api, struct http_request *request);
void api_list_updates(void *api, struct http_request *request);

#endif
