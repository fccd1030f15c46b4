/*
 * api_templates.h - handlers: what can be asked for.
 */
#ifndef ENVD_API_API_TEMPLATES_H
#define ENVD_API_API_TEMPLATES_H

struct http_request;

void api_list_templates(void *api, struct http_request *request);
void api_get_template(void *api, struct http_request *request);
void api_get_source_template(void *api, struct http_request *request);

#endif
