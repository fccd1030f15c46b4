/*
 * container_body.h - a service of a Compose file as the body of POST /containers/create. Pure.
 *
 * Host ports are always the system's choice on the target's publish address: two environments of
 * one template run side by side, so a fixed host port in the file is taken as its container port
 * only.
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

/* Paths of the image's VOLUMEs that no mount of the service covers: calls on_path for each. */
void container_image_volumes(const struct compose_service *service, const json_t *image,
			     void (*on_path)(void *arg, const char *path), void *arg);

#endif
