/*
 * http_client.h - for tests: one raw HTTP request over a unix socket. Knows nothing of our own
 * code, so that it is a witness of its own.
 */
#ifndef TESTS_SUPPORT_HTTP_CLIENT_H
#define TESTS_SUPPORT_HTTP_CLIENT_H

#include <jansson.h>

/* The status, or -1 when nobody answered. `body` (may be NULL as the argument) is what came, freed
 * by the caller; chunked answers are put together. `headers` are extra lines, each with \r\n, or
 * NULL. */
int http_ask(const char *socket_path, const char *method, const char *target, const char *headers,
	     const char *content, char **body);

/* The same with JSON both ways; NULL body when what came was none. */
int http_ask_json(const char *socket_path, const char *method, const char *target,
		  const char *headers, const json_t *content, json_t **answer);

/* A connection, on which a read waits for a minute at the most; -1 when nobody listens. */
int http_dial(const char *socket_path);
/* All of it, or the test fails. */
void http_say(int fd, const char *bytes, size_t length);
/* What comes until the server closes; the test fails when it does not. Consumes the descriptor; the
 * caller frees. */
char *http_hear(int fd);

/* Bytes as they are; what came back, freed by the caller. "" when nobody answered. */
char *http_raw(const char *socket_path, const char *bytes, size_t length);

/* Of an answer as it came: its status, or -1 if it has none; the number behind the first KEY, or
 * -1. */
int http_status_of(const char *answer);
long http_number_in(const char *answer, const char *key);

#endif
