#include "wire/environment_schema.h"

// clang-format off
static const struct schema_field environment_fields[] = {
	{ "apiVersion", "=envd/v1", "always envd/v1" },
	{ "kind", "=Environment", "always Environment" },
	{ "id", "uuid", "its id, for ever" },
	{ "name", "name", "unique while it is not destroyed" },
	{ "sequence", "integer", "counts up with every environment of this installation" },
	{ "template", "string", "the name of the template" },
	{ "template_digest", "string", "SHA-256 of the template as it was built" },
	{ "source", "TemplateSource?", "where the template was fetched from; null: a folder of the server" },
	{ "engine", "string", "what builds it" },
	{ "target", "string", "what it is built on" },
	{ "owner", "string", "who asked for it" },
	{ "project", "string?", "whose quotas it counts against" },
	{ "labels", "{string}", "as they were given" },
	{ "desired", "=present|absent", "absent once it is to go: never present again" },
	{ "state", "=queued|provisioning|checking|ready|failed|destroying|destroyed", "where it is in its life" },
	{ "reason", "string?", "why it ends or ended" },
	{ "message", "string", "in words" },
	{ "error", "EnvironmentError?", "what went wrong last" },
	{ "pins", "object", "as they were asked for" },
	{ "parameters", "object", "as they were asked for" },
	{ "created_at", "time?", "accepted" },
	{ "provisioning_at", "time?", "its engine began" },
	{ "ready_at", "time?", "its lease began" },
	{ "expires_at", "time?", "its lease ends" },
	{ "grace_until", "time?", "granted once when a lease ended while envd was down; expires_at is the same then" },
	{ "hard_wall_at", "time?", "no extension passes this" },
	{ "ended_at", "time?", "proved gone" },
	{ "lease_seconds", "integer", "the length of its lease" },
	{ "clocks", "EnvironmentClocks", "queueing burns nothing, building has its own limit, the lease runs from ready" },
	{ "queue_position", "integer?", "1 is next" },
	{ "holders", "[TargetHolder]", "who has what it waits for, at most 10" },
	{ "attempts", "integer", "at building it" },
	{ "next_try_at", "time?", "of a destroy that failed" },
	{ "quarantined", "boolean", "it cannot be destroyed or proved gone for now" },
	{ "blocked_by", "[string]", "the ids that are in the way" },
	{ "outputs", "object", "addresses and what else its users need" },
	{ "services", "[Service]", "as its engine made them" },
	{ "checks", "EnvironmentChecks?", "its newest check run" },
	{ "cost", "EnvironmentCost", "in the currency of its template" },
	{ "proofs", "[Proof]", "that nothing of it is left" },
	{ "kept", "EnvironmentKept?", "null: it is not kept when it fails" },
	{ "evidence", "EnvironmentEvidence", "what was there when it failed" },
};
SCHEMA(environment_schema, "Environment",
       "an environment, from the request to the proof that nothing of it is left",
       environment_fields);

static const struct schema_field environment_clocks_fields[] = {
	{ "queued_ms", "integer", "in the queue" },
	{ "provisioning_ms", "integer", "being built" },
	{ "lease_left_ms", "integer?", "null before it was ready" },
};
SCHEMA(environment_clocks_schema, "EnvironmentClocks",
       "how long it waited, how long it was built, what is left",
       environment_clocks_fields);

static const struct schema_field environment_checks_fields[] = {
	{ "run", "string", "id of the check run" },
	{ "verdict", "string?", "null while it runs" },
};
SCHEMA(environment_checks_schema, "EnvironmentChecks",
       "a check run in short",
       environment_checks_fields);

static const struct schema_field environment_kept_fields[] = {
	{ "seconds", "integer", "so long, to be looked at" },
	{ "maximum_seconds", "integer", "extensions included" },
	{ "since", "time?", "null: it has not failed" },
	{ "until", "time?", "null: it is not kept now" },
};
SCHEMA(environment_kept_schema, "EnvironmentKept",
       "should it fail, it is not destroyed at once",
       environment_kept_fields);

static const struct schema_field environment_evidence_fields[] = {
	{ "state", "=none|wanted|taken|given_up", "given_up: its history says why" },
	{ "taken_at", "time?", "the newest" },
	{ "bytes", "integer", "of the bundle" },
};
SCHEMA(environment_evidence_schema, "EnvironmentEvidence",
       "the bundle of logs, state, lock and history",
       environment_evidence_fields);

static const struct schema_field environment_cost_fields[] = {
	{ "currency", "string?", "ISO 4217" },
	{ "per_hour", "number", "while it lives; the high end of its price, which is what is counted" },
	{ "per_hour_low", "number", "the low end" },
	{ "so_far", "number", "metered until now, or until it was proved gone" },
	{ "at_expiry", "number", "if its lease is not extended" },
	{ "debt_per_hour", "number", "of what destroying it left behind; 0: nothing" },
	{ "prices_as_of", "string?", "the day of the oldest prices that it is from; null: an amount an hour of its template" },
	{ "example", "boolean", "a price is of a book of examples, and nobody's offer" },
};
SCHEMA(environment_cost_schema, "EnvironmentCost",
       "what it costs",
       environment_cost_fields);

static const struct schema_field environment_proof_fields[] = {
	{ "kind", "string", "which proof" },
	{ "at", "time?", "when it was taken" },
	{ "detail", "object", "what was seen" },
};
SCHEMA(environment_proof_schema, "Proof",
       "why it is believed to be gone",
       environment_proof_fields);

static const struct schema_field environment_error_fields[] = {
	{ "code", "string", "what can be done about it, in a word" },
	{ "slug?", "string", "stable" },
	{ "message?", "string", "in words" },
	{ "hint?", "string", "what can be done" },
};
SCHEMA(environment_error_schema, "EnvironmentError",
       "an error in a document",
       environment_error_fields);

static const struct schema_field environment_lease_fields[] = {
	{ "expires_at", "time?", "null before it is ready" },
	{ "grace_until", "time?", "granted once when a lease ended while envd was down; expires_at is the same then" },
	{ "hard_wall_at", "time?", "no extension passes this" },
	{ "lease_seconds", "integer", "its length" },
	{ "lease_left_ms", "integer?", "null before it is ready" },
	{ "maximum_seconds", "integer", "the longest that the template allows" },
};
SCHEMA(environment_lease_schema, "Lease",
       "until when it is lent",
       environment_lease_fields);

static const struct schema_field environment_request_fields[] = {
	{ "template", "string", "name of a template; SOURCE/NAME of a git source" },
	{ "template_ref?", "string?", "tag, branch or commit of its git source; the source's own when it is missing" },
	{ "name?", "name?", "chosen by the server when it is missing" },
	{ "ttl?", "duration?", "length of the lease, from ready; the default of the template when it is missing" },
	{ "target?", "string?", "a target's name, or LABEL=VALUE[,LABEL=VALUE...]; beside what the template wishes" },
	{ "pins?", "{string}?", "component: version" },
	{ "parameters?", "{scalar}?", "parameter: value, as the template declares them" },
	{ "labels?", "labels?", "at most 32, of at most 256 bytes each" },
	{ "keep?", "string?", "on-failure or on-failure=DURATION: if it fails, it is kept so long to be looked at" },
};
SCHEMA(environment_request_schema, "EnvironmentRequest",
       "what is wanted",
       environment_request_fields);

static const struct schema_field environment_plan_fields[] = {
	{ "apiVersion", "=envd/v1", "always envd/v1" },
	{ "kind", "=Plan", "always Plan" },
	{ "would", "=create|nothing", "nothing: its Idempotency-Key had made one" },
	{ "exists", "uuid?", "the one that its key had made" },
	{ "name", "name?", "null: the server would choose one" },
	{ "template", "string", "the name of the template" },
	{ "template_digest", "string", "SHA-256 of the template as it would be built" },
	{ "pins", "object?", "as they were asked for" },
	{ "versions", "object", "of every component" },
	{ "parameters", "object?", "with the defaults" },
	{ "lease_seconds", "integer", "the length of its lease" },
	{ "price", "PlanPrice", "in the currency of its template" },
	{ "quote", "Quote", "to the end of the lease, by component" },
	{ "target", "PlanTarget", "what it would be built on" },
	{ "quota", "PlanQuota", "how full it is here" },
	{ "not_checked", "[string]", "what only the building can find out" },
};
SCHEMA(environment_plan_schema, "Plan",
       "what a create would do",
       environment_plan_fields);

static const struct schema_field plan_price_fields[] = {
	{ "currency", "string", "ISO 4217" },
	{ "per_hour", "number", "while it lives" },
	{ "for_the_lease", "number", "without an extension" },
};
SCHEMA(plan_price_schema, "PlanPrice", "what it would cost", plan_price_fields);

static const struct schema_field plan_target_fields[] = {
	{ "name", "string", "its name" },
	{ "engine", "string", "what builds on it" },
	{ "environments_max", "integer", "it takes so many at once" },
};
SCHEMA(plan_target_schema, "PlanTarget", "where it would be built", plan_target_fields);

static const struct schema_field plan_quota_fields[] = {
	{ "environments_then", "integer", "that are not destroyed, with this one" },
	{ "environments_max", "integer", "more are refused" },
};
SCHEMA(plan_quota_schema, "PlanQuota", "how full it is here", plan_quota_fields);

static const struct schema_field environment_extension_fields[] = {
	{ "extend?", "duration?", "this much longer" },
	{ "at_least?", "duration?", "at least this long from now; safe to repeat" },
};
ONE_OF_SCHEMA(environment_extension_schema, "Extension",
       "either of the two",
       environment_extension_fields);

static const struct schema_field environment_acknowledgement_fields[] = {
	{ "name", "string", "the name of the environment, once more" },
};
SCHEMA(environment_acknowledgement_schema, "Acknowledgement",
       "who writes the name has read it",
       environment_acknowledgement_fields);

static const struct schema_field exec_request_fields[] = {
	{ "service", "string", "which one, as in the template" },
	{ "command", "[string]256", "the program and its arguments; 16 KiB at most" },
	{ "terminal?", "ExecTerminal?", "give it one of this size; without, output and errors stay apart" },
};
SCHEMA(exec_request_schema, "ExecRequest",
       "a command; what follows the answer 101, both ways, are frames: type (1 byte), length (3 bytes, big endian), "
       "bytes (65536 at most). To the server: i input (empty: its end), w terminal size (rows and columns, 2 bytes "
       "each), s signal by name (INT). From it: o output, e error output, x exit status in digits, p problem as JSON; "
       "the last two end it. Both ways: a nothing, still there. Closing the connection ends the command",
       exec_request_fields);

static const struct schema_field exec_terminal_fields[] = {
	{ "rows", "integer", "1 to 10000" },
	{ "columns", "integer", "1 to 10000" },
};
SCHEMA(exec_terminal_schema, "ExecTerminal", "how large it is", exec_terminal_fields);

static const struct schema_field forward_request_fields[] = {
	{ "service", "string", "which one, as in the template" },
	{ "port", "integer", "1 to 65535, as the service sees it" },
};
SCHEMA(forward_request_schema, "ForwardRequest",
       "a connection; frames as of ExecRequest, of which there are i, o and a; an empty o is the end of what the "
       "service says",
       forward_request_fields);

static const struct schema_field environment_service_fields[] = {
	{ "name", "string", "as in the template" },
	{ "state", "string", "as its runtime calls it" },
	{ "health?", "string?", "as its runtime calls it" },
	{ "version?", "string?", "as it was pinned" },
	{ "container?", "string", "its id in the runtime" },
	{ "image?", "string", "what it was made from" },
	{ "image_id?", "string", "the same, as a digest" },
	{ "addresses?", "[ServiceAddress]", "where its ports are reached" },
	{ "restarts?", "integer", "by its runtime" },
	{ "memory_bytes_max?", "integer", "0: no limit" },
};
OPEN_SCHEMA(environment_service_schema, "Service",
       "a service of an environment; its engine may say more",
       environment_service_fields);

static const struct schema_field service_address_fields[] = {
	{ "host", "string", "of the target: its publish address" },
	{ "port", "integer", "there" },
	{ "container_port", "integer", "as in the template" },
};
SCHEMA(service_address_schema, "ServiceAddress",
       "where a port of a service is reached",
       service_address_fields);

static const struct schema_field environment_services_fields[] = {
	{ "services", "[Service]", "all of them" },
	{ "drift", "[object]", "what is not as it was built" },
	{ "healthy", "boolean", "all of them" },
	{ "forwards?", "[Forward]", "ports in its cluster that its template has names for" },
};
SCHEMA(environment_services_schema, "Services",
       "what its engine sees right now",
       environment_services_fields);

static const struct schema_field forward_fields[] = {
	{ "name", "string", "of the service in a ForwardRequest" },
	{ "namespace", "string", "in the cluster" },
	{ "service", "string", "there" },
	{ "port", "integer", "of the service" },
	{ "local", "integer", "where people look for it on their own machine; 0: anywhere" },
};
SCHEMA(forward_schema, "Forward",
       "a port in the cluster of an environment",
       forward_fields);

static const struct schema_field history_row_fields[] = {
	{ "n", "integer", "counts up; the id of the event" },
	{ "at", "time?", "when" },
	{ "environment", "string?", "id; null when it is about none" },
	{ "name", "string?", "of the environment" },
	{ "kind", "string", "state, progress, layer, warning, check, lease, job, sweep, evidence, money" },
	{ "state", "string?", "of the environment afterwards" },
	{ "event", "string?", "the step that it took" },
	{ "message", "string", "in words" },
	{ "data", "any", "what belongs to its kind" },
};
SCHEMA(history_row_schema, "HistoryRow",
       "something that happened",
       history_row_fields);

static const struct schema_field log_line_fields[] = {
	{ "service?", "string", "who said it" },
	{ "stream?", "string", "stdout or stderr" },
	{ "at?", "string", "when" },
	{ "text?", "string", "what" },
	{ "error?", "EnvironmentError", "why it ends here" },
};
SCHEMA(log_line_schema, "LogLine",
       "one line of one service, or at the end an error",
       log_line_fields);

static const struct schema_field report_fields[] = {
	{ "apiVersion", "=envd/v1", "always envd/v1" },
	{ "kind", "=Report", "always Report" },
	{ "generated_at", "time?", "now" },
	{ "environment", "Environment", "as it is" },
	{ "lock", "any", "every pin as it was built" },
	{ "checks", "[CheckRun]", "oldest first" },
	{ "history", "[HistoryRow]", "at most 5,000" },
	{ "layers", "[Layer]", "in the order in which they began" },
	{ "proofs", "[Proof]", "that nothing of it is left" },
};
SCHEMA(report_schema, "Report",
       "all of it on paper",
       report_fields);

static const struct schema_field report_layer_fields[] = {
	{ "name", "string", "as its engine calls it" },
	{ "state", "string", "the last that was heard" },
	{ "elapsed_ms", "integer", "time it took" },
	{ "message", "string", "in words" },
};
SCHEMA(report_layer_schema, "Layer",
       "a layer of it",
       report_layer_fields);
// clang-format on
