/*
 * api_lease.h - handlers: look at a lease and make it longer.
 */
#ifndef ENVD_API_API_LEASE_H
#define ENVD_API_API_LEASE_H

struct http_request;

void api_get_lease(void *api, struct http_request *request);
void api_extend_lease(void *api, struct http_request *request);

#endif
