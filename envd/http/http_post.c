#include "http/http_post.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/http.h>
#include <netdb.h>
#include <string.h>

#include "base/text.h"

struct http_place {
	char ip[INET6_ADDRSTRLEN];
	char *host; /* with the port, as the Host header has it */
	char *path;
	uint16_t port;
};

/* One on its way. */
struct posting {
	void (*on_end)(void *arg, int status);
	void *arg;
};

static bool look_up(const char *host, int64_t port, struct http_place *place, struct error *err)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL;
	int result = getaddrinfo(host, NULL, &hints, &found);

	if (result == 0)
		result = getnameinfo(found->ai_addr, found->ai_addrlen, place->ip,
				     sizeof(place->ip), NULL, 0, NI_NUMERICHOST);
	if (found)
		freeaddrinfo(found);
	place->port = (uint16_t)port;
	return result == 0 || error_set_as(err, ERR_UNAVAILABLE, "endpoint_unknown",
					   "cannot look up \"%s\": %s", host, gai_strerror(result));
}

bool http_place_new(const char *address, const char *path, struct http_place **made,
		    struct error *err)
{
	AUTO(http_place_free) struct http_place *place = xcalloc(1, sizeof(*place));
	AUTO(free) char *rest = NULL;
	const char *begin = "http://";
	char *slash, *colon;
	int64_t port = 80;

	if (!text_starts_with(address, begin) || !address[strlen(begin)])
		return error_set_as(err, ERR_INVALID, "endpoint_invalid",
				    "\"%s\" must be http://HOST:PORT (for TLS, put a collector on "
				    "this machine in between)",
				    address);
	rest = xstrdup(address + strlen(begin));
	slash = strchr(rest, '/');
	if (slash)
		*slash = '\0';
	place->host = xstrdup(rest);
	place->path =
	    xasprintf("%s%.*s%s", slash ? "/" : "", slash ? (int)strcspn(slash + 1, "?#") : 0,
		      slash ? slash + 1 : "", path);
	if (text_ends_with(address, "/")) {
		free(place->path);
		place->path = xstrdup(path);
	}
	colon = strrchr(rest, ':');
	if (colon && !strchr(colon, ']')) {
		*colon = '\0';
		if (!text_to_int64(colon + 1, &port) || port < 1 || port > 65535)
			return error_set_as(err, ERR_INVALID, "endpoint_invalid",
					    "\"%s\" has no valid port", address);
	}
	if (!look_up(rest, port, place, err))
		return false;
	*made = TAKE(place);
	return true;
}

void http_place_free(struct http_place *place)
{
	if (!place)
		return;
	free(place->host);
	free(place->path);
	free(place);
}

static void on_answer(struct evhttp_request *request, void *arg)
{
	struct posting *posting = arg;

	posting->on_end(posting->arg, request ? evhttp_request_get_response_code(request) : 0);
	free(posting);
}

bool http_post_begin(struct loop *loop, const struct http_place *place,
		     const struct http_post *post, struct error *err)
{
	struct evhttp_connection *connection =
	    evhttp_connection_base_new(loop_event_base(loop), NULL, place->ip, place->port);
	struct posting *posting;
	struct evhttp_request *request;

	if (!connection)
		return error_set(err, ERR_INTERNAL, "no connection to \"%s\"", place->host);
	posting = xcalloc(1, sizeof(*posting));
	*posting = (struct posting){ post->on_end, post->arg };
	request = evhttp_request_new(on_answer, posting);
	evhttp_connection_set_timeout(connection, post->limit_s);
	evhttp_connection_set_max_body_size(connection, 65536);
	/* It goes with its only request. */
	evhttp_connection_free_on_completion(connection);
	evhttp_add_header(evhttp_request_get_output_headers(request), "Host", place->host);
	evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type",
			  post->content_type);
	evhttp_add_header(evhttp_request_get_output_headers(request), "Connection", "close");
	evbuffer_add(evhttp_request_get_output_buffer(request), post->body, post->length);
	/* A refusal at once comes by on_answer, too. */
	if (evhttp_make_request(connection, request, EVHTTP_REQ_POST, place->path) == 0)
		return true;
	free(posting);
	return error_set(err, ERR_UNAVAILABLE, "cannot send to \"%s\"", place->host);
}
