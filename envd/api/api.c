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
#include "api/api_openapi.h"
#include "api/api_reports.h"
#include "api/api_services.h"
#include "api/api_spending.h"
#include "api/api_targets.h"
#include "api/api_templates.h"
#include "api/api_tokens.h"
#include "api/api_version.h"

#define ENV "/v1/environments/{env}"
#define PAGE "limit next"

// clang-format off
const struct http_route api_routes[] = {
	{ "POST",   "/v1/environments",     api_create_environment,  MAY_CREATE,    "dry_run", "ask for an environment" },
	{ "GET",    "/v1/environments",     api_list_environments,   MAY_READ,      PAGE " state owner project template label all", "list environments, newest first" },
	{ "GET",    ENV,                    api_get_environment,     MAY_READ,      NULL, "show an environment, by name or id" },
	{ "DELETE", ENV,                    api_destroy_environment, MAY_DESTROY,   NULL, "end an environment" },
	{ "POST",   ENV "/acknowledge",     api_acknowledge_environment, MAY_ACKNOWLEDGE, NULL, "take on what could not be proved gone" },
	{ "POST",   ENV "/settle",          api_settle_environment,  MAY_ACKNOWLEDGE, NULL, "what was acknowledged costs no more" },
	{ "GET",    ENV "/cost",            api_get_environment_bill, MAY_READ,     NULL, "what it costs, and what was quoted" },
	{ "GET",    ENV "/lease",           api_get_lease,           MAY_READ,      NULL, "until when it is lent" },
	{ "PATCH",  ENV "/lease",           api_extend_lease,        MAY_EXTEND,    NULL, "lend it for longer" },
	{ "GET",    ENV "/outputs",         api_get_outputs,         MAY_READ,      NULL, "addresses and what else its users need" },
	{ "GET",    ENV "/lock",            api_get_lock,            MAY_READ,      NULL, "every pin as it was built" },
	{ "GET",    ENV "/services",        api_get_services,        MAY_READ,      NULL, "what its services do right now" },
	{ "GET",    ENV "/logs",            api_stream_logs,         MAY_READ_LOGS, "service follow tail", "what its services say" },
	{ "POST",   ENV "/exec",            api_exec,                MAY_REACH_INTO, NULL, "run a command in a service, with its input and output" },
	{ "POST",   ENV "/forward",         api_forward,             MAY_REACH_INTO, NULL, "connect to a port of a service, published or not" },
	{ "POST",   ENV "/kubeconfig",      api_give_kubeconfig,     MAY_REACH_INTO, NULL, "what leads to its cluster; it holds keys" },
	{ "GET",    ENV "/layers",          api_list_layers,         MAY_READ,      NULL, "its layers: what each needs, how far it is, how long it took" },
	{ "GET",    ENV "/resources",       api_list_resources,      MAY_READ,      PAGE " layer", "what its engine made and knows of" },
	{ "GET",    ENV "/updates",         api_list_updates,        MAY_READ,      PAGE " layer", "what its engine's operations changed, oldest first" },
	{ "GET",    ENV "/history",         api_list_history,        MAY_READ,      PAGE, "what happened to it" },
	{ "GET",    ENV "/events",          api_stream_events,       MAY_READ,      NULL, "what happens to it, as server-sent events" },
	{ "GET",    ENV "/checks",          api_list_checks,         MAY_READ,      "limit", "its check runs, newest first" },
	{ "POST",   ENV "/checks",          api_start_check,         MAY_CHECK,     NULL, "check it" },
	{ "GET",    ENV "/report",          api_get_report,          MAY_READ,      "format", "all of it on paper" },
	{ "GET",    ENV "/evidence",        api_get_evidence,        MAY_READ_LOGS, NULL, "what was there when it failed, as a tar.gz; also when it is gone" },
	{ "POST",   ENV "/evidence",        api_take_evidence,       MAY_READ_LOGS, NULL, "take evidence of it now" },
	{ "GET",    "/v1/checks/{run}",     api_get_check,           MAY_READ,      NULL, "a check run and its verdict" },
	{ "GET",    "/v1/events",           api_stream_all_events,   MAY_READ,      NULL, "what happens, as server-sent events" },
	{ "GET",    "/v1/templates",        api_list_templates,      MAY_READ,      NULL, "what can be asked for" },
	{ "GET",    "/v1/templates/{template}", api_get_template,    MAY_READ,      "ref", "parameters, components and limits of a template" },
	{ "GET",    "/v1/templates/{source}/{template}", api_get_source_template, MAY_READ, "ref", "the same of a git source" },
	{ "GET",    "/v1/targets",          api_list_targets,        MAY_READ,      NULL, "what environments are built on" },
	{ "PATCH",  "/v1/targets/{target}", api_mark_target,         MAY_MANAGE_TARGETS, NULL, "say that a target is dirty, or clean" },
	{ "GET",    "/v1/costs",            api_get_costs,           MAY_READ,      "by", "what was spent, by whom" },
	{ "GET",    "/v1/spending",         api_list_spending,       MAY_READ,      "project month", "what projects spend in a month, and what is left of their budgets" },
	{ "GET",    "/v1/prices",           api_list_prices,         MAY_READ,      NULL, "what price books there are" },
	{ "POST",   "/v1/tokens",           api_create_token,        MAY_MANAGE_TOKENS, NULL, "make a token; it is shown this once" },
	{ "GET",    "/v1/tokens",           api_list_tokens,         MAY_MANAGE_TOKENS, PAGE, "what tokens there are" },
	{ "DELETE", "/v1/tokens/{id}",   api_revoke_token,        MAY_MANAGE_TOKENS, NULL, "revoke a token, by its id" },
	{ "GET",    "/v1/audit",            api_list_audit,          MAY_READ_AUDIT, PAGE, "who changed what, newest first" },
	{ "GET",    "/v1/version",          api_get_version,         MAY_READ,      NULL, "what runs here" },
	{ "GET",    "/v1/openapi.json",     api_get_openapi,         MAY_READ,      NULL, "this interface, as an OpenAPI 3.1 document" },
	{ "GET",    "/metrics",             api_get_metrics,         MAY_READ_METRICS,      NULL, "what happens here, as numbers for Prometheus" },
	{ "GET",    "/healthz",             api_get_health,          API_OPEN_TO_ALL, NULL, "the process answers" },
	{ "GET",    "/readyz",              api_get_readiness,       API_OPEN_TO_ALL, NULL, "and so does its store" },
};
// clang-format on

const size_t api_route_count = ARRAY_SIZE(api_routes);
