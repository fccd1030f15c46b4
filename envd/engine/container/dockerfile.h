/*
 * dockerfile.h - what has to be known of a Dockerfile before a runtime gets it. Pure.
 */
#ifndef ENVD_ENGINE_CONTAINER_DOCKERFILE_H
#define ENVD_ENGINE_CONTAINER_DOCKERFILE_H

#include <jansson.h>

#include "base/error.h"

/* Of its FROM lines, each once; not "scratch", no earlier stage, nothing with a variable in it. New
 * reference to an array of strings. */
json_t *dockerfile_bases(const char *text);

/*
 * May somebody whom we do not trust have it built? The runtime itself fetches what ADD names, with
 * the machine's own network, so there is COPY instead; and no base image may hide behind a
 * variable, because it can bring an ADD of its own (ONBUILD). Error: ERR_DENIED, slug
 * "template_not_trusted", naming the line.
 */
NODISCARD bool dockerfile_check_untrusted(const char *text, struct error *err);

#endif
