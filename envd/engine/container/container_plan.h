/*
 * container_plan.h - everything about an environment that is known before anything is made: its
 * services with image ids and the bodies they are created from, its layers, and the lock.
 */
#ifndef ENVD_ENGINE_CONTAINER_CONTAINER_PLAN_H
#define ENVD_ENGINE_CONTAINER_CONTAINER_PLAN_H

#include "base/files.h"
#include "compose/compose.h"
#include "engine/container/container_health.h"
#include "engine/container/container_runtime.h"
#include "model/layer_graph.h"
#include "model/template.h"

/* A file that goes into a container before it starts. */
struct planned_file {
	const struct compose_config_use *use;
	char *bytes;
	size_t length;
	bool is_secret;
};

struct planned_service {
	const struct compose_service *service;
	char *container;  /* name */
	json_t *image;    /* what the runtime says of it */
	char *built_name; /* of an image that `build` made, else NULL */
	json_t *body;     /* of POST /containers/create, LABEL_CONFIG included */
	char config_hash[SHA256_TEXT_SIZE];
	struct health_check health;
	struct planned_file *files;
	size_t file_count;
	bool is_one_shot; /* somebody waits for it to complete */
	bool is_optional; /* it is needed, and only by who can do without */
};

struct container_plan {
	struct template *template;
	struct compose_file *file;
	struct planned_service *services; /* as in `file` */
	size_t count;
	struct layer_graph *layers; /* names of services, sorted */
	json_t *lock;
};

/* Reads the template, checks trust, resolves images. Changes nothing but what the target has of
 * images. The request's lock, if it has one, decides which they are. */
NODISCARD bool plan_make(const struct engine_request *request, struct runtime *runtime,
			 struct worker_lines *lines, struct container_plan **plan,
			 struct error *err);
void plan_free(struct container_plan *plan);
DEFINE_AUTO(struct container_plan *, plan_free)

bool container_plan(const struct engine_request *request, struct worker_lines *lines, json_t **data,
		    struct error *err);

#endif
