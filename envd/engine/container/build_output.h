/*
 * build_output.h - what a runtime says while it builds an image, as log lines, and the last of
 * them for an error.
 */
#ifndef ENVD_ENGINE_CONTAINER_BUILD_OUTPUT_H
#define ENVD_ENGINE_CONTAINER_BUILD_OUTPUT_H

#include "engine/container/docker_api.h"
#include "engine/container/json_lines.h"
#include "wire/worker_lines.h"

#define BUILD_TAIL 6

/* The first three are given, the rest is zeroed. */
struct build_output {
	struct worker_lines *lines;
	const char *service;
	int lines_max;

	struct json_lines reader;
	struct text line; /* begun and not ended */
	int said;
	char *tail[BUILD_TAIL]; /* the last lines, oldest first; NULL where there were fewer */
	char *failure;          /* NULL: none was said */
};

/* on_bytes of a call whose `arg` is the output. */
bool build_output_take(struct docker_call *call, const char *bytes, size_t length);
void build_output_end(struct build_output *output);
void build_output_release(struct build_output *output);

/* "line / line / line"; the caller frees. */
char *build_output_tail(const struct build_output *output);

#endif
