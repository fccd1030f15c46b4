/*
 * step.h - do what one step says, once, and hold it against its expectations.
 *
 * Each kind of step is a row of a table (step.c) and a file (step_tls.c, ...): it does something,
 * and then knows the subjects of its kind.
 */
#ifndef ENVD_CHECK_STEP_H
#define ENVD_CHECK_STEP_H

#include "check/check.h"
#include "check/http_exchange.h"

/* One visitor of the environment: its cookies, its captures. */
struct scenario {
	const struct check_request *request;
	struct address_guard *guard;
	struct scope *scope;
	struct http_exchange *exchange;
};

struct scenario *scenario_new(const struct check_request *request, struct address_guard *guard);
void scenario_free(struct scenario *scenario);
DEFINE_AUTO(struct scenario *, scenario_free)

/* A new visitor. */
void scenario_clear(struct scenario *scenario);

struct step_kind {
	/*
	 * `seen` is freed by release(). An error of code ERR_INVALID, ERR_DENIED or ERR_NOT_FOUND
	 * means that the question itself cannot be asked; any other that the product did not
	 * answer.
	 */
	bool (*perform)(struct scenario *scenario, const struct check_step *step,
			int64_t time_limit_ms, void **seen, struct error *err);
	struct observed (*look)(const void *seen, const char *subject);
	void (*release)(void *seen);
};

extern const struct step_kind step_tls, step_tcp, step_dns, step_prometheus, step_exec, step_kube;

enum step_outcome {
	STEP_GOOD,
	STEP_BAD,      /* not as expected this time */
	STEP_HOPELESS, /* not as expected, and trying again would not help */
	STEP_ERROR,    /* could not be asked */
};

/* What came of one attempt; results of several steps are collected in one. */
struct step_findings {
	struct expectation_result *results;
	size_t count;
	bool has_warning;
	char message[400]; /* of what was not good, or of the first warning */
};

void step_findings_clear(struct step_findings *findings);

/* Forget all but the first `count` results, and what was said. */
void step_findings_cut(struct step_findings *findings, size_t count);

/* `number` is told in messages, from 1; 0: a check of one step. */
enum step_outcome step_run(struct scenario *scenario, const struct check_step *step, size_t number,
			   int64_t time_limit_ms, struct step_findings *findings);

/* For load checks: hold a finished exchange against the step. False: not as expected; `why` is
 * filled in. */
bool step_judge_exchange(struct scenario *scenario, const struct check_step *step, char *why,
			 size_t why_size);

#endif
