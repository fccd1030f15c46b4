/*
 * registry.h - for tests: a real registry of the test's own, with images that nobody else has, and
 * bad lines to it.
 *
 * Docker is told by its own rules that loopback may be plain HTTP; Podman is not, so it gets a
 * registry with TLS and its CA in certs.d, which both runtimes read at every pull.
 */
#ifndef TESTS_SUPPORT_REGISTRY_H
#define TESTS_SUPPORT_REGISTRY_H

#include "tests/support/engine_stage.h"

#define REGISTRY_USER "reader"
#define REGISTRY_PASSWORD "a-s3cret-of-the-tests"

struct registry {
	const struct stage *stage;
	char folder[64];
	char name[32]; /* "127.0.0.1:PORT" */
	int port;
	pid_t pid;
	bool has_tls;
	bool has_password;
	pid_t line; /* 0: none */
	char line_name[32];
};

struct registry_wish {
	bool has_tls; /* also on Docker */
	bool has_password;
	bool is_not_trusted; /* its CA is not put anywhere */
};

/* Ended and removed by registry_free(), and with the test program. */
struct registry *registry_new(const struct stage *stage, struct registry_wish wish);
void registry_free(struct registry *registry);

void registry_kill(struct registry *registry);

/* NAME:TAG, an image of its own out of the test image with a file of that many KiB that cannot be
 * compressed: in the registry, and not on the runtime any more. */
void registry_push(struct registry *registry, const char *name, const char *tag, int kib);
/* "127.0.0.1:PORT/NAME:TAG"; the caller frees. */
char *registry_image(const struct registry *registry, const char *name);
/* From the runtime, with every name it has; fine if it is not there. */
void registry_forget(const struct registry *registry, const char *image);
bool registry_has_image(const struct registry *registry, const char *image);

/* fake_slow_registry.py with these arguments (ends with NULL), before the registry:
 * `line_name` is what to pull from. */
void registry_bad_line(struct registry *registry, ...);

/* Into $DOCKER_CONFIG/config.json, where Docker's users keep it; the caller unsets DOCKER_CONFIG.
 */
void registry_log_in(const struct registry *registry, const char *name, const char *password);
/* Not in what was said, not in the error, not in the lock, in no file of the environment. */
void registry_assert_no_password(const struct stage *stage);

/* A Compose file with one service "web" of this image, and `more` keys of it: ", user: x". */
void registry_write_service(struct stage *stage, const char *image, const char *more);
/* What the lock says of it; "" if nothing. Borrowed. */
const char *registry_locked(const struct stage *stage, const char *key);

#endif
