#include "api/api_openapi.h"

#include <string.h>

#include "api/api_audit.h"
#include "api/api_checks.h"
#include "api/api_context.h"
#include "api/api_costs.h"
#include "api/api_environments.h"
#include "api/api_events.h"
#include "api/api_evidence.h"
#include "api/api_exec.h"
#include "api/api_history.h"
#include "api/api_kubeconfig.h"
#include "api/api_lease.h"
#include "api/api_logs.h"
#include "api/api_look.h"
#include "api/api_metrics.h"
#include "api/api_reports.h"
#include "api/api_services.h"
#include "api/api_spending.h"
#include "api/api_targets.h"
#include "api/api_templates.h"
#include "api/api_tokens.h"
#include "api/api_version.h"
#include "api/api_view.h"
#include "base/text.h"
#include "http/http_response.h"
#include "http/http_status.h"
#include "wire/problem_json.h"
#include "wire/problem_schema.h"
#include "wire/schema.h"
#include "wire/tunnel_frames.h"

#define JSON "application/json"
#define EVENTS "text/event-stream"
#define LINES "application/x-ndjson"

/* What a handler answers. Names begin with a capital and mean a shape of wire/ ("[X]": a page of
 * them); "object" is one of any content, "string" is text. */
struct operation {
	void (*handle)(void *api, struct http_request *request);
	const char *id;
	const char *statuses;     /* of success */
	const char *answer;       /* a type of wire/schema.h, "page:TYPE" or "stream:TYPE" */
	const char *content_type; /* of the answer; several with a blank between */
	const char *errors;       /* beside those that every route may answer */
	const char *body;         /* shape of the request body; NULL: none */
	const char *headers;      /* of the request */
};

// clang-format off
static const struct operation operations[] = {
	{ api_create_environment,  "createEnvironment", "200 201", "Environment|Plan", JSON, "404 409 422 424 502", "EnvironmentRequest", "Idempotency-Key traceparent" },
	{ api_list_environments,   "listEnvironments",  "200", "page:Environment", JSON, "", NULL, NULL },
	{ api_get_environment,     "getEnvironment",    "200", "Environment", JSON, "404", NULL, NULL },
	{ api_destroy_environment, "destroyEnvironment", "200 202", "Environment", JSON, "404", NULL, NULL },
	{ api_acknowledge_environment, "acknowledgeEnvironment", "200", "Environment", JSON, "404 409 410", "Acknowledgement", NULL },
	{ api_settle_environment,  "settleEnvironment", "200", "Environment", JSON, "404 409 410", "Acknowledgement", NULL },
	{ api_get_environment_bill, "getEnvironmentBill", "200", "EnvironmentBill", JSON, "404", NULL, NULL },
	{ api_get_lease,           "getLease",          "200", "Lease", JSON, "404", NULL, NULL },
	{ api_extend_lease,        "extendLease",       "200", "Environment", JSON, "404 409 410", "Extension", NULL },
	{ api_get_outputs,         "getOutputs",        "200", "object", JSON, "404", NULL, NULL },
	{ api_get_lock,            "getLock",           "200", "object", JSON, "404 409", NULL, NULL },
	{ api_get_services,        "getServices",       "200", "Services", JSON, "404 409 410 502 504", NULL, NULL },
	{ api_stream_logs,         "streamLogs",        "200", "stream:LogLine", LINES, "404 409 410 502 504", NULL, NULL },
	{ api_exec,                "exec",              "101", "string", "application/octet-stream", "404 409 410 426 502 504", "ExecRequest", "Upgrade" },
	{ api_forward,             "forward",           "101", "string", "application/octet-stream", "404 409 410 426 502 504", "ForwardRequest", "Upgrade" },
	{ api_give_kubeconfig,     "giveKubeconfig",    "200", "object", JSON, "404 409 410 502 504", NULL, NULL },
	{ api_list_layers,         "listLayers",        "200", "page:EnvironmentLayer", JSON, "404", NULL, NULL },
	{ api_list_resources,      "listResources",     "200", "page:Resource", JSON, "404 409 502 504", NULL, NULL },
	{ api_list_updates,        "listUpdates",       "200", "page:Update", JSON, "404 409 502 504", NULL, NULL },
	{ api_list_history,        "listHistory",       "200", "page:HistoryRow", JSON, "404", NULL, NULL },
	{ api_stream_events,       "streamEvents",      "200", "stream:HistoryRow", EVENTS, "404", NULL, "Last-Event-ID" },
	{ api_get_evidence,        "getEvidence",       "200", "string", "application/gzip", "404 409 410", NULL, NULL },
	{ api_take_evidence,       "takeEvidence",      "202", "Environment", JSON, "404 409 410", NULL, NULL },
	{ api_list_checks,         "listChecks",        "200", "page:CheckRun", JSON, "404", NULL, NULL },
	{ api_start_check,         "startCheck",        "202", "CheckRun", JSON, "404 409 410", "CheckRequest?", NULL },
	{ api_get_report,          "getReport",         "200", "Report", JSON " application/xml text/markdown text/plain", "404", NULL, NULL },
	{ api_get_check,           "getCheck",          "200", "CheckRun", JSON, "404", NULL, NULL },
	{ api_stream_all_events,   "streamAllEvents",   "200", "stream:HistoryRow", EVENTS, "", NULL, "Last-Event-ID" },
	{ api_list_templates,      "listTemplates",     "200", "page:Template", JSON, "", NULL, NULL },
	{ api_get_template,        "getTemplate",       "200", "Template", JSON, "404 424 502", NULL, NULL },
	{ api_get_source_template, "getSourceTemplate", "200", "Template", JSON, "404 424 502", NULL, NULL },
	{ api_list_targets,        "listTargets",       "200", "page:Target", JSON, "", NULL, NULL },
	{ api_mark_target,         "markTarget",        "200", "Target", JSON, "404 409 422", "TargetMark", NULL },
	{ api_get_costs,           "getCosts",          "200", "page:Bill", JSON, "", NULL, NULL },
	{ api_list_spending,       "listSpending",      "200", "page:Spending", JSON, "", NULL, NULL },
	{ api_list_prices,         "listPrices",        "200", "page:PriceBook", JSON, "", NULL, NULL },
	{ api_create_token,        "createToken",       "201", "Token", JSON, "404 409 422", "TokenRequest", NULL },
	{ api_list_tokens,         "listTokens",        "200", "page:Token", JSON, "", NULL, NULL },
	{ api_revoke_token,        "revokeToken",       "200", "Token", JSON, "404", NULL, NULL },
	{ api_list_audit,          "listAudit",         "200", "page:AuditEntry", JSON, "", NULL, NULL },
	{ api_get_version,         "getVersion",        "200", "Version", JSON, "", NULL, NULL },
	{ api_get_openapi,         "getOpenapi",        "200", "object", JSON, "", NULL, NULL },
	{ api_get_metrics,         "getMetrics",        "200", "string", "text/plain", "", NULL, NULL },
	{ api_get_health,          "getHealth",         "200", "Status", JSON, "", NULL, NULL },
	{ api_get_readiness,       "getReadiness",      "200", "Status", JSON, "", NULL, NULL },
};

/* Of the request as such (http_strict.h), of who may ask, of the limits, and of bad luck. */
static const char errors_of_all[] = "400 401 403 408 411 413 414 415 417 429 431 500 503";

/* A control character in a target is refused before anybody looks what it was for. */
#define PRINTABLE "^[^\\x00-\\x1f\\x7f-\\x9f]*$"

/* Other segments of a path are names or ids, both of these characters. */
#define SEGMENT "^[a-z0-9][a-z0-9-]{0,63}$"

static const struct {
	const char *name;
	const char *type;
	int64_t min, max;    /* of a number; both 0: no number */
	const char *pattern; /* of a string */
	const char *about;
} query_parameters[] = {
	{ "limit",    "integer", 1, PAGE_MAX, NULL, "so many at most; 100 when it is missing" },
	{ "next",     "string",  0, 0, "^p[1-9a-f][0-9a-f]{0,14}$", "the \"next\" of an earlier page" },
	{ "state",    "=queued|provisioning|checking|ready|failed|destroying|destroyed", 0, 0, NULL, "only these" },
	{ "owner",    "string",  0, 0, PRINTABLE, "only theirs" },
	{ "project",  "string",  0, 0, PRINTABLE, "only those of this one" },
	{ "template", "string",  0, 0, PRINTABLE, "only those made from it" },
	{ "label",    "string",  0, 0, "^[^=\\x00-\\x1f\\x7f-\\x9f]+=[^\\x00-\\x1f\\x7f-\\x9f]*$", "NAME=VALUE: only those that have it" },
	{ "all",      "boolean", 0, 0, NULL, "destroyed ones, too" },
	{ "service",  "string",  0, 0, PRINTABLE, "only what this one says" },
	{ "layer",    "string",  0, 0, PRINTABLE, "only what is of this one" },
	{ "follow",   "boolean", 0, 0, NULL, "go on with what is said later" },
	{ "tail",     "integer", 0, 100000, NULL, "so many of the newest lines; 100 when it is missing" },
	{ "dry_run",  "boolean", 0, 0, NULL, "only say what it would do: the answer is a Plan" },
	{ "format",   "=json|markdown|junit|text", 0, 0, NULL, "json when it is missing" },
	{ "ref",      "string",  0, 0, PRINTABLE, "tag, branch or commit of a git source; its own when it is missing" },
	{ "month",    "string",  0, 0, "^20[2-9][0-9]-(0[1-9]|1[0-2])$", "YEAR-MONTH in UTC; this one when it is missing" },
	{ "by",       "=owner|project|template", 0, 0, NULL, "owner when it is missing" },
};
// clang-format on

static const struct operation *operation_of(const struct http_route *route)
{
	for (size_t i = 0; i < ARRAY_SIZE(operations); i++)
		if (operations[i].handle == route->handle)
			return &operations[i];
	return NULL;
}

/* Calls `add` with each word of `words`. */
static void for_words(const char *words, void (*add)(void *arg, const char *word), void *arg)
{
	AUTO(free) char *copy = xstrdup(words);
	char *rest = copy;

	for (char *word; (word = strsep(&rest, " "));)
		if (*word)
			add(arg, word);
}

/* ---- parameters ---- */

static void add_path_parameters(json_t *parameters, const char *path)
{
	for (const char *at = path; (at = strchr(at, '{'));) {
		size_t length = strcspn(++at, "}");

		json_array_append_new(parameters,
				      json_pack("{s:s%, s:s, s:b, s:{s:s, s:s}}", "name", at,
						length, "in", "path", "required", 1, "schema",
						"type", "string", "pattern", SEGMENT));
	}
}

static json_t *query_schema(size_t i)
{
	json_t *schema = schema_of_type(query_parameters[i].type);

	if (query_parameters[i].pattern)
		json_object_set_new(schema, "pattern", json_string(query_parameters[i].pattern));
	if (!query_parameters[i].max)
		return schema;
	json_object_set_new(schema, "minimum", json_integer(query_parameters[i].min));
	json_object_set_new(schema, "maximum", json_integer(query_parameters[i].max));
	return schema;
}

static void add_query_parameter(void *parameters, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(query_parameters); i++)
		if (strcmp(query_parameters[i].name, name) == 0)
			json_array_append_new(
			    parameters, json_pack("{s:s, s:s, s:s, s:o}", "name", name, "in",
						  "query", "description", query_parameters[i].about,
						  "schema", query_schema(i)));
}

static json_t *header_schema(const char *header)
{
	if (strcmp(header, "Last-Event-ID") == 0)
		return json_pack("{s:s, s:s}", "type", "string", "pattern", "^[0-9]{1,18}$");
	if (strcmp(header, "Upgrade") == 0)
		return json_pack("{s:s}", "const", TUNNEL_PROTOCOL);
	/* One that cannot be read is as none, says the W3C. */
	if (strcmp(header, "traceparent") == 0)
		return json_pack("{s:s}", "type", "string");
	return json_pack("{s:s, s:i, s:i}", "type", "string", "minLength", 1, "maxLength", 200);
}

static void add_header(void *parameters, const char *name)
{
	json_array_append_new(parameters, json_pack("{s:s, s:s, s:o}", "name", name, "in", "header",
						    "schema", header_schema(name)));
}

static json_t *parameters_of(const struct http_route *route, const struct operation *operation)
{
	json_t *parameters = json_array();

	add_path_parameters(parameters, route->path);
	if (route->query)
		for_words(route->query, add_query_parameter, parameters);
	if (operation && operation->headers)
		for_words(operation->headers, add_header, parameters);
	return parameters;
}

/* ---- bodies and answers ---- */

static json_t *answer_schema(const char *type)
{
	AUTO(free) char *list = NULL;

	if (text_starts_with(type, "stream:"))
		return json_pack("{s:s, s:o}", "type", "string", "x-item-schema",
				 schema_of_type(type + 7));
	if (!text_starts_with(type, "page:"))
		return schema_of_type(type);
	list = xasprintf("[%s]", type + 5);
	return json_pack("{s:s, s:{s:o, s:o}, s:[s, s], s:b}", "type", "object", "properties",
			 "items", schema_of_type(list), "next", schema_of_type("string?"),
			 "required", "items", "next", "additionalProperties", 0);
}

static json_t *request_body(const char *body)
{
	AUTO(free) char *name = xstrdup(body);
	size_t last = strlen(name) - 1;
	bool is_optional = name[last] == '?';

	if (is_optional)
		name[last] = '\0';
	return json_pack("{s:b, s:{s:{s:o}}}", "required", !is_optional, "content", JSON, "schema",
			 schema_of_type(name));
}

struct responses {
	json_t *json;
	const struct operation *operation;
	json_t *content; /* of one that is being made */
};

static void add_content(void *arg, const char *content_type)
{
	struct responses *responses = arg;
	const char *type =
	    strcmp(content_type, JSON) == 0 || !strchr(responses->operation->content_type, ' ')
		? responses->operation->answer
		: "string";

	json_object_set_new(responses->content, content_type,
			    json_pack("{s:o}", "schema", answer_schema(type)));
}

static void add_success(void *arg, const char *status)
{
	struct responses *responses = arg;

	responses->content = json_object();
	for_words(responses->operation->content_type, add_content, responses);
	json_object_set_new(responses->json, status,
			    json_pack("{s:s, s:o}", "description", http_status_text(atoi(status)),
				      "content", responses->content));
}

static void add_problem(void *arg, const char *status)
{
	struct responses *responses = arg;

	json_object_set_new(responses->json, status,
			    json_pack("{s:s}", "$ref", "#/components/responses/Problem"));
}

static json_t *responses_of(const struct operation *operation)
{
	struct responses responses = { json_object(), operation, NULL };

	for_words(operation->statuses, add_success, &responses);
	for_words(operation->errors, add_problem, &responses);
	for_words(errors_of_all, add_problem, &responses);
	return responses.json;
}

static json_t *operation_json(const struct http_route *route)
{
	const struct operation *operation = operation_of(route);
	json_t *json = json_pack("{s:s, s:o}", "summary", route->summary, "parameters",
				 parameters_of(route, operation));

	if (!operation)
		return json;
	json_object_set_new(json, "operationId", json_string(operation->id));
	if (operation->body)
		json_object_set_new(json, "requestBody", request_body(operation->body));
	json_object_set_new(json, "responses", responses_of(operation));
	return json;
}

/* ---- the document ---- */

static json_t *paths_json(void)
{
	json_t *paths = json_object();

	for (size_t i = 0; i < api_route_count; i++) {
		AUTO(free) char *method = xstrdup(api_routes[i].method);
		json_t *path = json_object_get(paths, api_routes[i].path);

		if (!path) {
			path = json_object();
			json_object_set_new(paths, api_routes[i].path, path);
		}
		for (char *at = method; *at; at++)
			*at += 'a' - 'A';
		json_object_set_new(path, method, operation_json(&api_routes[i]));
	}
	return paths;
}

static json_t *components_json(void)
{
	json_t *shapes = json_object();

	for (size_t i = 0; schemas[i]; i++)
		json_object_set_new(shapes, schemas[i]->name, schema_json(schemas[i]));
	json_object_set_new(
	    json_object_get(json_object_get(json_object_get(shapes, "Problem"), "properties"),
			    "code"),
	    "x-known-codes", problem_codes());
	return json_pack("{s:o, s:{s:{s:s, s:{s:{s:o}}}}}", "schemas", shapes, "responses",
			 "Problem", "description", "why not; \"code\" is for programs", "content",
			 PROBLEM_CONTENT_TYPE, "schema", schema_of_type("Problem"));
}

json_t *api_openapi_document(void)
{
	return json_pack(
	    "{s:s, s:{s:s, s:s, s:s}, s:o, s:o}", "openapi", "3.1.0", "info", "title", "envd",
	    "version", ENVD_VERSION, "description",
	    "Short-lived environments for CI runs. Lists come in pages: ask again with the "
	    "\"next\" of the last one until it is null. Every answer closes its connection. A body "
	    "needs Content-Length. Whatever changes something is committed before it is answered.",
	    "paths", paths_json(), "components", components_json());
}

void api_get_openapi(void *api, struct http_request *request)
{
	AUTO(json_decref) json_t *document = api_openapi_document();

	(void)api;
	http_answer_json(request, 200, document);
}
