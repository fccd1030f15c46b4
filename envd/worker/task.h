/*
 * task.h - task name to function, request in, lines out. Straight-line and blocking.
 */
#ifndef ENVD_WORKER_TASK_H
#define ENVD_WORKER_TASK_H

#include "worker/request.h"

/* Says hello, does what the request says, gives the result, all on stdout. The exit status: 0
 * result ok, 1 result not ok. */
int task_run(const json_t *request);

/* It has a client of its own, and must not be ended without a chance to clean up after itself. */
bool task_has_client(const json_t *request);

/* ---- the longer ones, one file each; `data` may be set by a task that failed, too ---- */

bool task_create(const struct request *request, struct worker_lines *lines, json_t **data,
		 struct error *err);
bool task_destroy(const struct request *request, struct worker_lines *lines, json_t **data,
		  struct error *err);
bool task_evidence(const struct request *request, struct worker_lines *lines, json_t **data,
		   struct error *err);
bool task_check(const struct request *request, struct worker_lines *lines, json_t **data,
		struct error *err);
/* With a client behind TUNNEL_FD (task_tunnel.c); only by --direct. */
bool task_exec(const struct request *request, struct worker_lines *lines, json_t **data,
	       struct error *err);
bool task_forward(const struct request *request, struct worker_lines *lines, json_t **data,
		  struct error *err);
/* The whole request: fetching a source needs no engine, no target and no environment. */
bool task_source(const json_t *request, struct worker_lines *lines, json_t **data,
		 struct error *err);

#endif
