#include "api/api.h"

#include <string.h>

#include "api/api_context.h"
#include "api/api_errors.h"
#include "api/api_question.h"
#include "base/files.h"
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

/* Only root may give the socket to a group that it is not in. */
static gid_t socket_group(const struct api *api)
{
	return api->auth.own_uid == 0 ? api->auth.ci_gid : (gid_t)-1;
}

static bool listen_unix(struct api *api, const char *path, struct error *err)
{
	AUTO(free) char *folder = xstrdup(path);
	char *slash = strrchr(folder, '/');

	if (slash && slash != folder) {
		*slash = '\0';
		if (!folder_make(folder, 0755, err))
			return false;
	}
	return http_server_listen_unix(api->server, path, 0660, socket_group(api), err);
}

bool api_open(struct control *control, struct api **opened, struct error *err)
{
	struct api *api = xcalloc(1, sizeof(*api));

	api->control = control;
	api_auth_init(&api->auth, CI_GROUP);
	api->router = (struct http_router){ api_routes, api_route_count, api };
	LIST_INIT(&api->questions);
	api->server = http_server_new(control->loop, &http_server_defaults, on_request, api);
	if (!listen_unix(api, control->settings->listen, err)) {
		api_close(api);
		return false;
	}
	*opened = api;
	return true;
}

void api_close(struct api *api)
{
	if (!api)
		return;
	while (!LIST_EMPTY(&api->questions))
		api_question_abandon(LIST_FIRST(&api->questions));
	http_server_free(api->server);
	free(api);
}
