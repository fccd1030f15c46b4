/*
 * check.h - run a plan against an environment and report what was found.
 *
 * Worker side: blocking, single-threaded, straight-line. SIGTERM ends it by default; it owns
 * nothing that would outlive the process.
 *
 * A check that fails is a report, not an error: check_run() fails only when nothing could be run at
 * all (a name in the plan that this environment does not have, an unusable request).
 *
 * Checks reach the environment's own addresses and nothing else. The numeric address and port are
 * compared at the moment of connecting, so no spelling of an address, redirect or change of DNS
 * gets around it. Own addresses are those in `addresses`; for a trusted plan also those in URL-like
 * outputs and in the plan's `allow`.
 */
#ifndef ENVD_CHECK_CHECK_H
#define ENVD_CHECK_CHECK_H

#include <jansson.h>

#include "base/error.h"
#include "kube/kube_access.h"
#include "model/check_plan.h"
#include "wire/worker_lines.h"

struct check_request {
	const struct check_plan *plan;
	const json_t *parameters; /* of the environment, for "only" */
	const json_t *outputs;    /* {name: value}; strings and numbers can be used as ${name} */
	const json_t *addresses;  /* [{"service","host","port","container_port"}]: also
				   * ${service.host} and ${service.port.CONTAINER_PORT} */
	/* How to log in to its cluster; NULL: it has none, or this plan may not. */
	const struct kube_access *cluster;
	bool is_trusted;
	bool run_smoke;
	bool run_load; /* only after smoke checks that did not fail */
	const char *run_id;
	const char *environment_id;
	const char *environment_name;
	struct worker_lines *lines; /* progress and one line a check; NULL: silent */
	int64_t deadline_at_ms;     /* wall clock; 0: none. What is not done by then is an error */

	/*
	 * Run a command inside a service: exec checks, and dns checks that name a service. NULL
	 * where the engine cannot. `output` (stdout and stderr, NUL-terminated) is freed by the
	 * caller. ERR_NOT_FOUND: no such service. Other errors count as "did not work this time".
	 */
	bool (*exec)(void *arg, const char *service, const char *const *argv, int64_t time_limit_ms,
		     int *status, char **output, struct error *err);
	void *exec_arg;
};

/* `report`: the CheckRun document (wire/check_json.h). New reference. */
NODISCARD bool check_run(const struct check_request *request, json_t **report, struct error *err);

#endif
