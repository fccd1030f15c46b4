/*
 * verdict.h - what a check run found, and what that means.
 *
 * The product is judged (passed, failed) only by what says something about the product. What could
 * not be judged (a check in error, a load generator that was too slow itself, too few samples)
 * makes the run inconclusive: that is the infrastructure's business, and another exit status.
 */
#ifndef ENVD_MODEL_VERDICT_H
#define ENVD_MODEL_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

/* The names are stored and sent to clients: never change one. */
#define VERDICTS(X)                                                                                \
	X(VERDICT_PASSED, "passed")                                                                \
	X(VERDICT_FAILED, "failed")                                                                \
	X(VERDICT_INCONCLUSIVE, "inconclusive")

#define CHECK_STATUSES(X)                                                                          \
	X(CHECK_PASSED, "passed")                                                                  \
	X(CHECK_FAILED, "failed")   /* the product is not as expected */                           \
	X(CHECK_WARNED, "warned")   /* only expectations of severity warn were not met */          \
	X(CHECK_SKIPPED, "skipped") /* a stage before it did not pass */                           \
	X(CHECK_ERROR, "error")     /* could not be judged */

#define THRESHOLD_KINDS(X)                                                                         \
	X(THRESHOLD_SLO, "slo")           /* the product is too slow */                            \
	X(THRESHOLD_VALIDITY, "validity") /* the run says nothing */                               \
	X(THRESHOLD_WARN, "warn")         /* only told */

#define THRESHOLD_STATUSES(X)                                                                      \
	X(THRESHOLD_PASSED, "passed")                                                              \
	X(THRESHOLD_FAILED, "failed")                                                              \
	X(THRESHOLD_INSUFFICIENT, "insufficient")

#define X(constant, name) constant,
enum verdict { VERDICTS(X) };
enum check_status { CHECK_STATUSES(X) };
enum threshold_kind { THRESHOLD_KINDS(X) };
enum threshold_status { THRESHOLD_STATUSES(X) };
#undef X

const char *verdict_name(enum verdict verdict);
const char *check_status_name(enum check_status status);
const char *threshold_kind_name(enum threshold_kind kind);
const char *threshold_status_name(enum threshold_status status);

/* ---- what one run found: owned by struct check_report ---- */

struct expectation_result {
	char *text;
	char *saw;
	bool is_met;
	bool is_warning; /* severity warn */
};

struct smoke_result {
	char *name;
	char *stage;
	enum check_status status;
	int64_t duration_ms;
	int attempts;
	int flaps;        /* good, then bad again, before it was good for long enough */
	char *message;    /* "" when there is nothing to say */
	char *blocked_by; /* stage; NULL unless skipped */
	struct expectation_result *expectations; /* of the last attempt */
	size_t expectation_count;
};

struct latency_summary {
	int64_t p50_us, p90_us, p95_us, p99_us, max_us;
	double mean_us;
};

struct threshold_result {
	char *text;
	char *saw;
	enum threshold_kind kind;
	enum threshold_status status;
	bool may_be_insufficient;
	bool is_about_offer;
};

struct generator_health {
	bool is_healthy;
	char why[200]; /* "" while healthy */
	int64_t send_lag_p99_us;
	int64_t stall_max_us;
	double cpu_percent;
	int64_t held; /* were due while every connection waited for the product */
};

struct load_result {
	char *name;
	enum verdict verdict;
	char *message;
	double planned_per_second;
	double achieved_per_second;
	int64_t requests;
	int64_t errors;
	int64_t dropped;
	int64_t duration_ms;
	int64_t warmup_requests;
	int64_t warmup_errors;
	char *first_error; /* what the first failed request saw; NULL: none */
	struct latency_summary latency;
	struct latency_summary service_time;
	struct threshold_result *thresholds;
	size_t threshold_count;
	struct generator_health generator;
};

struct check_report {
	char *id;
	char *environment_id;
	char *environment_name;
	char *plan;
	enum verdict verdict;
	int64_t started_at_ms;
	int64_t duration_ms;
	struct smoke_result *smoke;
	size_t smoke_count;
	struct load_result *load;
	size_t load_count;
};

void expectation_results_free(struct expectation_result *results, size_t count);
void check_report_free(struct check_report *report);
DEFINE_AUTO(struct check_report *, check_report_free)

/*
 * A load run: a generator that was not well makes it inconclusive; then a failed validity threshold
 * does (but not one about the offer, when an SLO failed and the product kept every connection busy:
 * that shortfall is the product's own); then a failed SLO fails it; then too few samples make it
 * inconclusive.
 */
enum verdict verdict_of_load(const struct load_result *load);

/* The whole run: failed if anything failed, else inconclusive if anything could not be judged. */
enum verdict verdict_of_report(const struct check_report *report);

#endif
