/*
 * world.h - for scenario and failure tests: a private folder with the real envd, envd-reaper and
 * envctl in it, templates written by the test, and a look at what exists from outside: the
 * container runtime's own listing, never our store's opinion.
 */
#ifndef TESTS_SUPPORT_WORLD_H
#define TESTS_SUPPORT_WORLD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct world {
	char folder[64];
	char data[96];
	char socket[96];
	char templates[96];
	char runtime[256]; /* API socket of the real runtime */
	pid_t envd;
	char *extra[16]; /* further arguments of envd */
	size_t extra_count;
	int log_fd;
};

/* `runtime_variable`: "ENVD_TEST_PODMAN" or "ENVD_TEST_DOCKER"; the test fails when it is not set.
 */
struct world *world_new(const char *runtime_variable);
/* Asks for everything to be destroyed, ends what was started, removes the folder. */
void world_free(struct world *world);
/* The same as cmocka's teardown, of a state that is a world. */
int world_close(void **state);

/* An argument for every later start of envd. */
void world_argument(struct world *world, const char *argument);

/* Returns when it answers. */
void world_start(struct world *world);
/* SIGTERM: ends politely; SIGKILL: dies. Returns when it is gone. */
void world_end(struct world *world, int signal_number);
/* The pid in the reaper's lock; 0 when none runs. */
pid_t world_reaper(const struct world *world);
/* Kill it and see that it is gone. */
void world_kill_reaper(struct world *world);

/* templates/NAME/FILE with this content. */
void world_write(struct world *world, const char *name, const char *file, const char *content);
/* Two busybox services, "web" (httpd on port 80) and "side", with a smoke check when `with_check`.
 */
void world_write_small_template(struct world *world, const char *name, bool with_check);

/* The API. The answer must be freed with json_decref(). */
json_t *world_ask(struct world *world, const char *method, const char *target,
		  const json_t *content, int *status);
/* Creates and returns the id (static text per call site is not kept: copy it). The test fails when
 * it is refused. */
void world_create(struct world *world, const char *template_name, const char *name, const char *ttl,
		  char id[37]);
/* "ready", "destroyed", ...; "" when nobody answers. */
void world_state(struct world *world, const char *environment, char state[32]);
/* The test fails when it is not reached in time; prints the environment then. */
void world_wait(struct world *world, const char *environment, const char *state, int64_t limit_ms);

/* Runs envctl with these arguments (ends with NULL); output (may be NULL) gets stdout, freed by the
 * caller; stderr goes to the test's log. Returns its exit status, or 128 + signal. */
int world_envctl(struct world *world, char **output, ...);

/* The runtime's own listing: containers, networks and volumes that carry this label. */
size_t world_count(const struct world *world, const char *label, const char *value);
/* This installation's id, from its record in the data folder's store... told by /v1/version. */
void world_instance(struct world *world, char instance[37]);

#endif
