/*
 * task.h - task name to function, request in, lines out. Straight-line and blocking.
 */
#ifndef ENVD_WORKER_TASK_H
#define ENVD_WORKER_TASK_H

#include "worker/request.h"

enum task_needs {
	TASK_NEEDS_NOTHING, /* of a request but itself: `request->json` alone is read */
	TASK_NEEDS_TARGET,
	TASK_NEEDS_ENVIRONMENT,
};

/* `data` may be set by a task that failed, too. */
struct task {
	const char *name;
	bool (*run)(const struct request *request, struct worker_lines *lines, json_t **data,
		    struct error *err);
	enum task_needs needs;
};

/* Says hello, does what the request says, gives the result, all on stdout. The exit status: 0
 * result ok, 1 result not ok. */
int task_run(const json_t *request);

/* The same with `tasks` (the last without a name) instead of all that there are. */
int task_run_one_of(const struct task *tasks, const json_t *request);

/* It has a client of its own, and must not be ended without a chance to clean up after itself. */
bool task_has_client(const json_t *request);

/* ---- one call of the engine (task_engine.c) ---- */

bool task_plan(const struct request *request, struct worker_lines *lines, json_t **data,
	       struct error *err);
bool task_inspect(const struct request *request, struct worker_lines *lines, json_t **data,
		  struct error *err);
bool task_recover(const struct request *request, struct worker_lines *lines, json_t **data,
		  struct error *err);
bool task_inventory(const struct request *request, struct worker_lines *lines, json_t **data,
		    struct error *err);
bool task_logs(const struct request *request, struct worker_lines *lines, json_t **data,
	       struct error *err);
bool task_images(const struct request *request, struct worker_lines *lines, json_t **data,
		 struct error *err);
bool task_probe(const struct request *request, struct worker_lines *lines, json_t **data,
		struct error *err);

/* ---- looking into an environment (task_look.c) ---- */

bool task_resources(const struct request *request, struct worker_lines *lines, json_t **data,
		    struct error *err);
bool task_updates(const struct request *request, struct worker_lines *lines, json_t **data,
		  struct error *err);
bool task_kubeconfig(const struct request *request, struct worker_lines *lines, json_t **data,
		     struct error *err);

/* ---- the longer ones, one file each ---- */

bool task_create(const struct request *request, struct worker_lines *lines, json_t **data,
		 struct error *err);
bool task_destroy(const struct request *request, struct worker_lines *lines, json_t **data,
		  struct error *err);
bool task_evidence(const struct request *request, struct worker_lines *lines, json_t **data,
		   struct error *err);
bool task_check(const struct request *request, struct worker_lines *lines, json_t **data,
		struct error *err);
/* Of a target of the targets file, by its own commands: {"count","words"}: what is on it, whosever
 * it is; and empty it. */
bool task_target_inventory(const struct request *request, struct worker_lines *lines, json_t **data,
			   struct error *err);
bool task_target_clean(const struct request *request, struct worker_lines *lines, json_t **data,
		       struct error *err);
/* With a client behind TUNNEL_FD (task_tunnel.c); only by --direct. */
bool task_exec(const struct request *request, struct worker_lines *lines, json_t **data,
	       struct error *err);
bool task_forward(const struct request *request, struct worker_lines *lines, json_t **data,
		  struct error *err);
/* Fetching a source needs no engine, no target and no environment. */
bool task_source(const struct request *request, struct worker_lines *lines, json_t **data,
		 struct error *err);

#endif
