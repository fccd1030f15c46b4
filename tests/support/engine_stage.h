/*
 * engine_stage.h - for tests of the container engine against a real runtime: an environment of its
 * own, its template, the engine's verbs, and the runtime as a witness that knows none of our code.
 */
#ifndef TESTS_SUPPORT_ENGINE_STAGE_H
#define TESTS_SUPPORT_ENGINE_STAGE_H

#include <sys/types.h>

#include "engine/engine.h"

#define STAGE_IMAGE "localhost/envd-test/busybox:1"

/* A service that goes on running, within braces and as a block. */
#define STAGE_HTTPD "image: " STAGE_IMAGE ", command: [httpd, -f, -p, '80', -h, /www]"
#define STAGE_HTTPD_BLOCK                                                                          \
	"    image: " STAGE_IMAGE "\n"                                                             \
	"    command: [httpd, -f, -p, '80', -h, /www]\n"

#define STAGE_TWO_SERVICES                                                                         \
	"services:\n"                                                                              \
	"  db:\n"                                                                                  \
	"    image: " STAGE_IMAGE "\n"                                                             \
	"    command: [sh, -c, 'echo db says hello; echo db complains >&2; sleep 0.2;"             \
	" touch /tmp/ok; exec httpd -f -p 80 -h /www']\n"                                          \
	"    healthcheck: { test: [CMD, test, -f, /tmp/ok], interval: 1s, retries: 5 }\n"          \
	"    volumes: ['data:/data']\n"                                                            \
	"  web:\n" STAGE_HTTPD_BLOCK "    ports: ['80']\n"                                         \
	"    depends_on: { db: { condition: service_healthy } }\n"                                 \
	"    configs: [ { source: page, target: /www/deep/er/page.txt } ]\n"                       \
	"configs: { page: { content: 'a page of its own' } }\n"                                    \
	"volumes: { data: {} }\n"

struct stage {
	char folder[64];
	char template_folder[96];
	const char *socket;
	struct engine_request request;
	json_t *whole;
	json_t *lock;
	json_t *data;     /* of the last verb */
	char *said;       /* its lines */
	struct error err; /* of the last verb; code ERR_NONE: it succeeded */
};

/* `runtime`: "ENVD_TEST_PODMAN" or "ENVD_TEST_DOCKER"; the test fails when it is not set. */
struct stage *stage_new(const char *runtime);
/* Destroys the environment and sees that nothing is left. */
void stage_free(struct stage *stage);

/* The template's files: "services:\n..." is compose.yaml; `outputs` as in template.yaml, or NULL.
 */
void stage_write(struct stage *stage, const char *compose, const char *outputs);

/* A verb by its name; true when it succeeded. */
bool stage_do(struct stage *stage, const char *verb);
/* The same in a child, which can be killed. */
pid_t stage_begin(struct stage *stage, const char *verb);
/* A command in a service; its exit status, -1 when it could not be run. `output` may be NULL. */
int stage_exec(struct stage *stage, const char *service, const char *command, char **output);
/* It succeeds and writes this, or the test fails. */
void stage_says(struct stage *stage, const char *service, const char *command,
		const char *expected);

/* The test fails unless the verb succeeds, or fails with this slug. */
void stage_must(struct stage *stage, const char *verb);
void stage_must_not(struct stage *stage, const char *verb, const char *slug);
/* Fetch http://HOST/ from inside a service; the status of wget. */
int stage_fetch(struct stage *stage, const char *from_service, const char *host);
/* Soon, if not at once: the resolver of a busy machine is late now and then. */
void stage_must_reach(struct stage *stage, const char *from_service, const char *host);

/* In the data of the last verb; there must be one. */
const json_t *stage_service(const struct stage *stage, const char *name);
/* What inspect says of a service; "" when it is as it was made. */
const char *stage_drift(const struct stage *stage, const char *name);
/* json.KEY.KEY...; ends with NULL. */
const json_t *stage_dig(const json_t *json, ...);
void stage_contains(const char *text, const char *part);
/* localhost/envd-test/foreign:1, whose metadata says another architecture (s390x). */
void stage_load_foreign_image(const struct stage *stage);

/* The name of the service's container; freed by the caller. */
char *stage_container(const struct stage *stage, const char *service);
/* The runtime's own answer to GET /containers/NAME/json. New reference; NULL: there is none. */
json_t *stage_look(const struct stage *stage, const char *service);
/* POST or DELETE without content; the status. */
int stage_ask(const struct stage *stage, const char *method, const char *target_format, ...)
    PRINTF_LIKE(3, 4);
/* How many containers, networks and volumes carry the environment's label, by the runtime's word.
 */
size_t stage_count(const struct stage *stage, const char *kind);
/* All three kinds. */
size_t stage_count_all(const struct stage *stage);

bool stage_is_podman(const struct stage *stage);

/* cmocka's teardown: destroys what a failed test left. */
int stage_clear(void **state);

/* Rows of a cmocka table: a story told on one runtime, or on both. */
#define STAGE_ON(runtime, name, story)                                                             \
	{ name ": " #story, story, NULL, stage_clear, (void *)(uintptr_t)runtime }
#define STAGE_ON_PODMAN(story) STAGE_ON("ENVD_TEST_PODMAN", "podman", story)
#define STAGE_ON_BOTH(story) STAGE_ON_PODMAN(story), STAGE_ON("ENVD_TEST_DOCKER", "docker", story)

#endif
