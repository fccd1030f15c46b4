/*
 * check_bench.h - run the checks of a few lines of YAML against a fake bank.
 */
#ifndef ENVD_TESTS_SUPPORT_CHECK_BENCH_H
#define ENVD_TESTS_SUPPORT_CHECK_BENCH_H

#include "check/check.h"
#include "base/json_read.h"
#include "tests/support/fake_bank.h"

/* What the fake command inside a service does. */
struct bench_exec {
	int status;
	const char *output;
	bool is_unknown_service;
	int calls;
};

/* A plan called "bench" with base ${url} and ca ${ca}; `checks` are its "stages", "smoke" and
 * "load" keys. Fails the test when the plan cannot be read. */
struct check_plan *bench_plan(const char *checks);

/* Known names: url, http_url, ca, host, port. The bank's own ports are its addresses. */
json_t *bench_run_once(const struct fake_bank *bank, const char *checks, struct bench_exec *exec);
/* The same, up to five times, until the load generator was left in peace: what is told then is the
 * product's doing. Where the generator's own trouble is the story, bench_run_once(). */
json_t *bench_run(const struct fake_bank *bank, const char *checks, struct bench_exec *exec);

/* The same with everything as given. `request` gets plan, outputs and addresses where it has none.
 */
json_t *bench_run_as(const struct fake_bank *bank, const char *checks,
		     struct check_request *request);

/* Of the report of a run. */
const json_t *bench_smoke(const json_t *report, const char *name);
const char *bench_message(const json_t *report, const char *name);

/* cmocka assertions that print the message when they fail. */
void assert_check(const json_t *report, const char *name, const char *status);
void assert_contains(const char *text, const char *part);

#endif
