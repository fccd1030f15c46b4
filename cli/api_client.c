#include "cli/api_client.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "base/clock.h"
#include "base/files.h"
#include "cli/api_client_inner.h"
#include "cli/server_version.h"

DEFINE_AUTO(CURL *, curl_easy_cleanup)
DEFINE_AUTO(CURLM *, curl_multi_cleanup)

static void headers_free(struct curl_slist *headers)
{
	/* One of them is a token. */
	for (struct curl_slist *at = headers; at; at = at->next)
		explicit_bzero(at->data, strlen(at->data));
	curl_slist_free_all(headers);
}
DEFINE_AUTO(struct curl_slist *, headers_free)

enum {
	ANSWER_BYTES_MAX = 64 * 1024 * 1024,
	PROBLEM_BYTES_MAX = 64 * 1024,
	CONNECT_TIMEOUT_MS = 5000,
	CALL_TIMEOUT_MS = 30000,
	TICK_MS = 1000,
	PAGES_MAX = 10000,
};

struct api_client {
	char *server; /* as shown */
	char *socket; /* NULL: TCP */
	char *base;   /* "http://envd" */
	char *ca;     /* NULL: none, likewise below */
	char *certificate;
	char *key;
	char *authorization; /* the whole header */
	char *project;
	int wake_fd;
	char request_id[80];
	char server_version[40]; /* of its newest answer; "" until one said it */
};

/* ---- where the server is ---- */

static char *default_socket(void)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");

	if (runtime && *runtime) {
		AUTO(free) char *path = xasprintf("%s/envd/envd.sock", runtime);

		if (file_exists(path))
			return TAKE(path);
	}
	return xstrdup("/run/envd/envd.sock");
}

static bool locate(struct api_client *client, const char *server, struct error *err)
{
	char shown[120];

	if (!server || !*server)
		client->socket = default_socket();
	else if (text_starts_with(server, "unix:"))
		client->socket = xstrdup(server + strlen("unix:"));
	else if (*server == '/')
		client->socket = xstrdup(server);
	else if (!text_starts_with(server, "http://") && !text_starts_with(server, "https://"))
		return error_set_as(
		    err, ERR_INVALID, "server_invalid",
		    "server \"%s\" is not unix:PATH, http://HOST:PORT or https://HOST:PORT",
		    text_printable(server, shown, sizeof(shown)));
	client->base = xstrdup(client->socket ? "http://envd" : server);
	client->server = client->socket ? xasprintf("unix:%s", client->socket) : xstrdup(server);
	return true;
}

bool api_client_new(const char *server, struct api_client **client, struct error *err)
{
	AUTO(api_client_free) struct api_client *made = xcalloc(1, sizeof(*made));

	made->wake_fd = -1;
	if (!locate(made, server, err))
		return false;
	curl_global_init(CURL_GLOBAL_DEFAULT);
	*client = TAKE(made);
	return true;
}

/* A token must not stay in memory that is given back. */
static void forget(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

void api_client_free(struct api_client *client)
{
	if (!client)
		return;
	free(client->server);
	free(client->socket);
	free(client->base);
	free(client->ca);
	free(client->certificate);
	free(client->key);
	free(client->project);
	forget(client->authorization);
	free(client);
}

bool api_client_is_local(const struct api_client *client)
{
	static const char *const here[] = { "127.", "localhost:", "[::1]" };
	const char *host = strstr(client->base, "//") + 2;

	if (client->socket)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(here); i++)
		if (text_starts_with(host, here[i]))
			return true;
	return false;
}

/* "http://localhost:8080" stays on this machine. */
static bool leaves_in_clear(const struct api_client *client)
{
	return !api_client_is_local(client) && !text_starts_with(client->base, "https://");
}

static char *copy_of(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

bool api_client_set_access(struct api_client *client, const struct api_access *access,
			   struct error *err)
{
	if (access->token && leaves_in_clear(client)) {
		error_set_as(err, ERR_DENIED, "token_in_clear",
			     "a token is not sent to %s, where others could read it",
			     client->server);
		return error_hint(err, "use https://");
	}
	client->ca = copy_of(access->ca);
	client->certificate = copy_of(access->certificate);
	client->key = copy_of(access->key);
	client->project = access->project ? xasprintf("Envd-Project: %s", access->project) : NULL;
	client->authorization =
	    access->token ? xasprintf("Authorization: Bearer %s", access->token) : NULL;
	return true;
}

const char *api_client_server(const struct api_client *client)
{
	return client->server;
}

void api_client_set_wake_fd(struct api_client *client, int fd)
{
	client->wake_fd = fd;
}

const char *api_client_request_id(const struct api_client *client)
{
	return client->request_id;
}

/* ---- one exchange ---- */

struct exchange {
	struct api_client *client;
	const struct api_stream *stream; /* NULL: a call */
	struct text bytes;               /* the answer; of a stream, only a problem */
	char content_type[80];
	long status;
	int64_t server_at_ms;
	int64_t heard_at_ms; /* monotonic: the newest byte */
	bool is_too_large;
	bool is_ended; /* by a callback */
};

static void copy_value(const char *value, size_t length, char *into, size_t size)
{
	while (length && (*value == ' ' || *value == '\t')) {
		value++;
		length--;
	}
	while (length && (value[length - 1] == '\r' || value[length - 1] == '\n'))
		length--;
	if (length >= size)
		length = size - 1;
	memcpy(into, value, length);
	into[length] = '\0';
}

static size_t on_header(char *bytes, size_t size, size_t count, void *arg)
{
	struct exchange *exchange = arg;
	size_t length = size * count;
	const char *colon = memchr(bytes, ':', length);
	size_t name = colon ? (size_t)(colon - bytes) : 0;
	char date[64];

	if (name == 12 && strncasecmp(bytes, "content-type", name) == 0)
		copy_value(colon + 1, length - name - 1, exchange->content_type,
			   sizeof(exchange->content_type));
	if (name == 12 && strncasecmp(bytes, "x-request-id", name) == 0)
		copy_value(colon + 1, length - name - 1, exchange->client->request_id,
			   sizeof(exchange->client->request_id));
	if (name == 12 && strncasecmp(bytes, "envd-version", name) == 0)
		copy_value(colon + 1, length - name - 1, exchange->client->server_version,
			   sizeof(exchange->client->server_version));
	if (name == 4 && strncasecmp(bytes, "date", name) == 0) {
		time_t at;

		copy_value(colon + 1, length - name - 1, date, sizeof(date));
		at = curl_getdate(date, NULL);
		exchange->server_at_ms = at > 0 ? (int64_t)at * 1000 : 0;
	}
	return length;
}

#define VERSION_PATH "/v1/version"

bool api_client_check_version(const struct api_client *client, struct error *err)
{
	return server_version_check(ENVD_VERSION, client->server_version, client->server, err);
}

static bool is_streaming(const struct exchange *exchange, CURL *easy)
{
	long status = 0;

	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	return exchange->stream && status == 200;
}

struct receiving {
	struct exchange *exchange;
	CURL *easy;
};

static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
	struct receiving *receiving = arg;
	struct exchange *exchange = receiving->exchange;
	size_t length = size * count;

	exchange->heard_at_ms = clock_mono_ms();
	if (is_streaming(exchange, receiving->easy)) {
		struct error later; /* told when the exchange is over */

		exchange->is_ended =
		    !api_client_check_version(exchange->client, &later) ||
		    !exchange->stream->on_bytes(exchange->stream->arg, bytes, length);
		return exchange->is_ended ? 0 : length;
	}
	if (exchange->bytes.length + length > ANSWER_BYTES_MAX) {
		exchange->is_too_large = true;
		return 0;
	}
	text_add_bytes(&exchange->bytes, bytes, length);
	return length;
}

static bool unreachable(const struct api_client *client, const char *why, struct error *err)
{
	error_set_as(err, ERR_UNAVAILABLE, "server_unreachable", "cannot reach envd at %s: %s",
		     client->server, why);
	return error_hint(err,
			  "is envd running? `envctl doctor` looks; --server or ENVCTL_SERVER names "
			  "another one");
}

/* Trying again does not help, and going on would give the token to whoever answers there. */
static bool untrusted(const struct api_client *client, const char *why, struct error *err)
{
	error_set_as(err, ERR_DENIED, "server_untrusted", "the server at %s is not trusted: %s",
		     client->server, why);
	return error_hint(err, "--ca or ENVCTL_CA names the file of the CA that its certificate "
			       "must lead to");
}

static bool curl_failed(const struct exchange *exchange, CURLcode code, const char *details,
			struct error *err)
{
	if (exchange->is_too_large)
		return error_set(err, ERR_EXTERNAL, "the server's answer is larger than %d MiB",
				 ANSWER_BYTES_MAX / 1024 / 1024);
	if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE)
		return untrusted(exchange->client, *details ? details : curl_easy_strerror(code),
				 err);
	if (code == CURLE_SSL_CERTPROBLEM || strstr(details, "certificate required"))
		return error_set_as(err, ERR_DENIED, "client_certificate",
				    "%s does not take the client certificate: %s",
				    exchange->client->server, details);
	/* curl speaks of a port here, which a socket does not have. */
	if (code == CURLE_COULDNT_CONNECT && exchange->client->socket)
		return unreachable(exchange->client,
				   file_exists(exchange->client->socket)
				       ? "nobody listens there"
				       : "there is no such socket",
				   err);
	return unreachable(exchange->client, *details ? details : curl_easy_strerror(code), err);
}

static bool interrupted(struct error *err)
{
	return error_set_as(err, ERR_TIMEOUT, SLUG_INTERRUPTED, "interrupted");
}

/* Wait for the network, a wake-up or the next tick. False: stop, `err` says why unless a callback
 * ended it. */
static bool turn(struct exchange *exchange, CURLM *multi, struct error *err)
{
	const struct api_stream *stream = exchange->stream;
	struct curl_waitfd wake = { .fd = exchange->client->wake_fd, .events = CURL_WAIT_POLLIN };
	int64_t tick_ms = stream && stream->tick_ms ? stream->tick_ms : TICK_MS;

	/* The multi handle forgets nothing between turns: readiness seen here is handled by the
	 * next curl_multi_perform(). */
	curl_multi_poll(multi, &wake, wake.fd >= 0 ? 1 : 0, (int)tick_ms, NULL);
	if (wake.revents)
		return interrupted(err);
	if (stream && stream->on_tick && !stream->on_tick(stream->arg)) {
		exchange->is_ended = true;
		return false;
	}
	if (stream && stream->silence_ms &&
	    clock_mono_ms() - exchange->heard_at_ms > stream->silence_ms)
		return unreachable(exchange->client, "the connection fell silent", err);
	return true;
}

static bool perform(struct exchange *exchange, CURL *easy, const char *details, struct error *err)
{
	AUTO(curl_multi_cleanup) CURLM *multi = curl_multi_init();
	CURLcode code = CURLE_OK;
	CURLMsg *message;
	int running = 1, left;
	bool goes_on = true;

	exchange->heard_at_ms = clock_mono_ms();
	curl_multi_add_handle(multi, easy);
	while (running && goes_on) {
		curl_multi_perform(multi, &running);
		goes_on = !running || turn(exchange, multi, err);
	}
	while ((message = curl_multi_info_read(multi, &left)))
		if (message->msg == CURLMSG_DONE)
			code = message->data.result;
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &exchange->status);
	curl_multi_remove_handle(multi, easy);
	if (exchange->is_ended)
		return true;
	return goes_on && (code == CURLE_OK || curl_failed(exchange, code, details, err));
}

static struct curl_slist *headers_for(const struct api_client *client,
				      const struct api_request *request, const char *last_event_id)
{
	AUTO(free)
	char *key = xasprintf("Idempotency-Key: %s",
			      request->idempotency_key ? request->idempotency_key : "");
	AUTO(free) char *event = xasprintf("Last-Event-ID: %s", last_event_id ? last_event_id : "");
	AUTO(free)
	char *trace =
	    xasprintf("traceparent: %s", request->traceparent ? request->traceparent : "");
	struct curl_slist *headers = NULL;

	/* curl would wait for "100 Continue", which a small body is not worth. */
	headers = curl_slist_append(headers, "Expect:");
	if (request->body)
		headers = curl_slist_append(headers, "Content-Type: application/json");
	if (request->idempotency_key)
		headers = curl_slist_append(headers, key);
	/* A variable of anybody's: nothing but what it has to be goes into a header. */
	if (request->traceparent && strlen(request->traceparent) == 55 &&
	    strspn(request->traceparent, "0123456789abcdef-") == 55)
		headers = curl_slist_append(headers, trace);
	if (last_event_id)
		headers = curl_slist_append(headers, event);
	if (client->project)
		headers = curl_slist_append(headers, client->project);
	if (client->authorization)
		headers = curl_slist_append(headers, client->authorization);
	return headers;
}

static void set_tls(CURL *easy, const struct api_client *client)
{
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (client->ca)
		curl_easy_setopt(easy, CURLOPT_CAINFO, client->ca);
	if (client->certificate)
		curl_easy_setopt(easy, CURLOPT_SSLCERT, client->certificate);
	if (client->key)
		curl_easy_setopt(easy, CURLOPT_SSLKEY, client->key);
}

void api_client_set_way(const struct api_client *client, void *easy, const char *path)
{
	AUTO(free) char *url = xasprintf("%s%s", client->base, path);

	curl_easy_setopt(easy, CURLOPT_URL, url);
	if (client->socket)
		curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, client->socket);
	set_tls(easy, client);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
}

static bool exchange_once(struct exchange *exchange, const struct api_request *request,
			  struct error *err)
{
	const struct api_stream *stream = exchange->stream;
	const struct api_client *client = exchange->client;
	AUTO(headers_free)
	struct curl_slist *headers =
	    headers_for(client, request, stream ? stream->last_event_id : NULL);
	AUTO(free) char *body = request->body ? json_to_text(request->body) : NULL;
	AUTO(curl_easy_cleanup) CURL *easy = curl_easy_init();
	struct receiving receiving = { exchange, easy };
	char details[CURL_ERROR_SIZE] = "";
	int64_t timeout_ms = request->timeout_ms ? request->timeout_ms : CALL_TIMEOUT_MS;

	api_client_set_way(client, easy, request->path);
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method ? request->method : "GET");
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "envctl/" ENVD_VERSION);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, details);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, stream ? 0L : (long)timeout_ms);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, &receiving);
	if (body)
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
	return perform(exchange, easy, details, err);
}

/* ---- problems ---- */

static const struct {
	long status;
	enum error_code code;
} by_status[] = {
	{ 400, ERR_INVALID },     { 401, ERR_STRANGER },    { 403, ERR_DENIED },
	{ 404, ERR_NOT_FOUND },   { 405, ERR_INVALID },     { 409, ERR_CONFLICT },
	{ 410, ERR_GONE },        { 411, ERR_INVALID },     { 413, ERR_INVALID },
	{ 415, ERR_INVALID },     { 422, ERR_INVALID },     { 424, ERR_EXTERNAL },
	{ 429, ERR_UNAVAILABLE }, { 500, ERR_INTERNAL },    { 502, ERR_UNAVAILABLE },
	{ 503, ERR_UNAVAILABLE }, { 504, ERR_UNAVAILABLE }, { 507, ERR_UNAVAILABLE },
};

static enum error_code code_of(long status)
{
	for (size_t i = 0; i < ARRAY_SIZE(by_status); i++)
		if (by_status[i].status == status)
			return by_status[i].code;
	return status >= 500 ? ERR_UNAVAILABLE : ERR_INVALID;
}

/* Slugs live as long as the program, so those that come over the wire are kept here. */
static const char *kept_slug(const char *slug)
{
	static struct kept {
		struct kept *next;
		char text[64];
	} *all;

	for (struct kept *kept = all; kept; kept = kept->next)
		if (strcmp(kept->text, slug) == 0)
			return kept->text;

	struct kept *kept = xcalloc(1, sizeof(*kept));

	text_printable(slug, kept->text, sizeof(kept->text));
	kept->next = all;
	all = kept;
	return kept->text;
}

/* A limit is a quota only when the server says so by its code; a busy server answers 429 too. */
static bool is_quota(const char *slug)
{
	return strstr(slug, "quota") || strstr(slug, "limit") || text_equal(slug, "lease_too_long");
}

static bool set_problem(struct exchange *exchange, struct error *err)
{
	AUTO(json_decref) json_t *problem = NULL;
	struct error ignored; /* an answer that is no JSON is still a failed one */
	enum error_code code = code_of(exchange->status);
	char shown[400];
	const char *slug, *hint;

	if (exchange->bytes.length > PROBLEM_BYTES_MAX ||
	    !json_parse(text_get(&exchange->bytes), exchange->bytes.length, "answer", &problem,
			&ignored))
		return error_set(err, code, "the server answered %ld", exchange->status);
	slug = json_get_string(problem, "code", NULL);
	if ((exchange->status == 429 || exchange->status == 400) && slug && is_quota(slug))
		code = ERR_LIMIT;
	error_set_as(err, code, slug ? kept_slug(slug) : error_code_name(code), "%s",
		     text_printable(json_get_string(problem, "detail",
						    json_get_string(problem, "title", "refused")),
				    shown, sizeof(shown)));
	hint = json_get_string(problem, "hint", NULL);
	if (hint)
		error_hint(err, "%s", text_printable(hint, shown, sizeof(err->hint)));
	return false;
}

/* ---- calls ---- */

static bool is_busy(long status)
{
	return status == 429 || status == 502 || status == 503 || status == 504;
}

/* A quota does not go away in a second; a login that failed fails again. */
static bool is_final_refusal(const struct exchange *exchange)
{
	AUTO(json_decref) json_t *problem = NULL;
	struct error ignored; /* no problem document: a busy proxy, worth another try */
	const char *slug;

	if (exchange->status != 429 ||
	    !json_parse(text_get(&exchange->bytes), exchange->bytes.length, "answer", &problem,
			&ignored))
		return false;
	slug = json_get_string(problem, "code", "");
	return text_starts_with(slug, "quota_") || text_equal(slug, "too_many_failed_logins");
}

static void exchange_reset(struct exchange *exchange)
{
	text_clear(&exchange->bytes);
	exchange->status = 0;
	exchange->content_type[0] = '\0';
}

/* False when interrupted meanwhile. */
static bool pause_ms(struct api_client *client, int64_t ms, struct error *err)
{
	struct pollfd wake = { .fd = client->wake_fd, .events = POLLIN };

	return poll(&wake, client->wake_fd >= 0 ? 1 : 0, (int)ms) <= 0 || interrupted(err);
}

/* True: an answer is there, whatever it says. */
static bool exchange_patiently(struct exchange *exchange, const struct api_request *request,
			       struct error *err)
{
	static const int64_t pauses_ms[] = { 200, 600, 1500 };

	for (size_t attempt = 0;; attempt++) {
		bool is_last = request->is_single || attempt == ARRAY_SIZE(pauses_ms);

		exchange_reset(exchange);
		if (exchange_once(exchange, request, err)) {
			if (is_last || !is_busy(exchange->status) || is_final_refusal(exchange))
				return true;
		} else if (is_last || err->code != ERR_UNAVAILABLE) {
			return false;
		}
		if (!pause_ms(exchange->client, pauses_ms[attempt], err))
			return false;
	}
}

static bool is_json(const struct exchange *exchange)
{
	return strncasecmp(exchange->content_type, "application/json", 16) == 0;
}

/* Anybody may ask which version it is. */
static bool may_use(const struct api_client *client, const struct api_request *request,
		    struct error *err)
{
	return text_equal(request->path, VERSION_PATH) || api_client_check_version(client, err);
}

static void auto_exchange_release(struct exchange *exchange)
{
	text_release(&exchange->bytes);
}

/* Before the first call that changes something: afterwards would be too late to refuse. */
static bool meet(struct api_client *client, const struct api_request *request, struct error *err)
{
	AUTO(exchange_release) struct exchange exchange = { .client = client };
	struct api_request question = { .path = VERSION_PATH };

	if (!request->method || text_equal(request->method, "GET") || client->server_version[0])
		return true;
	return exchange_patiently(&exchange, &question, err) && may_use(client, request, err);
}

bool api_call(struct api_client *client, const struct api_request *request,
	      struct api_answer *answer, struct error *err)
{
	AUTO(exchange_release) struct exchange exchange = { .client = client };
	AUTO(json_decref) json_t *json = NULL;

	if (!meet(client, request, err) || !exchange_patiently(&exchange, request, err) ||
	    !may_use(client, request, err))
		return false;
	if (exchange.status < 200 || exchange.status > 299)
		return set_problem(&exchange, err);
	if (is_json(&exchange) && exchange.bytes.length &&
	    !json_parse(text_get(&exchange.bytes), exchange.bytes.length, "the server's answer",
			&json, err))
		return false;
	*answer = (struct api_answer){ .status = exchange.status,
				       .json = TAKE(json),
				       .length = exchange.bytes.length,
				       .server_at_ms = exchange.server_at_ms };
	answer->bytes = text_take(&exchange.bytes);
	return true;
}

void api_answer_release(struct api_answer *answer)
{
	json_decref(answer->json);
	free(answer->bytes);
	*answer = (struct api_answer)API_ANSWER_EMPTY;
}

int64_t api_answer_began_at_ms(const struct api_client *client, const struct api_answer *answer,
			       int64_t called_at_ms)
{
	/* Its Date header has whole seconds, cut off. */
	return client->socket ? called_at_ms : answer->server_at_ms - 1000;
}

bool api_get(struct api_client *client, const char *path, json_t **json, struct error *err)
{
	AUTO(api_answer_release) struct api_answer answer = API_ANSWER_EMPTY;
	struct api_request request = { .path = path };

	if (!api_call(client, &request, &answer, err))
		return false;
	if (!json_is_object(answer.json))
		return error_set(err, ERR_EXTERNAL,
				 "the server's answer to %s is not a JSON object", path);
	*json = TAKE(answer.json);
	return true;
}

bool api_get_all(struct api_client *client, const char *path, json_t **items, struct error *err)
{
	AUTO(json_decref) json_t *all = json_array();
	AUTO(free) char *next = NULL;

	for (int page = 0; page < PAGES_MAX; page++) {
		AUTO(text_release) struct text page_path = TEXT_EMPTY;
		AUTO(json_decref) json_t *answer = NULL;

		text_add(&page_path, path);
		api_path_add(&page_path, "next", next);
		if (!api_get(client, text_get(&page_path), &answer, err))
			return false;
		json_array_extend(all, json_object_get(answer, "items"));
		free(next);
		next = NULL;
		if (!json_has(answer, "next"))
			break;
		next = xstrdup(json_get_string(answer, "next", ""));
	}
	*items = TAKE(all);
	return true;
}

bool api_stream(struct api_client *client, const struct api_stream *stream, struct error *err)
{
	AUTO(exchange_release) struct exchange exchange = { .client = client, .stream = stream };
	struct api_request request = { .path = stream->path };

	if (!exchange_once(&exchange, &request, err) || !may_use(client, &request, err))
		return false;
	return exchange.is_ended || exchange.status == 200 || set_problem(&exchange, err);
}

/* ---- for api_tunnel.c ---- */

struct curl_slist *api_client_headers(const struct api_client *client,
				      const struct api_request *request)
{
	return headers_for(client, request, NULL);
}

void api_client_headers_free(struct curl_slist *headers)
{
	headers_free(headers);
}

int api_client_wake_fd(const struct api_client *client)
{
	return client->wake_fd;
}

bool api_client_meet(struct api_client *client, struct error *err)
{
	struct api_request request = { .method = "POST" };

	return meet(client, &request, err);
}

bool api_client_unreachable(const struct api_client *client, const char *why, struct error *err)
{
	return unreachable(client, why, err);
}

bool api_client_curl_failed(struct api_client *client, int code, const char *details,
			    struct error *err)
{
	const struct exchange exchange = { .client = client };

	return curl_failed(&exchange, (CURLcode)code, details, err);
}

bool api_client_problem(struct api_client *client, long status, const char *body, struct error *err)
{
	AUTO(exchange_release) struct exchange exchange = { .client = client, .status = status };

	text_add(&exchange.bytes, body);
	return set_problem(&exchange, err);
}

/* ---- paths ---- */

static void add_encoded(struct text *into, const char *value)
{
	for (; *value; value++) {
		unsigned char c = (unsigned char)*value;

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    strchr("-._~", c))
			text_add_char(into, (char)c);
		else
			text_format(into, "%%%02X", c);
	}
}

char *api_path(const char *format, const char *name)
{
	struct text path = TEXT_EMPTY;
	const char *place = strstr(format, "%s");

	text_add_bytes(&path, format, (size_t)(place - format));
	add_encoded(&path, name);
	text_add(&path, place + 2);
	return text_take(&path);
}

void api_path_add(struct text *path, const char *name, const char *value)
{
	if (!value)
		return;
	text_format(path, "%c%s=", strchr(text_get(path), '?') ? '&' : '?', name);
	add_encoded(path, value);
}
