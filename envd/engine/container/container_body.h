/*
 * container_body.h - a service of a Compose file as the body of POST /containers/create. Pure.
 *
 * Host ports are bound to the target's publish address only, and are the system's choice unless the
 * file insists on one: then one environment of the template runs at a time, and a second one is
 * told that the port is taken.
 */
#ifndef ENVD_ENGINE_CONTAINER_CONTAINER_BODY_H
#define ENVD_ENGINE_CONTAINER_CONTAINER_BODY_H

#include "compose/compose.h"
#include "engine/container/container_health.h"
#include "engine/engine.h"

struct body_subject {
	const struct engine_request *request;
	const struct compose_service *service;
	const json_t *image; /* what the runtime says of it */
	const struct health_check *health;
	const char *const *bind_sources; /* by mount: absolute path of a bind, else NULL */
};

/* With every label but LABEL_CONFIG. Error: ERR_INVALID, slug "service_invalid". New reference. */
NODISCARD bool container_body(const struct body_subject *subject, json_t **body, struct error *err);

/* {"Aliases": [...]}: a service on one network. New reference. */
json_t *container_endpoint(const struct compose_service *service,
			   const struct compose_attachment *attachment);

/* The volume of an anonymous mount or of an image's VOLUME at `path`: named, so that it carries our
 * labels and is found again. The caller frees. */
char *container_anonymous_volume(const struct engine_request *request, const char *service,
				 const char *path);

/* Nobody writes into a container whose root is read-only, but into a volume over the folder where
 * its secrets go: does the service need that? It is an anonymous one. */
#define SECRETS_FOLDER "/run/secrets"
bool container_has_secrets_volume(const struct compose_service *service);

/* Paths of the image's VOLUMEs that no mount of the service covers: calls on_path for each. */
void container_image_volumes(const struct compose_service *service, const json_t *image,
			     void (*on_path)(void *arg, const char *path), void *arg);

#endif
