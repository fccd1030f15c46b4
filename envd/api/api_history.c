#include "api/api_history.h"

#include "api/api_errors.h"
#include "api/api_view.h"

enum {
	ROWS_AT_ONCE = 500,
	/* It is for reading: of a longer one there is the beginning. */
	ROWS_MAX = 5000,
};

bool api_history_read(struct api *api, const struct environment *environment, json_t **history,
		      struct error *err)
{
	AUTO(json_decref) json_t *rows = json_array();
	size_t count = ROWS_AT_ONCE;
	int64_t after = 0;

	while (count == ROWS_AT_ONCE && json_array_size(rows) < ROWS_MAX) {
		AUTO(history_list_release) struct history_list list = { NULL, 0 };

		if (!store_history_list(api->control->store, &environment->id, after, ROWS_AT_ONCE,
					&list, err))
			return false;
		count = list.count;
		for (size_t i = 0; i < count; i++) {
			json_array_append_new(rows, api_view_history(&list.rows[i]));
			after = list.rows[i].n;
		}
	}
	*history = TAKE(rows);
	return true;
}

void api_list_history(void *arg, struct http_request *request)
{
	AUTO(environment_free) struct environment *environment = NULL;
	AUTO(history_list_release) struct history_list list = { NULL, 0 };
	json_t *items = json_array();
	struct api *api = arg;
	int64_t limit, after;
	struct error err;
	bool is_full;

	if (!api_page(request, &limit, &after, &err) ||
	    !api_view_find(api, request, &environment, &err) ||
	    !store_history_list(api->control->store, &environment->id, after, limit, &list, &err)) {
		json_decref(items);
		api_answer_error(request, &err);
		return;
	}
	for (size_t i = 0; i < list.count; i++)
		json_array_append_new(items, api_view_history(&list.rows[i]));
	is_full = list.count && (int64_t)list.count == limit;
	api_answer_page(request, items, is_full ? list.rows[list.count - 1].n : 0);
}
