#include "api/api.h"
#include "api/api_context.h"
#include "api/api_errors.h"
#include "api/api_question.h"
#include "http/http_response.h"

struct api *api_new(struct control *control, const char *ci_group)
{
	struct api *api = xcalloc(1, sizeof(*api));

	api->control = control;
	api_auth_init(&api->auth, ci_group);
	api->router = (struct http_router){ api_routes, api_route_count, api };
	return api;
}

void api_free(struct api *api)
{
	if (!api)
		return;
	while (!LIST_EMPTY(&api->questions))
		api_question_abandon(LIST_FIRST(&api->questions));
	free(api);
}

gid_t api_ci_group(const struct api *api)
{
	return api->auth.ci_gid;
}

/* Whether the role may do such a thing at all; whose environment it is, is looked at later. Who may
 * not ask does not learn what there is. */
static bool route(struct api *api, struct http_request *request, struct http_match *match,
		  struct error *err)
{
	bool is_found = http_router_match(&api->router, http_request_method(request),
					  http_request_path(request), match, err);
	struct caller caller;

	if (is_found && match->route->access == API_OPEN_TO_ALL)
		return true;
	if (!api_auth_caller(&api->auth, http_request_peer(request), &caller, err))
		return false;
	if (is_found)
		return permission_check(&caller, (enum permission)match->route->access, NULL, err);
	if (*match->allowed)
		http_response_header(request, "Allow", match->allowed);
	return false;
}

void api_on_request(void *arg, struct http_request *request)
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
