/*
 * own_runtime.h - a runtime that is a test's own, to be killed, restarted and tampered with; one at
 * a time. Its folder is in /tmp, and its services are stopped by pid.
 */
#ifndef TESTS_SUPPORT_OWN_RUNTIME_H
#define TESTS_SUPPORT_OWN_RUNTIME_H

#include <sys/types.h>

#include "tests/support/world.h"

/* `program` and the folder start it: "ci/local/runtime --own" for one. `socket`: its name in the
 * folder. The test image is in it, and a world of its own around it, with envd not started. */
struct world *own_runtime_open(const char *program, const char *socket);
/* Frees the world too, and stops the runtime. */
void own_runtime_close(struct world *world);

/* Again, after it died. */
void own_runtime_start(const char *program);
/* Cleanly. */
void own_runtime_stop(void);

/* "podman.pid", "podman.sock". Freed by the caller. */
char *own_runtime_path(const char *name);
pid_t own_runtime_pid(const char *name);

#endif
