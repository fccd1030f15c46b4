#include "api/api_metrics.h"

#include <string.h>

#include "api/api_context.h"
#include "api/api_errors.h"
#include "base/log.h"
#include "base/text.h"
#include "control/meter.h"
#include "http/http_response.h"
#include "http/http_server.h"

void api_get_metrics(void *arg, struct http_request *request)
{
	AUTO(text_release) struct text text = TEXT_EMPTY;
	struct api *api = arg;
	struct error err;

	metrics_set(meter_metrics(api->control->meter), METRIC_HTTP_CONNECTIONS, NULL, NULL,
		    (double)http_server_connection_count(api->server));
	if (!meter_text(api->control->meter, &text, &err))
		api_answer_error(request, &err);
	else
		http_answer_text(request, 200, METRICS_CONTENT_TYPE, text_get(&text));
}

void api_count_answer(void *arg, const struct http_request *request, int status)
{
	struct api *api = arg;
	const char *route = http_request_route(request);
	char number[12];

	/* Never the path itself: what a client makes up must not become a series. */
	snprintf(number, sizeof(number), "%d", status);
	metrics_add(meter_metrics(api->control->meter), METRIC_HTTP_REQUESTS,
		    route ? route : "none", number, 1);
}

/* ---- the port of its own ---- */

static void on_request(void *arg, struct http_request *request)
{
	struct error err;

	if (strcmp(http_request_path(request), "/metrics") == 0 &&
	    strcmp(http_request_method(request), "GET") == 0) {
		api_get_metrics(arg, request);
		return;
	}
	error_set_as(&err, ERR_NOT_FOUND, "route_not_found", "here is nothing but GET /metrics");
	api_answer_error(request, &err);
}

bool api_metrics_listen(struct api *api, const char *address, struct error *err)
{
	char bound[HTTP_BOUND_SIZE];

	if (!address)
		return true;
	api->metrics_server =
	    http_server_new(api->control->loop, &http_server_defaults, on_request, api);
	if (!http_server_listen_tcp(api->metrics_server, address, NULL, bound, err))
		return error_hint(err, "--metrics-listen is for this machine only: whoever "
				       "reaches it may read");
	log_info("serving /metrics on %s", bound);
	return true;
}
