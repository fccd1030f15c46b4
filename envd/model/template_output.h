/*
 * template_output.h - what an environment tells its users once it is ready: texts with {{...}} in
 * them, and files read out of a container.
 */
#ifndef ENVD_MODEL_TEMPLATE_OUTPUT_H
#define ENVD_MODEL_TEMPLATE_OUTPUT_H

#include <jansson.h>

#include "base/yaml_read.h"

/* `text` with {{...}} in it, or `service` and `file`, or `layer` and `output`. */
struct template_output {
	char *name;
	char *text;
	char *service; /* `file` is read out of this service's container once it is ready */
	char *file;
	char *layer; /* whose program gave it as `output` */
	char *output;
};

/* `node` is what stands under the key `name`. On failure `output` is released. */
NODISCARD bool template_output_read(const struct yaml_document *document,
				    const struct yaml_node *name, const struct yaml_node *node,
				    struct template_output *output, struct error *err);
void template_output_release(struct template_output *output);

/* Who an output is for: see template_outputs(). */
struct template_subject {
	const char *environment_id;
	const char *environment_name;
	const json_t *addresses; /* [{"service","host","port","container_port"}] */
};

/* An output of kind text with {{...}} filled in; the caller frees. Error: ERR_INVALID, slug
 * output_invalid. */
NODISCARD bool template_output_text(const struct template_output *output,
				    const struct template_subject *subject, char **text,
				    struct error *err);

/* Calls `on_service(arg, service, container port or 0)` for each service that the output mentions:
 * what lint compares with the engine's file. */
void template_output_services(const struct template_output *output,
			      void (*on_service)(void *arg, const char *service, int port),
			      void *arg);

#endif
