/*
 * api_login.h - who is asking: by the token in the Authorization header if there is one, else by
 * the unix socket's credentials (api_auth.h). Who fails too often waits (model/login_limit.h), and
 * the audit history hears of failures in sums.
 */
#ifndef ENVD_API_API_LOGIN_H
#define ENVD_API_API_LOGIN_H

#include "http/http_request.h"
#include "model/permission.h"

struct api;
struct api_login;

struct api_login *api_login_new(struct api *api);
void api_login_free(struct api_login *login);

/* ERR_STRANGER "token_missing", "token_refused", "token_expired" or "token_revoked"; ERR_LIMIT
 * "too_many_failed_logins", with a Retry-After header on the answer; ERR_DENIED "peer_refused" or
 * "not_your_project"; ERR_INVALID "project_unknown". The token is in none of them. */
NODISCARD bool api_login_caller(struct api_login *login, struct http_request *request,
				struct caller *caller, struct error *err);

#endif
