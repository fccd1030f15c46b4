#include "api/api_audit.h"

#include "api/api_errors.h"
#include "api/api_view.h"
#include "store/store_audit.h"

void api_list_audit(void *arg, struct http_request *request)
{
	int64_t limit, after, last;
	struct api *api = arg;
	struct error err;
	json_t *items;

	if (!api_page(request, &limit, &after, &err) ||
	    !store_audit_list(api->control->store, after, limit, &items, &last, &err)) {
		api_answer_error(request, &err);
		return;
	}
	api_answer_page(request, items, (int64_t)json_array_size(items) == limit ? last : 0);
}
