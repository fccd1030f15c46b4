/*
 * docker_pipe.h - a call to the runtime whose connection stays open both ways afterwards: the input
 * and output of a command ("hijacked", as Docker calls it).
 */
#ifndef ENVD_ENGINE_CONTAINER_DOCKER_PIPE_H
#define ENVD_ENGINE_CONTAINER_DOCKER_PIPE_H

#include <sys/types.h>

#include "engine/container/docker_api.h"

struct docker_pipe;

/* POST `path` (without a version, as with docker_call_new) with `body`. Waits until the runtime has
 * answered. An answer that is no success is an error as of docker_refusal(). */
NODISCARD bool docker_pipe_open(struct docker *docker, const char *path, json_t *body,
				struct docker_pipe **pipe, struct error *err);
void docker_pipe_free(struct docker_pipe *pipe);
DEFINE_AUTO(struct docker_pipe *, docker_pipe_free)

/* To be waited for. Reading may have more at once than the descriptor shows: read until -1. */
int docker_pipe_fd(const struct docker_pipe *pipe);

/* Never block: bytes, 0 at the end, -1 for "not now". What is broken is at its end. */
ssize_t docker_pipe_read(struct docker_pipe *pipe, char *into, size_t size);
/* Bytes taken, which may be none; -1: nobody takes any more. */
ssize_t docker_pipe_write(struct docker_pipe *pipe, const char *bytes, size_t length);

/* There is no more input; output goes on. */
void docker_pipe_end_input(struct docker_pipe *pipe);

#endif
