/*
 * api_client_inner.h - what api_tunnel.c needs of api_client.c, and nobody else.
 */
#ifndef CLI_API_CLIENT_INNER_H
#define CLI_API_CLIENT_INNER_H

#include "cli/api_client.h"

struct curl_slist;

/* How the server is reached and known; `easy` is a CURL handle. */
void api_client_set_way(const struct api_client *client, void *easy, const char *path);

struct curl_slist *api_client_headers(const struct api_client *client,
				      const struct api_request *request);
void api_client_headers_free(struct curl_slist *headers);

int api_client_wake_fd(const struct api_client *client);

/* Before the first call that changes something: is it an envd that we can talk to? */
NODISCARD bool api_client_meet(struct api_client *client, struct error *err);

/* Errors; all return false. `code` is a CURLcode, `body` an answer of that status. */
bool api_client_unreachable(const struct api_client *client, const char *why, struct error *err);
bool api_client_curl_failed(struct api_client *client, int code, const char *details,
			    struct error *err);
bool api_client_problem(struct api_client *client, long status, const char *body,
			struct error *err);

#endif
