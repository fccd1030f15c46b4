/*
 * api_audit.h - handler: who changed what.
 */
#ifndef ENVD_API_API_AUDIT_H
#define ENVD_API_API_AUDIT_H

#include "http/http_request.h"

void api_list_audit(void *api, struct http_request *request);

#endif
