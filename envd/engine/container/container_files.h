/*
 * container_files.h - configs into a container, output files out of one, by its archive.
 */
#ifndef ENVD_ENGINE_CONTAINER_CONTAINER_FILES_H
#define ENVD_ENGINE_CONTAINER_CONTAINER_FILES_H

#include "engine/container/container_plan.h"

/*
 * The call that puts a file into a container. The runtime refuses (404) a folder that is not there,
 * and must not be sent folders that are (it would change their owner and mode): so ask with `up` 0,
 * and after a 404 with one more, which sends that many folders along. Error: nothing is left to
 * send.
 */
NODISCARD bool file_put_call(const char *container, const struct planned_file *file, int up,
			     struct docker_call **call, struct error *err);

/* A text file of a service's container; the caller frees. */
NODISCARD bool file_get(struct runtime *runtime, const char *container, const char *path,
			char **text, struct error *err);

#endif
