/*
 * api_openapi.h - the interface, described as an OpenAPI 3.1 document: made from the route table,
 * from the rows of api_openapi.c beside it, and from the shapes of wire/.
 */
#ifndef ENVD_API_API_OPENAPI_H
#define ENVD_API_API_OPENAPI_H

#include "http/http_request.h"

void api_get_openapi(void *api, struct http_request *request);

/* New reference. A route without a row of its own has only its summary. */
json_t *api_openapi_document(void);

#endif
