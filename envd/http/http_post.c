#include "http/http_post.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/http.h>
#include <netdb.h>
#include <string.h>

#include <openssl/ssl.h>

#include "base/text.h"
#include "http/http_trust.h"

struct http_place {
	char ip[INET6_ADDRSTRLEN];
	char *name;
	char *host; /* with the port, as the Host header has it */
	char *path;
	uint16_t port;
	struct http_trust *trust; /* NULL: plain */
};

/* One on its way. */
struct posting {
	void (*on_end)(void *arg, int status, const char *distrust);
	void *arg;
	SSL *ssl; /* our reference; NULL: plain */
};

/* "[::1]" is written so in an address alone. */
static void strip_brackets(char *name)
{
	size_t length = strlen(name);

	if (length < 2 || name[0] != '[' || name[length - 1] != ']')
		return;
	memmove(name, name + 1, length - 2);
	name[length - 2] = '\0';
}

static bool look_up(struct http_place *place, struct error *err)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL;
	int result;

	strip_brackets(place->name);
	result = getaddrinfo(place->name, NULL, &hints, &found);
	if (result == 0)
		result = getnameinfo(found->ai_addr, found->ai_addrlen, place->ip,
				     sizeof(place->ip), NULL, 0, NI_NUMERICHOST);
	if (found)
		freeaddrinfo(found);
	return result == 0 ||
	       error_set_as(err, ERR_UNAVAILABLE, "endpoint_unknown", "cannot look up \"%s\": %s",
			    place->name, gai_strerror(result));
}

/* The scheme, and with it who is believed; `*rest` is what follows it. */
static bool read_scheme(const struct http_place_spec *spec, struct http_place *place,
			const char **rest, struct error *err)
{
	static const char *const schemes[] = { "http://", "https://" };
	bool is_safe = text_starts_with(spec->address, schemes[1]);

	if ((!is_safe && !text_starts_with(spec->address, schemes[0])) ||
	    !spec->address[strlen(schemes[is_safe])])
		return error_set_as(err, ERR_INVALID, "endpoint_invalid",
				    "\"%s\" must be http://HOST:PORT or https://HOST:PORT",
				    spec->address);
	if (spec->ca_file && !is_safe)
		return error_set_as(err, ERR_INVALID, "endpoint_invalid",
				    "a CA is for https:// alone, not for \"%s\"", spec->address);
	*rest = spec->address + strlen(schemes[is_safe]);
	place->port = is_safe ? 443 : 80;
	return !is_safe || http_trust_new(spec->ca_file, &place->trust, err);
}

static bool read_port(char *name, const char *address, uint16_t *port, struct error *err)
{
	char *colon = strrchr(name, ':');
	int64_t number;

	if (!colon || strchr(colon, ']'))
		return true;
	*colon = '\0';
	if (!text_to_int64(colon + 1, &number) || number < 1 || number > 65535)
		return error_set_as(err, ERR_INVALID, "endpoint_invalid",
				    "\"%s\" has no valid port", address);
	*port = (uint16_t)number;
	return true;
}

/* That of the address, without a query and a last slash, and that of what is sent. */
static char *join_paths(const char *rest, const char *path)
{
	size_t length = strcspn(rest, "?#");

	while (length && rest[length - 1] == '/')
		length--;
	return xasprintf("%.*s%s", (int)length, rest, path);
}

bool http_place_new(const struct http_place_spec *spec, struct http_place **made, struct error *err)
{
	AUTO(http_place_free) struct http_place *place = xcalloc(1, sizeof(*place));
	const char *rest = NULL; /* gcc does not see that a success sets it */
	size_t length;

	if (!read_scheme(spec, place, &rest, err))
		return false;
	length = strcspn(rest, "/?#");
	place->host = xstrndup(rest, length);
	place->name = xstrndup(rest, length);
	place->path = join_paths(rest + length, spec->path);
	if (!read_port(place->name, spec->address, &place->port, err) || !look_up(place, err))
		return false;
	*made = TAKE(place);
	return true;
}

void http_place_free(struct http_place *place)
{
	if (!place)
		return;
	http_trust_free(place->trust);
	free(place->name);
	free(place->host);
	free(place->path);
	free(place);
}

static void posting_free(struct posting *posting)
{
	SSL_free(posting->ssl);
	free(posting);
}

static void on_answer(struct evhttp_request *request, void *arg)
{
	struct posting *posting = arg;
	int status = request ? evhttp_request_get_response_code(request) : 0;
	const char *distrust = !status && posting->ssl ? http_trust_complaint(posting->ssl) : NULL;

	posting->on_end(posting->arg, status, distrust);
	posting_free(posting);
}

static struct evhttp_connection *
connection_to(struct event_base *base, const struct http_place *place, struct posting *posting)
{
	struct bufferevent *bufferevent = NULL;

	if (place->trust) {
		posting->ssl = http_trust_connect(place->trust, place->name);
		SSL_up_ref(posting->ssl);
		bufferevent = bufferevent_openssl_socket_new(
		    base, -1, posting->ssl, BUFFEREVENT_SSL_CONNECTING, BEV_OPT_CLOSE_ON_FREE);
		/* The answer has its length; a server that hangs up without a goodbye is common. */
		bufferevent_openssl_set_allow_dirty_shutdown(bufferevent, 1);
	}
	return evhttp_connection_base_bufferevent_new(base, NULL, bufferevent, place->ip,
						      place->port);
}

bool http_post_begin(struct loop *loop, const struct http_place *place,
		     const struct http_post *post, struct error *err)
{
	struct posting *posting = xcalloc(1, sizeof(*posting));
	struct evhttp_connection *connection;
	struct evhttp_request *request;

	*posting = (struct posting){ post->on_end, post->arg, NULL };
	connection = connection_to(loop_event_base(loop), place, posting);
	if (!connection)
		abort(); /* it fails only without memory */
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
	posting_free(posting);
	return error_set(err, ERR_UNAVAILABLE, "cannot send to \"%s\"", place->host);
}
