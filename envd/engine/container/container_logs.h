/*
 * container_logs.h - what the services of an environment wrote.
 */
#ifndef ENVD_ENGINE_CONTAINER_CONTAINER_LOGS_H
#define ENVD_ENGINE_CONTAINER_CONTAINER_LOGS_H

#include "engine/container/container_runtime.h"

/* The last lines of a container, as an array of strings; empty if it has none, or cannot be read (a
 * log is for people: a failure to read it hides no other). New reference. */
json_t *logs_tail(struct runtime *runtime, const char *container, int64_t line_count);

bool container_logs(const struct engine_request *request, const char *service, bool follow,
		    int64_t tail_lines, struct worker_lines *lines, struct error *err);

#endif
