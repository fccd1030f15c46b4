/*
 * api_version.h - handlers: what runs here, and whether it works.
 */
#ifndef ENVD_API_API_VERSION_H
#define ENVD_API_API_VERSION_H

struct http_request;

void api_get_version(void *api, struct http_request *request);
void api_get_health(void *api, struct http_request *request);    /* the process answers */
void api_get_readiness(void *api, struct http_request *request); /* and so does its store */

#endif
