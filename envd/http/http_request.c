#include "http/http_request.h"

#include <assert.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <string.h>
#include <strings.h>

#include "base/ids.h"
#include "base/text.h"
#include "http/http_pool.h"
#include "http/http_target.h"

enum { QUERY_COUNT_MAX = 32 };

struct pair {
	char *name;
	char *value;
};

struct pair_list {
	struct pair *pairs;
	size_t count;
};

struct http_request {
	LIST_ENTRY(http_request) link;
	struct http_pool *pool;
	struct http_connection *connection; /* NULL once the client has left, likewise raw */
	struct evhttp_request *raw;
	void (*on_left)(void *arg);
	void *on_left_arg;
	char id[HTTP_REQUEST_ID_SIZE];
	const char *method;
	const char *route;
	char *path;
	struct pair_list headers;
	struct pair_list query;
	struct pair_list params;
	struct http_peer peer;
	char *body;
	size_t body_length;
};

/* ---- lists of pairs ---- */

static void add_pair(struct pair_list *list, char *name, char *value)
{
	list->pairs = xrealloc(list->pairs, list->count + 1, sizeof(*list->pairs));
	list->pairs[list->count++] = (struct pair){ name, value };
}

static const char *find_pair(const struct pair_list *list, const char *name,
			     int (*compare)(const char *, const char *))
{
	for (size_t i = 0; i < list->count; i++)
		if (compare(list->pairs[i].name, name) == 0)
			return list->pairs[i].value;
	return NULL;
}

/* A value may be a token. */
static void release_pairs(struct pair_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->pairs[i].name);
		explicit_bzero(list->pairs[i].value, strlen(list->pairs[i].value));
		free(list->pairs[i].value);
	}
	free(list->pairs);
}

/* ---- making one ---- */

static const char *method_name(enum evhttp_cmd_type type)
{
	switch (type) {
	case EVHTTP_REQ_POST:
		return "POST";
	case EVHTTP_REQ_PUT:
		return "PUT";
	case EVHTTP_REQ_PATCH:
		return "PATCH";
	case EVHTTP_REQ_DELETE:
		return "DELETE";
	case EVHTTP_REQ_OPTIONS:
		return "OPTIONS";
	case EVHTTP_REQ_TRACE:
		return "TRACE";
	case EVHTTP_REQ_HEAD:
		return "HEAD";
	default:
		return "GET"; /* http_strict.c lets nothing else in */
	}
}

static void copy_headers(struct http_request *request)
{
	struct evkeyval *header;

	/* The library reads "Connection" again; it has no use for the others. */
	TAILQ_FOREACH(header, evhttp_request_get_input_headers(request->raw), next)
	{
		add_pair(&request->headers, xstrdup(header->key), xstrdup(header->value));
		if (strcasecmp(header->key, "Authorization") == 0)
			explicit_bzero(header->value, strlen(header->value));
	}
}

static void copy_body(struct http_request *request)
{
	struct evbuffer *input = evhttp_request_get_input_buffer(request->raw);

	request->body_length = evbuffer_get_length(input);
	request->body = xcalloc(request->body_length + 1, 1);
	evbuffer_remove(input, request->body, request->body_length);
}

static bool add_query(struct http_request *request, const char *piece, size_t length,
		      struct error *err)
{
	const char *equals = memchr(piece, '=', length);
	size_t name_length = equals ? (size_t)(equals - piece) : length;
	const char *value = equals ? equals + 1 : piece + length;
	char *name = http_target_decode(piece, name_length, true);

	if (request->query.count >= QUERY_COUNT_MAX || find_pair(&request->query, name, strcmp)) {
		free(name);
		return error_set_as(err, ERR_INVALID, "query_invalid",
				    "each query parameter may come once, and at most %d of them",
				    QUERY_COUNT_MAX);
	}
	add_pair(&request->query, name,
		 http_target_decode(value, length - (size_t)(value - piece), true));
	return true;
}

static bool parse_target(struct http_request *request, const char *target, struct error *err)
{
	size_t path_length = strcspn(target, "?");
	const char *at = target + path_length;

	request->path = http_target_decode(target, path_length, false);
	while (*at) {
		size_t length = strcspn(++at, "&");

		if (length && !add_query(request, at, length, err))
			return false;
		at += length;
	}
	return true;
}

/* Called by the library when it closes the connection before the answer is complete. */
static void on_close(struct evhttp_connection *closing, void *arg)
{
	struct http_request *request = arg;

	(void)closing;
	/* One that the library has detached is ours to free; else it frees it itself. */
	if (!evhttp_request_get_connection(request->raw))
		evhttp_request_free(request->raw);
	request->raw = NULL;
	request->connection = NULL;
	if (request->on_left)
		request->on_left(request->on_left_arg);
}

/* The answer is out, and the library closes the connection next. */
static void on_complete(struct evhttp_request *raw, void *arg)
{
	struct http_pool *pool = arg;
	struct evhttp_connection *connection = evhttp_request_get_connection(raw);

	if (connection)
		http_connection_say_goodbye(evhttp_connection_get_bufferevent(connection));
	event_active(pool->sweep, EV_TIMEOUT, 1);
}

bool http_request_new(struct http_pool *pool, struct http_connection *connection,
		      struct evhttp_request *raw, struct http_request **made, struct error *err)
{
	struct http_request *request = xcalloc(1, sizeof(*request));

	*made = request;
	request->pool = pool;
	request->connection = connection;
	request->raw = raw;
	random_hex(request->id, HTTP_REQUEST_ID_SIZE - 1);
	request->method = method_name(evhttp_request_get_command(raw));
	LIST_INSERT_HEAD(&pool->requests, request, link);
	evhttp_connection_set_closecb(evhttp_request_get_connection(raw), on_close, request);
	evhttp_request_set_on_complete_cb(raw, on_complete, pool);
	copy_headers(request);
	copy_body(request);
	return parse_target(request, evhttp_request_get_uri(raw), err) &&
	       http_connection_peer(connection, &request->peer, err);
}

void http_request_let_go(struct http_request *request)
{
	if (request->raw && evhttp_request_get_connection(request->raw))
		evhttp_connection_set_closecb(evhttp_request_get_connection(request->raw), NULL,
					      NULL);
	request->raw = NULL;
	request->connection = NULL;
}

void http_request_free(struct http_request *request)
{
	if (!request)
		return;
	http_request_let_go(request);
	LIST_REMOVE(request, link);
	release_pairs(&request->headers);
	release_pairs(&request->query);
	release_pairs(&request->params);
	free(request->path);
	free(request->body);
	free(request);
}

struct http_pool *http_request_pool(struct http_request *request)
{
	return request->pool;
}

struct evhttp_request *http_request_raw(struct http_request *request)
{
	return request->raw;
}

struct http_connection *http_request_connection(struct http_request *request)
{
	return request->connection;
}

void http_request_on_left(struct http_request *request, void (*on_left)(void *arg), void *arg)
{
	request->on_left = on_left;
	request->on_left_arg = arg;
}

/* ---- looking at one ---- */

const char *http_request_id(const struct http_request *request)
{
	return request->id;
}

const char *http_request_method(const struct http_request *request)
{
	return request->method;
}

const char *http_request_path(const struct http_request *request)
{
	return request->path;
}

const struct http_peer *http_request_peer(const struct http_request *request)
{
	return &request->peer;
}

const char *http_request_header(const struct http_request *request, const char *name)
{
	return find_pair(&request->headers, name, strcasecmp);
}

const char *http_request_query(const struct http_request *request, const char *name)
{
	return find_pair(&request->query, name, strcmp);
}

bool http_request_query_int64(const struct http_request *request, const char *name,
			      int64_t otherwise, int64_t min, int64_t max, int64_t *value,
			      struct error *err)
{
	const char *text = http_request_query(request, name);
	int64_t asked = otherwise;

	if (text && (!text_to_int64(text, &asked) || asked < min || asked > max))
		return error_set_as(err, ERR_INVALID, "query_invalid",
				    "query parameter \"%s\" must be a number from %lld to %lld",
				    name, (long long)min, (long long)max);
	*value = asked;
	return true;
}

bool http_request_query_bool(const struct http_request *request, const char *name, bool *value,
			     struct error *err)
{
	const char *text = http_request_query(request, name);

	if (text && strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		return error_set_as(err, ERR_INVALID, "query_invalid",
				    "query parameter \"%s\" must be true or false", name);
	*value = text && strcmp(text, "true") == 0;
	return true;
}

const char *http_request_route(const struct http_request *request)
{
	return request->route;
}

bool http_request_set_match(struct http_request *request, const struct http_match *match,
			    struct error *err)
{
	request->route = match->route->path;
	for (size_t i = 0; i < match->param_count; i++)
		add_pair(&request->params, xstrdup(match->params[i].name),
			 xstrndup(match->params[i].value, match->params[i].length));
	for (size_t i = 0; i < request->query.count; i++)
		if (!http_route_check_query(match->route, request->query.pairs[i].name, err))
			return false;
	return true;
}

const char *http_request_param(const struct http_request *request, const char *name)
{
	const char *value = find_pair(&request->params, name, strcmp);

	assert(value);
	return value;
}

const char *http_request_body(const struct http_request *request, size_t *length)
{
	*length = request->body_length;
	return request->body;
}

static bool is_json_type(const char *type)
{
	size_t length = strcspn(type, "; \t");

	return length == strlen("application/json") &&
	       strncasecmp(type, "application/json", length) == 0;
}

bool http_request_json(const struct http_request *request, json_t **body, struct error *err)
{
	const char *type = http_request_header(request, "Content-Type");
	AUTO(json_decref) json_t *json = NULL;

	if (!request->body_length)
		return error_set_as(err, ERR_INVALID, "body_missing",
				    "the request body is missing");
	if (type && !is_json_type(type)) {
		error_set_as(err, ERR_INVALID, "content_type_unsupported",
			     "the request body must be JSON");
		return error_hint(err, "send Content-Type: application/json");
	}
	if (!json_parse(request->body, request->body_length, "request body", &json, err))
		return false;
	if (!json_is_object(json))
		return error_set(err, ERR_INVALID, "the request body must be a JSON object");
	*body = TAKE(json);
	return true;
}
