/*
 * docker_api.h - the HTTP API of a container runtime, many calls at a time, on one thread.
 *
 * A call is made, filled in, and run: alone (docker_run), together with others (docker_run_all), or
 * begun (docker_begin) and carried on by docker_turn(), which calls on_end of what has ended.
 * on_end may begin further calls, and may free its own.
 *
 * How a call ended has two halves. No answer: `status` is 0 and `err` says why
 * (runtime_unreachable, runtime_tls, runtime_timeout). An answer: `status` is its HTTP status,
 * whatever that is; docker_refusal() turns one that is not wanted into an error.
 *
 * The way there is a unix socket, or TCP with TLS and client certificates. The certificates decide
 * alone: no system CA is believed, TLS is 1.2 at least, and no proxy is used.
 */
#ifndef ENVD_ENGINE_CONTAINER_DOCKER_API_H
#define ENVD_ENGINE_CONTAINER_DOCKER_API_H

#include "base/json_read.h"
#include "base/text.h"

#define DOCKER_CALL_LIMIT_MS 60000
#define DOCKER_ANSWER_BYTES_MAX ((size_t)32 * 1024 * 1024)

struct docker;

struct docker_call {
	const char *method;    /* a literal */
	char *path;            /* "/containers/json?all=1" */
	json_t *body;          /* owned; NULL: none */
	struct text bytes;     /* instead of `body`: a tar archive */
	char *secret_header;   /* owned, wiped when freed; NULL: none. "X-Registry-Auth: ..." */
	int64_t time_limit_ms; /* DOCKER_CALL_LIMIT_MS unless changed; 0: none (log followers) */

	/* Instead of collecting `answer`; false ends the call as if the runtime had closed it. */
	bool (*on_bytes)(struct docker_call *call, const char *bytes, size_t length);
	void (*on_end)(struct docker_call *call);
	void *arg;

	int status;
	struct text headers; /* as they came, a line each */
	struct text answer;
	struct error err;

	struct docker_transfer *transfer; /* docker_api.c's, while the call runs */
};

struct docker_way {
	const char *socket;       /* a path, or "tcp://HOST:PORT" */
	const char *certificates; /* folder with ca.pem, cert.pem and key.pem, as docker's client
				     has it; NULL: a unix socket, or TCP without TLS */
};

bool docker_way_is_tcp(const struct docker_way *way);

/* Are the files there? Errors: ERR_INVALID, slug "runtime_tls", naming the file. */
NODISCARD bool docker_way_check(const struct docker_way *way, struct error *err);

struct docker *docker_new(const struct docker_way *way);
void docker_free(struct docker *docker); /* ends what is still running, without on_end */
DEFINE_AUTO(struct docker *, docker_free)

/* "/v1.41", which goes before every path that does not name its own version. Until it is set, none
 * does. */
void docker_set_version(struct docker *docker, const char *version);

/* No call lasts longer than this (wall clock); 0: no such limit. */
void docker_set_deadline(struct docker *docker, int64_t deadline_at_ms);

struct docker_call *docker_call_new(const char *method, const char *path_format, ...)
    PRINTF_LIKE(2, 3);
void docker_call_free(struct docker_call *call);
DEFINE_AUTO(struct docker_call *, docker_call_free)

void docker_begin(struct docker *docker, struct docker_call *call);

/* Carry on with what was begun, for at most `wait_ms`; returns early when a call has ended. */
void docker_turn(struct docker *docker, int64_t wait_ms);

/* True as soon as there is an answer, of any status. */
NODISCARD bool docker_run(struct docker *docker, struct docker_call *call, struct error *err);

/* All at once; look at each call. NULLs in the array are skipped. */
void docker_run_all(struct docker *docker, struct docker_call *const *calls, size_t count);

/* Does the call have an answer with a 2xx status (or 304: it was so already)? */
bool docker_succeeded(const struct docker_call *call);

/* False, with the error of a call that did not succeed: its own, or what the runtime answered. */
bool docker_refusal(const struct docker_call *call, struct error *err);

/* What the runtime said in an answer that is not a success, as one line; never NULL. The caller
 * frees. */
char *docker_message(const struct docker_call *call);

/* Succeeded, and its answer as JSON. New reference. */
NODISCARD bool docker_json(const struct docker_call *call, json_t **json, struct error *err);

/* The value of a header, or NULL; the caller frees. `name` in any case, without the colon. */
char *docker_header(const struct docker_call *call, const char *name);

/* docker_run() + docker_json() of a GET. */
NODISCARD bool docker_get(struct docker *docker, json_t **json, struct error *err,
			  const char *path_format, ...) PRINTF_LIKE(4, 5);

/* ---- for docker_pipe.c: the same way, by a connection of its own ---- */

/* Tells a CURL handle how the runtime is reached for `path`; `reason` is its error buffer. True: by
 * TLS. */
bool docker_set_way(struct docker *docker, void *easy, const char *path, char *reason);
const char *docker_socket(const struct docker *docker);
const char *docker_version(const struct docker *docker); /* "" or as it was set */

/* Percent-encoded for a query or a path's segment; the caller frees. */
char *docker_encode(const char *text);

/* ?filters= value for "all of these labels", encoded; `labels` ends with NULL. The caller frees. */
char *docker_label_filter(const char *const *labels);

#endif
