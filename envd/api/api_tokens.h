/*
 * api_tokens.h - handlers: make, list and revoke tokens.
 */
#ifndef ENVD_API_API_TOKENS_H
#define ENVD_API_API_TOKENS_H

#include "http/http_request.h"

void api_create_token(void *api, struct http_request *request);
void api_list_tokens(void *api, struct http_request *request);
void api_revoke_token(void *api, struct http_request *request);

#endif
