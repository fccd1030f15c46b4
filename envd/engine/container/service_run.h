/*
 * service_run.h - one service on its way from nothing to ready, a step at a time.
 *
 * A step asks the runtime for one thing and takes its answer; the list of steps is in
 * service_run.c. Nothing waits here: service_run_advance() does what can be done now and says when
 * to come again, so that all services of an environment go their ways at once.
 */
#ifndef ENVD_ENGINE_CONTAINER_SERVICE_RUN_H
#define ENVD_ENGINE_CONTAINER_SERVICE_RUN_H

#include "engine/container/container_exec.h"
#include "engine/container/container_plan.h"

enum service_step {
	SERVICE_FIND,   /* somebody has its name: who? */
	SERVICE_REMOVE, /* a container of ours that will not do */
	SERVICE_CREATE,
	SERVICE_CONNECT, /* to its further networks */
	SERVICE_FILES,
	SERVICE_START,
	SERVICE_LOOK,  /* does it run? */
	SERVICE_PROBE, /* its health check */
};

enum service_state {
	SERVICE_GOING,
	SERVICE_READY,
	SERVICE_COMPLETED, /* a one-shot, with status 0 */
	SERVICE_FAILED,    /* `err` says why */
};

struct service_run {
	const struct engine_request *request;
	struct runtime *runtime;
	struct worker_lines *lines;
	const struct planned_service *planned;

	enum service_step step;
	enum service_state state;
	bool is_started; /* seen running, or over */
	struct error err;
	json_t *inspected;   /* the runtime's last answer about the container */
	char *health_output; /* of the last failed probe */

	struct docker_call *call;
	struct exec_run exec;
	int64_t due_mono_ms; /* not before; 0: at once */
	size_t at;           /* network or file */
	int up;              /* folders above the file that are not there */
	int tries;
	int64_t begun_mono_ms;
	int64_t started_mono_ms;
	struct health health;
};

/* `existing`: the inventory's item of a container with this service's name, or NULL. */
void service_run_init(struct service_run *run, const json_t *existing);
void service_run_release(struct service_run *run);

/* `may_start`: what it depends on is there. */
void service_run_advance(struct service_run *run, bool may_start);

/* A call of it is under way. */
bool service_run_is_busy(const struct service_run *run);

#endif
