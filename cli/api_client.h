/*
 * api_client.h - the server's API, called.
 *
 * Calls wait, but never deaf: they end with ERR_TIMEOUT slug "interrupted" as soon as `wake_fd`
 * becomes readable. What is safe to repeat is repeated a few times when the server cannot be
 * reached or is busy (429, 502, 503, 504); then the error is ERR_UNAVAILABLE, slug
 * "server_unreachable" or the server's own.
 *
 * An answer that is a problem (RFC 9457) becomes an error with its slug, detail and hint.
 */
#ifndef CLI_API_CLIENT_H
#define CLI_API_CLIENT_H

#include <stdint.h>

#include "base/json_read.h"
#include "base/text.h"

#define SLUG_INTERRUPTED "interrupted"

struct api_client;

/* `server`: unix:PATH, /PATH, http://HOST:PORT or https://HOST:PORT; NULL for the default socket:
 * $XDG_RUNTIME_DIR/envd/envd.sock if it is there, else /run/envd/envd.sock. */
NODISCARD bool api_client_new(const char *server, struct api_client **client, struct error *err);
void api_client_free(struct api_client *client);

/* How to know the server, and what to show it. Strings are copied; NULL: none. A token is not sent
 * over plain HTTP to another machine: ERR_DENIED "token_in_clear". */
struct api_access {
	const char
	    *ca; /* PEM file that the server's certificate must lead to; NULL: the system's */
	const char *certificate;
	const char *key;
	const char *token;
	const char *project;
};
NODISCARD bool api_client_set_access(struct api_client *client, const struct api_access *access,
				     struct error *err);
DEFINE_AUTO(struct api_client *, api_client_free)

/* For messages: "unix:/run/envd/envd.sock". */
const char *api_client_server(const struct api_client *client);

/* It is on this machine. */
bool api_client_is_local(const struct api_client *client);

/* Whether its newest answer came from an envd of our own major version; every call but that for
 * its version is refused otherwise, and nothing is changed there before that is known. ERR_INVALID
 * "server_incompatible". */
NODISCARD bool api_client_check_version(const struct api_client *client, struct error *err);

/* -1: nothing wakes it. Cleaning up after an interrupt needs calls that are not woken. */
void api_client_set_wake_fd(struct api_client *client, int fd);

/* Of the newest answer; "" when there was none. */
const char *api_client_request_id(const struct api_client *client);

struct api_request {
	const char *method;          /* NULL: GET */
	const char *path;            /* "/v1/environments"; see api_path() */
	const json_t *body;          /* NULL: none */
	const char *idempotency_key; /* NULL: none */
	const char *traceparent;     /* W3C trace context of the caller; NULL: none */
	int64_t timeout_ms;          /* 0: 30 s */
	bool is_single;              /* never repeated: repeating would do it twice */
};

struct api_answer {
	long status;
	json_t *json; /* NULL if the answer is something else */
	char *bytes;  /* the answer as it came; never NULL */
	size_t length;
	int64_t server_at_ms; /* from its Date header; 0 without one */
};

#define API_ANSWER_EMPTY { 0, NULL, NULL, 0, 0 }

void api_answer_release(struct api_answer *answer);

/* When the server began to work on a call that was made at `called_at_ms` (our clock), by its own
 * clock, or up to 1 s earlier. On a unix socket the clocks are one. */
int64_t api_answer_began_at_ms(const struct api_client *client, const struct api_answer *answer,
			       int64_t called_at_ms);

static inline void auto_api_answer_release(struct api_answer *answer)
{
	api_answer_release(answer);
}

NODISCARD bool api_call(struct api_client *client, const struct api_request *request,
			struct api_answer *answer, struct error *err);

/* GET that wants a JSON object; new reference. */
NODISCARD bool api_get(struct api_client *client, const char *path, json_t **json,
		       struct error *err);

/* All pages of a list, in one array; new reference. `path` may have a query. */
NODISCARD bool api_get_all(struct api_client *client, const char *path, json_t **items,
			   struct error *err);

struct api_stream {
	const char *path;
	const char *last_event_id; /* NULL: none */
	int64_t silence_ms; /* 0: may be silent for ever; else the connection counts as lost */
	/* Returning false ends the stream, which is no error. */
	bool (*on_bytes)(void *arg, const char *bytes, size_t length);
	bool (*on_tick)(void *arg); /* at least every tick_ms; may be NULL */
	int64_t tick_ms;
	void *arg;
};

/* Until the server ends it or a callback does. Not repeated: the caller knows where to go on. */
NODISCARD bool api_stream(struct api_client *client, const struct api_stream *stream,
			  struct error *err);

/* "/v1/environments/NAME/lease" from "/v1/environments/%s/lease", `name` percent-encoded; the
 * caller frees. */
char *api_path(const char *format, const char *name);

/* Add "?name=value" or "&name=value", encoded. NULL values add nothing. */
void api_path_add(struct text *path, const char *name, const char *value);

#endif
