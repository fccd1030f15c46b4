/*
 * engine_stage.h - for tests of the container engine against a real runtime: an environment of its
 * own, its template, the engine's verbs, and the runtime as a witness that knows none of our code.
 */
#ifndef TESTS_SUPPORT_ENGINE_STAGE_H
#define TESTS_SUPPORT_ENGINE_STAGE_H

#include <sys/types.h>

#include "engine/engine.h"

#define STAGE_IMAGE "localhost/envd-test/busybox:1"

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

#endif
