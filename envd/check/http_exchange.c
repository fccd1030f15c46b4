#include "check/http_exchange.h"

#include <string.h>

#include "base/clock.h"
#include "base/json_read.h"
#include "kube/kube_client.h"

#define REDIRECTS_MAX 3

struct http_exchange *http_exchange_new(struct address_guard *guard)
{
	struct http_exchange *exchange = xcalloc(1, sizeof(*exchange));

	exchange->guard = guard;
	exchange->curl = curl_easy_init();
	if (!exchange->curl)
		abort(); /* libcurl's only reason is memory */
	/* A cookie that has expired turns the jar on for good. CURLOPT_COOKIEFILE would do so until
	 * the next curl_easy_reset(), which loses the memory of its argument (libcurl 7.88). */
	curl_easy_setopt(exchange->curl, CURLOPT_COOKIELIST,
			 "Set-Cookie: none=; expires=Thu, 01 Jan 1970 00:00:00 GMT");
	return exchange;
}

static void clear(struct http_exchange *exchange)
{
	curl_slist_free_all(exchange->headers);
	free(exchange->body);
	exchange->headers = NULL;
	exchange->body = NULL;
	exchange->body_length = 0;
	exchange->failure[0] = '\0';
	exchange->is_refused = false;
	exchange->is_through_cluster = false;
	http_response_release(&exchange->response);
}

void http_exchange_free(struct http_exchange *exchange)
{
	if (!exchange)
		return;
	curl_easy_cleanup(exchange->curl);
	clear(exchange);
	free(exchange);
}

void http_exchange_clear_cookies(struct http_exchange *exchange)
{
	curl_easy_setopt(exchange->curl, CURLOPT_COOKIELIST, "ALL");
}

/* ---- callbacks of libcurl ------------------------------------------------------------------ */

static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct http_exchange *exchange = arg;

	(void)purpose;
	if (address_guard_allows(exchange->guard, &address->addr))
		return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
	exchange->is_refused = true;
	address_guard_refuse(&address->addr, &exchange->refusal);
	return CURL_SOCKET_BAD;
}

static size_t on_header(char *line, size_t size, size_t count, void *arg)
{
	struct http_exchange *exchange = arg;
	size_t length = size * count;

	/* A new status line: what came before was an interim answer or a redirect. */
	if (length > 5 && strncmp(line, "HTTP/", 5) == 0)
		http_response_release(&exchange->response);
	else
		http_response_add_header(&exchange->response, line, length);
	return length;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
	struct http_response *response = arg;
	size_t length = size * count;

	response->size += length;
	if (!response->keeps_body)
		return length;
	if (response->size > HTTP_BODY_BYTES_MAX) {
		response->is_body_too_large = true;
		return 0;
	}
	text_add_bytes(&response->body, bytes, length);
	return length;
}

/* ---- preparing ----------------------------------------------------------------------------- */

static bool has_line_break(const char *text)
{
	return strpbrk(text, "\r\n") != NULL;
}

static bool add_header(struct http_exchange *exchange, struct scope *scope,
		       const struct check_pair *pair, struct error *err)
{
	AUTO(free) char *value = NULL;
	AUTO(free) char *line = NULL;

	if (!scope_fill(scope, pair->value, &value, err))
		return false;
	/* A captured value comes from outside and could begin another header. */
	if (has_line_break(value))
		return error_set(err, ERR_INVALID, "header \"%.60s\" would hold a line break",
				 pair->name);
	if (exchange->is_through_cluster && strcasecmp(pair->name, "Authorization") == 0)
		return error_set(
		    err, ERR_INVALID,
		    "header \"Authorization\" does not pass a cluster's API server, which "
		    "takes it for itself");
	scope_note_field(scope, pair->name, value);
	line = *value ? xasprintf("%s: %s", pair->name, value) : xasprintf("%s;", pair->name);
	exchange->headers = curl_slist_append(exchange->headers, line);
	return true;
}

static bool add_headers(struct http_exchange *exchange, struct scope *scope,
			const struct check_http *http, struct error *err)
{
	for (size_t i = 0; i < http->headers.count; i++)
		if (!add_header(exchange, scope, &http->headers.items[i], err))
			return false;
	return true;
}

static void add_field(struct http_exchange *exchange, struct text *form, const char *name,
		      const char *value)
{
	char *name_text = curl_easy_escape(exchange->curl, name, (int)strlen(name));
	char *value_text = curl_easy_escape(exchange->curl, value, (int)strlen(value));

	text_format(form, "%s%s=%s", form->length ? "&" : "", name_text, value_text);
	curl_free(name_text);
	curl_free(value_text);
}

static bool make_form(struct http_exchange *exchange, struct scope *scope,
		      const struct check_http *http, struct error *err)
{
	AUTO(text_release) struct text form = TEXT_EMPTY;

	for (size_t i = 0; i < http->form.count; i++) {
		const struct check_pair *pair = &http->form.items[i];
		AUTO(free) char *value = NULL;

		if (!scope_fill(scope, pair->value, &value, err))
			return false;
		scope_note_field(scope, pair->name, value);
		add_field(exchange, &form, pair->name, value);
	}
	exchange->body_length = form.length;
	exchange->body = text_take(&form);
	return true;
}

/* The same JSON with names filled in. NULL on failure. */
static json_t *fill_json(struct scope *scope, const char *key, const json_t *json,
			 struct error *err)
{
	json_t *source = (json_t *)(uintptr_t)json;
	AUTO(json_decref) json_t *copy = NULL;
	AUTO(free) char *text = NULL;

	if (json_is_string(json)) {
		if (!scope_fill(scope, json_string_value(json), &text, err))
			return NULL;
		scope_note_field(scope, key, text);
		return json_string(text);
	}
	if (!json_is_array(json) && !json_is_object(json))
		return json_incref(source);
	copy = json_is_array(json) ? json_array() : json_object();
	for (size_t i = 0; i < json_array_size(json); i++) {
		json_t *item = fill_json(scope, key, json_array_get(json, i), err);

		if (!item)
			return NULL;
		json_array_append_new(copy, item);
	}
	for (void *at = json_is_object(json) ? json_object_iter(source) : NULL; at;
	     at = json_object_iter_next(source, at)) {
		const char *name = json_object_iter_key(at);
		json_t *item = fill_json(scope, name, json_object_iter_value(at), err);

		if (!item)
			return NULL;
		json_object_set_new(copy, name, item);
	}
	return TAKE(copy);
}

static bool make_json(struct http_exchange *exchange, struct scope *scope,
		      const struct check_http *http, struct error *err)
{
	AUTO(json_decref) json_t *filled = fill_json(scope, "", http->json, err);

	if (!filled)
		return false;
	exchange->body = json_dumps(filled, JSON_COMPACT | JSON_ENCODE_ANY);
	exchange->body_length = strlen(exchange->body);
	exchange->headers = curl_slist_append(exchange->headers, "Content-Type: application/json");
	return true;
}

static bool make_body(struct http_exchange *exchange, struct scope *scope,
		      const struct check_http *http, struct error *err)
{
	bool is_made = true;

	if (http->has_form)
		is_made = make_form(exchange, scope, http, err);
	else if (http->json)
		is_made = make_json(exchange, scope, http, err);
	else if (http->body)
		is_made = scope_fill(scope, http->body, &exchange->body, err);
	if (is_made && exchange->body && !exchange->body_length)
		exchange->body_length = strlen(exchange->body);
	return is_made;
}

/* With the environment's login, which goes nowhere else: no redirect is followed. */
static bool go_through_cluster(struct http_exchange *exchange, const struct check_http *http,
			       const char *base, const char *path, struct error *err)
{
	AUTO(free) char *url = NULL;
	AUTO(free) char *login = NULL;

	if (!exchange->cluster)
		return error_set_as(err, ERR_INVALID, "no_cluster",
				    "base \"%.100s\" is of a cluster, and there is none that this "
				    "check may use",
				    base);
	if (!cluster_way_url(exchange->cluster, http, base, path, &url, err))
		return false;
	curl_easy_setopt(exchange->curl, CURLOPT_URL, url);
	curl_easy_setopt(exchange->curl, CURLOPT_PATH_AS_IS, 1L);
	kube_set_trust(exchange->curl, exchange->cluster);
	login = kube_authorization(exchange->cluster);
	if (login)
		exchange->headers = curl_slist_append(exchange->headers, login);
	exchange->is_through_cluster = true;
	return true;
}

/* "base" and "path" make the URL, unless what was captured as path is a whole URL already. */
static bool make_url(struct http_exchange *exchange, struct scope *scope,
		     const struct check_http *http, struct error *err)
{
	AUTO(free) char *base = NULL;
	AUTO(free) char *path = NULL;
	AUTO(free) char *url = NULL;
	size_t length;

	if (!scope_fill(scope, http->base, &base, err) ||
	    !scope_fill(scope, http->path, &path, err))
		return false;
	if (text_starts_with(path, "http://") || text_starts_with(path, "https://")) {
		url = TAKE(path);
	} else if (cluster_way_is_base(base)) {
		return go_through_cluster(exchange, http, base, path, err);
	} else {
		length = strlen(base);
		while (length > 0 && base[length - 1] == '/')
			length--;
		url = xasprintf("%.*s%s%s", (int)length, base, *path == '/' ? "" : "/", path);
	}
	if (!text_starts_with(url, "http://") && !text_starts_with(url, "https://"))
		return error_set(err, ERR_INVALID, "\"%.100s\" is no http or https address", url);
	curl_easy_setopt(exchange->curl, CURLOPT_URL, url);
	return true;
}

static bool set_ca(struct http_exchange *exchange, struct scope *scope,
		   const struct check_http *http, struct error *err)
{
	AUTO(free) char *ca = NULL;
	struct curl_blob blob = { .flags = CURL_BLOB_COPY };

	if (!http->ca || exchange->is_through_cluster)
		return true;
	if (!scope_fill(scope, http->ca, &ca, err))
		return false;
	if (!strstr(ca, "-----BEGIN CERTIFICATE-----"))
		return error_set(err, ERR_INVALID, "\"ca\" is not a certificate in PEM form");
	blob.data = ca;
	blob.len = strlen(ca);
	/* Without these two the system's CAs would be believed as well. */
	curl_easy_setopt(exchange->curl, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(exchange->curl, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(exchange->curl, CURLOPT_CAINFO_BLOB, &blob);
	return true;
}

static void set_constants(struct http_exchange *exchange)
{
	CURL *curl = exchange->curl;

	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_MAXREDIRS, (long)REDIRECTS_MAX);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "envd-check/" ENVD_VERSION);
	curl_easy_setopt(curl, CURLOPT_MAXAGE_CONN, 3600L);
	curl_easy_setopt(curl, CURLOPT_DNS_CACHE_TIMEOUT, 5L);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, exchange->failure);
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, exchange);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, exchange);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &exchange->response);
}

static void set_method(struct http_exchange *exchange, const struct check_http *http)
{
	CURL *curl = exchange->curl;

	if (strcmp(http->method, "HEAD") == 0)
		curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
	if (exchange->body) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
				 (curl_off_t)exchange->body_length);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, exchange->body);
		/* One round trip more, for nothing. */
		exchange->headers = curl_slist_append(exchange->headers, "Expect:");
	}
	/* A custom word would also be sent again after a redirect that turns POST into GET. */
	if (strcmp(http->method, exchange->body ? "POST" : "GET") != 0 &&
	    strcmp(http->method, "HEAD") != 0)
		curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, http->method);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, exchange->headers);
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION,
			 http->follow && !exchange->is_through_cluster ? 1L : 0L);
}

bool http_exchange_prepare(struct http_exchange *exchange, const struct check_http *http,
			   struct scope *scope, int64_t time_limit_ms, bool keeps_body,
			   struct error *err)
{
	clear(exchange);
	exchange->response.keeps_body = keeps_body;
	curl_easy_reset(exchange->curl); /* options only: cookies and connections stay */
	set_constants(exchange);
	curl_easy_setopt(exchange->curl, CURLOPT_TIMEOUT_MS, (long)time_limit_ms);
	if (!make_url(exchange, scope, http, err) || !set_ca(exchange, scope, http, err) ||
	    !add_headers(exchange, scope, http, err) || !make_body(exchange, scope, http, err))
		return false;
	set_method(exchange, http);
	return true;
}

/* ---- finishing ----------------------------------------------------------------------------- */

static bool say_failure(struct http_exchange *exchange, CURLcode code, struct error *err)
{
	const char *why = *exchange->failure ? exchange->failure : curl_easy_strerror(code);
	long errno_value = 0;

	if (exchange->is_refused && code == CURLE_COULDNT_CONNECT) {
		*err = exchange->refusal;
		return false;
	}
	if (exchange->response.is_body_too_large)
		return error_set(err, ERR_EXTERNAL, "the body is larger than %zu bytes",
				 HTTP_BODY_BYTES_MAX);
	if (code == CURLE_OPERATION_TIMEDOUT)
		return error_set(err, ERR_TIMEOUT, "%s", why);
	if (code == CURLE_TOO_MANY_REDIRECTS)
		return error_set(err, ERR_EXTERNAL, "more than %d redirects", REDIRECTS_MAX);
	if (code == CURLE_URL_MALFORMAT)
		return error_set(err, ERR_INVALID, "%s", why);
	curl_easy_getinfo(exchange->curl, CURLINFO_OS_ERRNO, &errno_value);
	if (code == CURLE_COULDNT_CONNECT && errno_value)
		return error_set(err, ERR_EXTERNAL, "%s (%s)", why, strerror((int)errno_value));
	return error_set(err, ERR_EXTERNAL, "%s", why);
}

bool http_exchange_finish(struct http_exchange *exchange, CURLcode code, struct error *err)
{
	struct http_response *response = &exchange->response;
	long version = CURL_HTTP_VERSION_1_1;
	curl_off_t us = 0;
	char *url = NULL;

	if (code != CURLE_OK)
		return say_failure(exchange, code, err);
	curl_easy_getinfo(exchange->curl, CURLINFO_RESPONSE_CODE, &response->status);
	curl_easy_getinfo(exchange->curl, CURLINFO_REDIRECT_COUNT, &response->redirects);
	curl_easy_getinfo(exchange->curl, CURLINFO_HTTP_VERSION, &version);
	curl_easy_getinfo(exchange->curl, CURLINFO_TOTAL_TIME_T, &us);
	curl_easy_getinfo(exchange->curl, CURLINFO_EFFECTIVE_URL, &url);
	response->http_version = version == CURL_HTTP_VERSION_1_0   ? 10
				 : version == CURL_HTTP_VERSION_2_0 ? 20
				 : version == CURL_HTTP_VERSION_3   ? 30
								    : 11;
	response->duration_us = us;
	free(response->url);
	response->url = url ? xstrdup(url) : NULL;
	return true;
}

bool http_exchange_perform(struct http_exchange *exchange, const struct check_http *http,
			   struct scope *scope, int64_t time_limit_ms, struct error *err)
{
	return http_exchange_prepare(exchange, http, scope, time_limit_ms, true, err) &&
	       http_exchange_finish(exchange, curl_easy_perform(exchange->curl), err);
}

/* A line of the jar has seven fields, divided by tabs; the last three are expiry, name and value.
 * libcurl lists what has expired until it is used again. */
static char *jar_line_value(const char *line, const char *name)
{
	size_t length = strlen(name);
	const char *at = line;
	long long expires_s;

	for (int i = 0; i < 4 && at; i++) {
		at = strchr(at, '\t');
		at = at ? at + 1 : NULL;
	}
	if (!at)
		return NULL;
	expires_s = strtoll(at, NULL, 10);
	at += strcspn(at, "\t");
	if (!*at || strncmp(at + 1, name, length) != 0 || at[1 + length] != '\t' ||
	    (expires_s && expires_s * 1000 <= clock_wall_ms()))
		return NULL;
	return xstrdup(at + 2 + length);
}

char *http_exchange_jar_cookie(const struct http_exchange *exchange, const char *name)
{
	struct curl_slist *list = NULL;
	char *value = NULL;

	curl_easy_getinfo(exchange->curl, CURLINFO_COOKIELIST, &list);
	for (struct curl_slist *at = list; at && !value; at = at->next)
		value = jar_line_value(at->data, name);
	curl_slist_free_all(list);
	return value;
}
