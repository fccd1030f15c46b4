/*
 * check_plan.h - what a checks file says (templates/checks.md is its manual): smoke checks, which
 * ask whether an environment is right, and load checks, which ask whether it is fast enough.
 *
 * Everything that can be wrong with a plan is found while reading, before anything runs: unknown
 * keys, expressions, regular expressions, stages, captures, durations. Only whether the names in
 * ${...} exist depends on the environment; check_plan_check_names() asks that before a run.
 *
 * JSON is YAML, so a plan that arrived as JSON is read by the same function.
 */
#ifndef ENVD_MODEL_CHECK_PLAN_H
#define ENVD_MODEL_CHECK_PLAN_H

#include <jansson.h>
#include <regex.h>
#include <stdint.h>

#include "base/error.h"
#include "model/expectation.h"
#include "model/threshold.h"
#include "model/verdict.h"

#define CHECK_PLAN_BYTES_MAX ((size_t)512 * 1024)
#define CHECK_PLAN_CHECKS_MAX 200 /* smoke, load: each */
#define CHECK_PLAN_STEPS_MAX 50   /* of one check */
#define CHECK_PLAN_ITEMS_MAX                                                                       \
	100 /* expectations, captures, headers, fields, stages, allow: each                        \
	     */

#define LOAD_RATE_MAX 10000 /* per second */
#define LOAD_DURATION_MAX_MS (10 * 60 * 1000)
#define LOAD_CONNECTIONS_MAX 1000

/* What ${...} may be in any environment, and the function of check/scope.c that tells it. */
#define CHECK_WORDS(X)                                                                             \
	X("uuid", new_uuid)                                                                        \
	X("random", new_random)                                                                    \
	X("now", now_text)                                                                         \
	X("environment.id", environment_id)                                                        \
	X("environment.name", environment_name)

/* Names and values as written, ${...} still in them. */
struct check_pair {
	char *name;
	char *value;
};

struct check_pairs {
	struct check_pair *items;
	size_t count;
};

/* Retry until it holds, or until the time is over. */
struct check_eventually {
	bool is_given; /* otherwise one attempt, now */
	int64_t timeout_ms;
	int64_t interval_ms; /* times `factor` after each attempt, up to interval_max_ms */
	int64_t interval_max_ms;
	double factor;
	int64_t successes; /* in a row */
};

struct check_http {
	char *method;
	char *base; /* "scheme://host:port" */
	char *path; /* begins with "/" or "${" */
	char *ca;   /* PEM, most often "${ca}"; NULL: the system's */
	struct check_pairs headers;
	struct check_pairs form; /* at most one of form, json and body */
	bool has_form;
	json_t *json; /* NULL: none */
	char *body;   /* NULL: none */
	bool follow;  /* at most 3 redirects, each held to the same addresses */
};

struct check_tls {
	char *host;
	char *port;
	char *ca;          /* NULL: the system's */
	char *server_name; /* for SNI and the name in the certificate; NULL: host */
};

struct check_tcp {
	char *host;
	char *port;
};

struct check_dns {
	char *service; /* resolve inside this service; NULL: here */
	char *name;
};

struct check_prometheus {
	char *base;
	char *ca;      /* NULL: the system's */
	char *query;   /* NULL: none */
	char **jobs;   /* whose targets count, each must have one; ends with NULL; no entry: all */
	char **ignore; /* jobs whose targets do not count */
};

struct check_exec {
	char *service;
	char **argv; /* ends with NULL */
};

struct check_kube {
	char **namespaces; /* each must have a workload; ends with NULL */
	char **ignore;     /* names of workloads that do not count */
	int64_t restarts_within_ms;
};

struct check_expectation {
	struct expectation *that;
	bool is_warning;
};

/* Keep a value for later steps of the same check. */
struct check_capture {
	char *name;
	char *subject; /* "cookie.token", "json.id", "body", ... */
	char
	    *match; /* NULL: all of it; otherwise group 1 (or the whole match) of this expression */
	regex_t regex;  /* of match */
	bool is_base64; /* decoded first, and a secret: how Kubernetes keeps them */
};

struct check_step {
	enum check_kind kind;
	int line;
	int64_t timeout_ms; /* of one attempt */
	struct check_eventually eventually;
	union {
		struct check_http http;
		struct check_tls tls;
		struct check_tcp tcp;
		struct check_dns dns;
		struct check_prometheus prometheus;
		struct check_exec exec;
		struct check_kube kube;
	};
	struct check_expectation *expectations;
	size_t expectation_count;
	struct check_capture *captures;
	size_t capture_count;
};

struct check_smoke {
	char *name;
	json_t *only; /* {PARAMETER: [VALUE...]} of environments that it is for; NULL: of all */
	size_t stage; /* index into plan->stages */
	struct check_eventually eventually;
	struct check_step *steps;
	size_t step_count;
};

struct check_threshold {
	struct threshold *that;
	enum threshold_kind kind;
	bool allow_too_few;
};

struct check_load {
	char *name;
	double rate_per_second;
	int64_t duration_ms;
	int64_t warmup_ms;
	int64_t connections;
	struct check_step *steps; /* http only */
	size_t step_count;
	struct check_threshold *thresholds;
	size_t threshold_count;
};

/* A ${name} that no capture of the same check provides. */
struct check_name {
	char *name;
	char *place; /* "checks.yaml:12:7" */
};

struct check_plan {
	char *name;
	char **allow; /* "host", "host:port", "[v6]:port"; ends with NULL */
	char **stages;
	size_t stage_count;
	struct check_smoke *smoke;
	size_t smoke_count;
	struct check_load *load;
	size_t load_count;
	struct check_name *names;
	size_t name_count;
};

/* `file` names the text in errors. ERR_INVALID, message "FILE:LINE:COLUMN: what"; a hint with the
 * nearest known word where there is one. */
NODISCARD bool check_plan_parse(const char *bytes, size_t length, const char *file,
				struct check_plan **plan, struct error *err);

/* The same for a plan that is JSON already (the body of a request). */
NODISCARD bool check_plan_from_json(const json_t *json, const char *file, struct check_plan **plan,
				    struct error *err);

void check_plan_free(struct check_plan *plan);
DEFINE_AUTO(struct check_plan *, check_plan_free)

/* Is the check for an environment with these parameters? */
bool check_smoke_applies(const struct check_smoke *smoke, const json_t *parameters);

/* Every name in plan->names must be one of `known` (ends with NULL). */
NODISCARD bool check_plan_check_names(const struct check_plan *plan, const char *const *known,
				      struct error *err);

#endif
