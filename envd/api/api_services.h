/*
 * api_services.h - handlers: what the services of an environment do right now, asked of its engine.
 */
#ifndef ENVD_API_API_SERVICES_H
#define ENVD_API_API_SERVICES_H

struct http_request;

void api_get_services(void *api, struct http_request *request);

#endif
