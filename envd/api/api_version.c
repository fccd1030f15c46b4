#include "api/api_version.h"

#include "api/api_errors.h"
#include "api/api_view.h"
#include "http/http_response.h"
#include "http/http_server.h"

void api_get_version(void *arg, struct http_request *request)
{
	AUTO(json_decref) json_t *json = json_object(), *libraries = json_object();
	struct api *api = arg;

	json_object_set_new(json, "version", json_string(ENVD_VERSION));
	json_object_set_new(json, "api", json_string("v1"));
	json_object_set_new(json, "instance", json_string(store_instance(api->control->store)));
	json_object_set_new(libraries, "libevent", json_string(http_server_library_version()));
	json_object_set_new(libraries, "jansson", json_string(jansson_version_str()));
	json_object_set(json, "libraries", libraries);
	http_answer_json(request, 200, json);
}

static void answer_status(struct http_request *request, const char *status)
{
	AUTO(json_decref) json_t *json = json_object();

	json_object_set_new(json, "status", json_string(status));
	http_answer_json(request, 200, json);
}

void api_get_health(void *arg, struct http_request *request)
{
	(void)arg;
	answer_status(request, "ok");
}

void api_get_readiness(void *arg, struct http_request *request)
{
	struct api *api = arg;
	struct error err;
	int64_t newest;

	if (store_history_newest(api->control->store, &newest, &err)) {
		answer_status(request, "ready");
		return;
	}
	err.code = ERR_UNAVAILABLE;
	api_answer_error(request, &err);
}
