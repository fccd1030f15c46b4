#include "wire/service_schema.h"

// clang-format off
static const struct schema_field template_fields[] = {
	{ "apiVersion", "=envd/v1", "always envd/v1" },
	{ "kind", "=Template", "always Template" },
	{ "name", "string", "by which it is asked for" },
	{ "error?", "EnvironmentError", "why it cannot be read" },
	{ "description?", "string", "what it is for" },
	{ "engine?", "string", "what builds it" },
	{ "digest?", "string", "SHA-256 of its folder" },
	{ "trusted?", "boolean", "listed by the operator" },
	{ "parameters?", "[TemplateParameter]", "what can be set" },
	{ "components?", "[TemplateComponent]", "what can be pinned" },
	{ "limits?", "TemplateLimits", "of what is made from it" },
	{ "price?", "TemplatePrice", "of what is made from it" },
	{ "outputs?", "[string]", "names of its outputs" },
	{ "checks?", "boolean", "it has a check plan" },
	{ "source?", "TemplateSource", "of a git source" },
};
SCHEMA(template_schema, "Template",
       "what can be asked for; one that cannot be read has only apiVersion, kind, name and error",
       template_fields);

static const struct schema_field template_parameter_fields[] = {
	{ "name", "string", "its name" },
	{ "type", "string", "of its value" },
	{ "description", "string", "what it is for" },
	{ "variable", "string", "as which its sources see it" },
	{ "default?", "any", "when it is not given" },
	{ "minimum?", "any", "of its value" },
	{ "maximum?", "any", "of its value" },
	{ "enum?", "[any]", "its only values" },
	{ "pattern?", "string", "that its value matches" },
	{ "max_length?", "integer", "of a string" },
};
SCHEMA(template_parameter_schema, "TemplateParameter",
       "what can be set",
       template_parameter_fields);

static const struct schema_field template_component_fields[] = {
	{ "name", "string", "its name" },
	{ "description", "string", "what it is" },
	{ "versions", "[string]", "that are known to work" },
	{ "members?", "[string]", "of a group: pinned together" },
	{ "default?", "string", "version when it is not pinned" },
	{ "branch?", "string", "how the version of a branch is called" },
	{ "pull_request?", "string", "how the version of a pull request is called" },
};
SCHEMA(template_component_schema, "TemplateComponent",
       "what can be pinned",
       template_component_fields);

static const struct schema_field template_source_fields[] = {
	{ "name", "string", "of the source, in the server's configuration" },
	{ "repository", "string", "its address" },
	{ "ref", "string?", "null: asked for by its commit" },
	{ "commit", "string", "what was fetched" },
};
SCHEMA(template_source_schema, "TemplateSource",
       "a commit of a git repository",
       template_source_fields);

static const struct schema_field template_limits_fields[] = {
	{ "provision_ms", "integer", "longest building" },
	{ "attempts", "integer", "at building" },
	{ "lease", "TemplateLease", "of its leases" },
};
SCHEMA(template_limits_schema, "TemplateLimits",
       "of an environment",
       template_limits_fields);

static const struct schema_field template_lease_fields[] = {
	{ "default_ms", "integer", "when none is asked for" },
	{ "minimum_ms", "integer", "shortest" },
	{ "maximum_ms", "integer", "longest" },
};
SCHEMA(template_lease_schema, "TemplateLease",
       "of its leases",
       template_lease_fields);

static const struct schema_field template_price_fields[] = {
	{ "per_hour", "number", "while it lives; 0 where it is the sum of components" },
	{ "currency", "string", "ISO 4217" },
	{ "note", "string", "in words" },
	{ "components", "[string]", "what it is the sum of; a plan (dry_run=true) says how much that is" },
};
SCHEMA(template_price_schema, "TemplatePrice",
       "of an environment",
       template_price_fields);

static const struct schema_field check_request_fields[] = {
	{ "suites?", "[=smoke|load]2?", "smoke when it is missing" },
	{ "plan?", "object?", "a check plan in place of the template's" },
};
SCHEMA(check_request_schema, "CheckRequest",
       "what is to be checked",
       check_request_fields);

static const struct schema_field check_run_fields[] = {
	{ "apiVersion", "=envd/v1", "always envd/v1" },
	{ "kind", "=CheckRun", "always CheckRun" },
	{ "id", "string", "its id" },
	{ "environment", "CheckEnvironment", "what is checked" },
	{ "state", "string", "queued, running or ended" },
	{ "verdict", "string?", "null while it runs" },
	{ "message", "string", "in words" },
	{ "suites", "[string]", "what was asked for" },
	{ "asked_by", "string", "who" },
	{ "asked_at", "time?", "when" },
	{ "ended_at", "time?", "when" },
	{ "plan?", "string", "name of the plan" },
	{ "started_at?", "time?", "when it began" },
	{ "duration_ms?", "integer", "time it took" },
	{ "smoke?", "[SmokeResult]", "a result each" },
	{ "load?", "[LoadResult]", "a result each" },
};
SCHEMA(check_run_schema, "CheckRun",
       "a check run; without a report until it has ended",
       check_run_fields);

static const struct schema_field check_environment_fields[] = {
	{ "id", "uuid", "its id" },
	{ "name?", "string", "its name" },
};
SCHEMA(check_environment_schema, "CheckEnvironment",
       "what is checked",
       check_environment_fields);

static const struct schema_field smoke_result_fields[] = {
	{ "name", "string", "of the check" },
	{ "stage", "string", "of the plan" },
	{ "status", "string", "passed, failed, ..." },
	{ "duration_ms", "integer", "time it took" },
	{ "attempts", "integer", "until it was met" },
	{ "flaps", "integer", "times that it went from good to bad" },
	{ "message", "string", "in words" },
	{ "blocked_by", "string?", "the check that failed before" },
	{ "expectations", "[ExpectationResult]", "of its last attempt" },
};
SCHEMA(smoke_result_schema, "SmokeResult",
       "of a smoke check",
       smoke_result_fields);

static const struct schema_field expectation_result_fields[] = {
	{ "text", "string", "as in the plan" },
	{ "ok", "boolean", "met" },
	{ "saw", "string", "what was there" },
	{ "severity", "=fail|warn", "what it means when it is not met" },
};
SCHEMA(expectation_result_schema, "ExpectationResult",
       "of an expectation",
       expectation_result_fields);

static const struct schema_field load_result_fields[] = {
	{ "name", "string", "of the check" },
	{ "verdict", "string", "of its thresholds" },
	{ "message", "string", "in words" },
	{ "planned_per_second", "number", "arrivals" },
	{ "achieved_per_second", "number", "arrivals" },
	{ "requests", "integer", "sent" },
	{ "errors", "integer", "failed" },
	{ "dropped", "integer", "never sent" },
	{ "duration_ms", "integer", "time it took" },
	{ "first_error", "string?", "in words" },
	{ "warmup", "LoadWarmup", "not judged" },
	{ "latency_ms", "Latency", "from when a request was due" },
	{ "service_time_ms", "Latency", "from when it was sent" },
	{ "thresholds", "[ThresholdResult]", "a result each" },
	{ "generator", "GeneratorHealth", "whether the measurement can be believed" },
};
SCHEMA(load_result_schema, "LoadResult",
       "of a load check",
       load_result_fields);

static const struct schema_field load_warmup_fields[] = {
	{ "requests", "integer", "sent" },
	{ "errors", "integer", "failed" },
};
SCHEMA(load_warmup_schema, "LoadWarmup",
       "before it was measured",
       load_warmup_fields);

static const struct schema_field latency_fields[] = {
	{ "p50", "number", "median" },
	{ "p90", "number", "percentile" },
	{ "p95", "number", "percentile" },
	{ "p99", "number", "percentile" },
	{ "max", "number", "largest" },
	{ "mean", "number", "average" },
};
SCHEMA(latency_schema, "Latency",
       "in milliseconds",
       latency_fields);

static const struct schema_field threshold_result_fields[] = {
	{ "text", "string", "as in the plan" },
	{ "kind", "string", "what it is about" },
	{ "status", "string", "met, not met, too few samples" },
	{ "saw", "string", "what was there" },
};
SCHEMA(threshold_result_schema, "ThresholdResult",
       "of a threshold",
       threshold_result_fields);

static const struct schema_field generator_health_fields[] = {
	{ "healthy", "boolean", "it kept its own pace" },
	{ "why", "string", "not" },
	{ "send_lag_p99_ms", "number", "late by" },
	{ "cpu_percent", "number", "of one core" },
	{ "stall_max_ms", "number", "longest" },
	{ "held", "integer", "requests that waited for a connection" },
};
SCHEMA(generator_health_schema, "GeneratorHealth",
       "of the load generator itself",
       generator_health_fields);

static const struct schema_field target_fields[] = {
	{ "name", "string", "its name" },
	{ "engine", "string", "that builds there" },
	{ "publish_address", "string", "at which its environments are reached" },
	{ "advertised?", "string", "the name that is given to clients in its place" },
	{ "environments", "integer", "there now" },
	{ "environments_max", "integer", "that fit" },
	{ "memory_bytes", "integer", "that those there need" },
	{ "memory_bytes_max", "integer?", "for all of them; null: not looked at" },
	{ "labels", "{string}", "by which it can be asked for; \"kind\" is one of them" },
	{ "listed", "boolean", "of the targets file: given away clean only" },
	{ "cleans_itself", "boolean", "it is found out whether it is clean" },
	{ "state", "=free|held|dirty|cleaning", "dirty: something may be left on it, nothing is placed there" },
	{ "since", "time?", "when it was found dirty, or clean again" },
	{ "why", "string?", "it is dirty" },
	{ "attempts", "integer", "at cleaning it" },
	{ "next_try_at", "time?", "of cleaning it" },
	{ "no_room_until", "time?", "its cloud had no more to give, and is not asked before" },
	{ "holders", "[TargetHolder]", "who has it, at most 20" },
};
SCHEMA(target_schema, "Target",
       "what environments are built on",
       target_fields);

static const struct schema_field target_holder_fields[] = {
	{ "target", "string", "that it has" },
	{ "environment", "string?", "its name; null: of a project that you may not see" },
	{ "owner", "string?", "likewise" },
	{ "state", "string", "where it is in its life" },
	{ "since", "time?", "it has it" },
	{ "until", "time?", "its lease ends, or would at the latest; null: it is being destroyed" },
};
SCHEMA(target_holder_schema, "TargetHolder", "an environment that has a target", target_holder_fields);

static const struct schema_field target_mark_fields[] = {
	{ "state", "=dirty|clean", "what it is from now on" },
	{ "why?", "string", "for whoever asks, at most 200 bytes" },
};
SCHEMA(target_mark_schema, "TargetMark", "a person says so, by its name", target_mark_fields);

static const struct schema_field bill_fields[] = {
	{ "owner?", "string", "with by=owner" },
	{ "project?", "string", "with by=project" },
	{ "template?", "string", "with by=template" },
	{ "currency", "string", "ISO 4217" },
	{ "environments", "integer", "ever" },
	{ "live", "integer", "now" },
	{ "per_hour", "number", "of the live ones" },
	{ "so_far", "number", "of all" },
	{ "at_expiry", "number", "if no lease is extended" },
	{ "example", "boolean", "the prices of one of them are of a book of examples" },
};
SCHEMA(bill_schema, "Bill",
       "what one owner or template cost",
       bill_fields);

static const struct schema_field version_fields[] = {
	{ "version", "string", "of envd" },
	{ "api", "=v1", "of this interface" },
	{ "instance", "uuid", "of this installation" },
	{ "libraries", "{string}", "versions, to compare with advisories" },
};
SCHEMA(version_schema, "Version",
       "what runs here",
       version_fields);

static const struct schema_field status_fields[] = {
	{ "status", "=ok|ready", "in a word" },
};
SCHEMA(status_schema, "Status",
       "how it is",
       status_fields);
// clang-format on
