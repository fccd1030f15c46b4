#include "api/api.h"

#include <string.h>

#include "api/api_context.h"
#include "api/api_errors.h"
#include "api/api_listen.h"
#include "api/api_metrics.h"
#include "api/api_question.h"
#include "api/api_reports.h"
#include "api/api_sources.h"
#include "http/http_response.h"
#include "http/http_server.h"

/* Its members have the role ci. */
#define CI_GROUP "envd"

/* Whether the role may do such a thing at all; whose environment it is, is looked at later. Who may
 * not ask does not learn what there is. */
static bool route(struct api *api, struct http_request *request, struct http_match *match,
		  struct error *err)
{
	bool is_found = http_router_match(&api->router, http_request_method(request),
					  http_request_path(request), match, err);

	api->caller = (struct caller){ .role = ROLE_NONE };
	if (is_found && match->route->access == API_OPEN_TO_ALL)
		return true;
	if (!api_login_caller(api->login, request, &api->caller, err))
		return false;
	if (is_found)
		return permission_check(&api->caller, (enum permission)match->route->access, NULL,
					err);
	if (*match->allowed)
		http_response_header(request, "Allow", match->allowed);
	return false;
}

static void on_request(void *arg, struct http_request *request)
{
	struct api *api = arg;
	struct http_match match = { .route = NULL };
	struct error err;

	if (!route(api, request, &match, &err) || !http_request_set_match(request, &match, &err)) {
		api_answer_error(request, &err);
		return;
	}
	match.route->handle(api, request);
}

static struct http_server_settings http_settings(const struct settings *settings)
{
	struct http_server_settings http = http_server_defaults;

	http.connections_max = (size_t)settings->connections_max;
	http.connections_per_peer_max = (size_t)settings->connections_per_peer_max;
	http.streams_max = (size_t)settings->streams_max;
	http.request_deadline_ms = settings->request_deadline_ms;
	return http;
}

bool api_open(struct control *control, struct api **opened, struct error *err)
{
	struct api *api = xcalloc(1, sizeof(*api));

	api->control = control;
	api_auth_init(&api->auth, CI_GROUP);
	api->router = (struct http_router){ api_routes, api_route_count, api };
	LIST_INIT(&api->questions);
	LIST_INIT(&api->source_asks);
	LIST_INIT(&api->visits);
	api->http = http_settings(control->settings);
	api->server = http_server_new(control->loop, &api->http, on_request, api);
	http_server_on_answered(api->server, api_count_answer, api);
	api->login = api_login_new(api);
	if (!api_listen_open(api, &api->listen, err) ||
	    !api_metrics_listen(api, control->settings->metrics_listen, err)) {
		api_close(api);
		return false;
	}
	control->make_report = api_report_make;
	control->make_report_arg = api;
	api_sources_open(api);
	*opened = api;
	return true;
}

void api_close(struct api *api)
{
	if (!api)
		return;
	api->is_closing = true;
	while (!LIST_EMPTY(&api->questions))
		api_question_abandon(LIST_FIRST(&api->questions));
	api->control->make_report = NULL;
	api_sources_close(api);
	http_server_free(api->metrics_server);
	http_server_free(api->server);
	api_listen_close(api->listen);
	api_login_free(api->login);
	text_release(&api->event);
	free(api);
}
