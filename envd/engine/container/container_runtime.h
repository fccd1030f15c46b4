/*
 * container_runtime.h - the runtime of a target: which one it is, and what it can do.
 *
 * Docker and Podman speak the same API and mean different things by it. What differs is asked by
 * `is_podman`, in the file that does the thing.
 */
#ifndef ENVD_ENGINE_CONTAINER_CONTAINER_RUNTIME_H
#define ENVD_ENGINE_CONTAINER_CONTAINER_RUNTIME_H

#include "engine/container/docker_api.h"
#include "engine/engine.h"

/* Podman's own API, which is safe where its imitation of Docker's is not. */
#define LIBPOD "/v4.0.0/libpod"

/* Which limits the machine enforces. */
struct runtime_limits {
	bool has_memory;
	bool has_cpu;
	bool has_pids;
};

struct runtime {
	struct docker *docker;
	const char *socket; /* of the target */
	bool is_podman;
	bool is_remote; /* its machine is not ours, so neither are its firewall and its processes */
	char version[48];
	char api[16];

	char architecture[32]; /* as images name it: "amd64"; "" before runtime_learn() where it is
				  remote */
	bool has_info; /* runtime_learn() was there: the limits are known, the architecture sure */
	struct runtime_limits limits;
};

/* Connects. Errors: runtime_unreachable, runtime_timeout, runtime_strange. On failure there is
 * nothing to release. */
NODISCARD bool runtime_open(const struct engine_request *request, struct runtime *runtime,
			    struct error *err);
void runtime_release(struct runtime *runtime);

static inline void auto_runtime_release(struct runtime *runtime)
{
	runtime_release(runtime);
}

/* "podman" or "docker". */
const char *runtime_name(const struct runtime *runtime);

/* The architecture's name in images: "x86_64" is "amd64". */
const char *runtime_architecture_name(const char *machine);

/* An image id without "sha256:", which the one writes and the other does not. */
const char *runtime_image_id(const char *id);

/* What the machine is and can; asked once in a process. It takes Podman a tenth of a second to say,
 * and half a one on a busy machine: ask when nothing waits for it. */
NODISCARD bool runtime_learn(struct runtime *runtime, struct error *err);

bool container_probe(const struct engine_request *request, json_t **data, struct error *err);

#endif
