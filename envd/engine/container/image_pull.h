/*
 * image_pull.h - fetching images through the runtime, several at once.
 *
 * A pull is tried up to three times where another try may help (the connection broke, the registry
 * was not there or not well), within the request's deadline; what the registry has refused is not
 * asked again. While one lasts, a progress line every few seconds says how far it is.
 *
 * Credentials (registry_auth.h) go to the runtime in a header, only for a request that may use
 * them.
 */
#ifndef ENVD_ENGINE_CONTAINER_IMAGE_PULL_H
#define ENVD_ENGINE_CONTAINER_IMAGE_PULL_H

#include "engine/container/container_runtime.h"

struct image_pull {
	const char *service;   /* for errors */
	const char *reference; /* as the Compose file has it, or "NAME@sha256:..." of a lock */
	const char *platform;  /* "linux/amd64", or NULL: the runtime's own */
};

/*
 * All, or the error of the first that failed: image_missing, registry_denied,
 * registry_unreachable, registry_tls, registry_credentials, image_pull_failed, runtime_timeout.
 * The error names image, service and registry. What was pulled stays.
 */
NODISCARD bool images_pull(const struct engine_request *request, struct runtime *runtime,
			   struct worker_lines *lines, const struct image_pull *pulls, size_t count,
			   struct error *err);

#endif
