/*
 * evidence_look.h - for tests: environments that are going to fail, and a look into what is left of
 * them. Every function fails the test when it cannot do what it says.
 */
#ifndef TESTS_SUPPORT_EVIDENCE_LOOK_H
#define TESTS_SUPPORT_EVIDENCE_LOOK_H

#include "tests/support/world.h"

/* GET /v1/environments/ENVIRONMENT and `more`. */
json_t *evidence_get(struct world *world, const char *environment, const char *more);

/* `keep` and `fake` (a parameter of that name) may be NULL. */
void evidence_create(struct world *world, const char *template_name, const char *name,
		     const char *keep, const char *fake, char id[37]);
bool evidence_history_has(struct world *world, const char *environment, const char *words);

/* Fetched by envctl and unpacked by tar; the folder, which the caller frees. */
char *evidence_unpack(struct world *world, const char *environment);
char *evidence_read(const char *folder, const char *name);
void evidence_assert_in(const char *folder, const char *name, const char *words);
void evidence_assert_nowhere(const char *folder, const char *words);

void evidence_await(struct world *world, const char *id);

/* For eventually(): the runtime has nothing of it any more. */
struct evidence_subject {
	struct world *world;
	const char *id;
};
bool evidence_nothing_is_left(void *arg);

#endif
