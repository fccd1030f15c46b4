/*
 * cloud_http.h - calls to the HTTP API of a cloud: one at a time, signed, bounded, and made again
 * where the cloud asks for it.
 *
 * A call is made again when the connection was cut, when the cloud has trouble (5xx) and when it
 * says "too often" (429, with the time that it asks for). Everything else is an answer. No redirect
 * is followed: an Authorization header would go with it.
 */
#ifndef ENVD_ENGINE_CLOUD_CLOUD_HTTP_H
#define ENVD_ENGINE_CLOUD_CLOUD_HTTP_H

#include <stdint.h>

#include "base/json_read.h"
#include "base/text.h"

/* Who asks. Wiped by cloud_secret_release(). */
struct cloud_secret {
	char *token;  /* DigitalOcean, Linode: a bearer */
	char *key_id; /* AWS */
	char *key;
	char *session;      /* NULL: none */
	int64_t ends_at_ms; /* 0: it does not say */
};

void cloud_secret_release(struct cloud_secret *secret);

static inline void auto_cloud_secret_release(struct cloud_secret *secret)
{
	cloud_secret_release(secret);
}

struct cloud_session {
	const struct cloud_secret *secret;
	int64_t ends_mono_ms; /* no call begins or waits after it; 0: no such limit */
	int64_t wait_ms; /* before the first repetition; then twice as much. 0: half a second */
	bool (*is_stopping)(void); /* NULL: never */
};

struct cloud_call {
	const char *method;
	const char *url;              /* its query sorted by name and encoded, for signatures */
	const char *body;             /* NULL: none */
	const char *type;             /* of the body: "application/json" */
	const char *header;           /* one more, or NULL */
	const char *region, *service; /* NULL: a bearer token; else a signature of AWS, version 4 */

	int status;
	struct text answer;
};

void cloud_call_release(struct cloud_call *call);

static inline void auto_cloud_call_release(struct cloud_call *call)
{
	cloud_call_release(call);
}

/* https, or http to this machine: a token must not cross a network in clear. ERR_INVALID
 * "endpoint_invalid". */
NODISCARD bool cloud_endpoint_check(const char *endpoint, struct error *err);

/* True with an answer of any status that is not to be asked again. ERR_EXTERNAL
 * "cloud_unreachable", "cloud_busy" (it kept saying so), ERR_UNAVAILABLE "job_stopped". */
NODISCARD bool cloud_run(const struct cloud_session *session, struct cloud_call *call,
			 struct error *err);

/* The last answer once more: the cloud says in its own words that it is too much (AWS: 400 and
 * Throttling). False as cloud_run() when it cannot be. */
NODISCARD bool cloud_run_again(const struct cloud_session *session, struct cloud_call *call,
			       int attempt, struct error *err);

/* How long until the next try: what "Retry-After" says (seconds, NULL: nothing), else doubling from
 * `first_ms`; never longer than a minute. */
int64_t cloud_wait_ms(int attempt, int64_t first_ms, const char *retry_after);

/* The answer as JSON. New reference. ERR_EXTERNAL "cloud_invalid". */
NODISCARD bool cloud_json(const struct cloud_call *call, json_t **json, struct error *err);

/* Percent-encoded as RFC 3986 has it, which is what signatures want; the caller frees. */
char *cloud_encode(const char *text);

#endif
