/*
 * metrics_look.h - for tests: envd with the fake engine (fake_world.h) and a metrics listener of
 * its own, environments that can go wrong in it, and what /metrics says of them.
 */
#ifndef TESTS_SUPPORT_METRICS_LOOK_H
#define TESTS_SUPPORT_METRICS_LOOK_H

#include "tests/support/world.h"

/* A group's setup and teardown; `*state` is the world, started. */
int metrics_open(void **state);
int metrics_close(void **state);

/* Of the API's own socket. Freed by the caller. */
char *metrics_scrape(const struct world *world);
void metrics_assert_say(const char *text, const char *line);

/* Lent for 10 s; `fake` is what its engine does wrong (fake_engine), "" for nothing. */
void metrics_create(struct world *world, const char *name, const char *fake, char id[37]);

#endif
