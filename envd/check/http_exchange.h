/*
 * http_exchange.h - one HTTP request and its response over libcurl: for smoke steps (performed at
 * once) and for load checks (many at a time).
 *
 * Certificates are always verified, against the given CA alone if there is one. No proxy, no
 * redirects unless the step says so, no addresses but those that the guard allows. Cookies and
 * connections stay with the exchange from one request to the next.
 */
#ifndef ENVD_CHECK_HTTP_EXCHANGE_H
#define ENVD_CHECK_HTTP_EXCHANGE_H

#include <curl/curl.h>

#include "check/address_guard.h"
#include "check/cluster_way.h"
#include "check/http_response.h"
#include "check/scope.h"
#include "model/check_plan.h"

struct http_exchange {
	CURL *curl;
	struct address_guard *guard;
	const struct kube_access *cluster; /* for bases of it; NULL: none may be used */
	struct curl_slist *headers;
	char *body;
	size_t body_length;
	char failure[CURL_ERROR_SIZE];
	bool is_through_cluster;
	bool is_refused; /* by the guard; `refusal` says which address */
	struct error refusal;
	struct http_response response;
};

struct http_exchange *http_exchange_new(struct address_guard *guard);
void http_exchange_free(struct http_exchange *exchange);
DEFINE_AUTO(struct http_exchange *, http_exchange_free)

/* Forget cookies: another visitor. */
void http_exchange_clear_cookies(struct http_exchange *exchange);

/*
 * Fill in names and set everything up; the next step is curl_easy_perform() or a multi handle.
 * `keeps_body` false: the body is only counted. ERR_INVALID: a name without value, a CA that is not
 * PEM, a URL or header that cannot be sent.
 */
NODISCARD bool http_exchange_prepare(struct http_exchange *exchange, const struct check_http *http,
				     struct scope *scope, int64_t time_limit_ms, bool keeps_body,
				     struct error *err);

/*
 * After libcurl is done: fill in the response, or say why there is none. ERR_DENIED
 * "address_not_allowed"; ERR_TIMEOUT; ERR_EXTERNAL for everything else that went wrong on the way.
 */
NODISCARD bool http_exchange_finish(struct http_exchange *exchange, CURLcode code,
				    struct error *err);

/* Both in one, blocking. */
NODISCARD bool http_exchange_perform(struct http_exchange *exchange, const struct check_http *http,
				     struct scope *scope, int64_t time_limit_ms, struct error *err);

/* What the cookie jar holds under this name; the caller frees; NULL: nothing. */
char *http_exchange_jar_cookie(const struct http_exchange *exchange, const char *name);

#endif
