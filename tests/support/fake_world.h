/*
 * fake_world.h - for tests: a world with the template "fake", whose engine makes files in the
 * world's folder "fake" in place of containers (tests/support/fake_engine), so that no runtime is
 * needed.
 */
#ifndef TESTS_SUPPORT_FAKE_WORLD_H
#define TESTS_SUPPORT_FAKE_WORLD_H

#include "tests/support/world.h"

/* A template of this text whose source is "fake_engine", in any world. */
void fake_world_template(struct world *world, const char *name, const char *text);

/* Not started. Its leases are 10 s to 1 h; what it is to do wrong is its parameter "fake". */
struct world *fake_world_new(void);

#endif
