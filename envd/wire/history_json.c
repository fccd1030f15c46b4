#include "wire/history_json.h"

#include "wire/environment_json.h"

static json_t *text_or_null(const char *text)
{
	return text && *text ? json_string(text) : json_null();
}

json_t *history_json(const struct history_view *row)
{
	json_t *json = json_object();

	json_object_set_new(json, "n", json_integer(row->n));
	json_object_set_new(json, "at", time_json(row->at_ms));
	json_object_set_new(json, "environment", text_or_null(row->environment));
	json_object_set_new(json, "name", text_or_null(row->name));
	json_object_set_new(json, "kind", text_or_null(row->kind));
	json_object_set_new(json, "state", text_or_null(row->state));
	json_object_set_new(json, "event", text_or_null(row->event));
	json_object_set_new(json, "message", json_string(row->message ? row->message : ""));
	json_object_set_new(json, "data", row->data ? json_deep_copy(row->data) : json_null());
	return json;
}
