#include "api/api_templates.h"

#include "api/api_errors.h"
#include "api/api_view.h"
#include "http/http_response.h"
#include "wire/template_json.h"
#include "wire/worker_lines.h"

/* One that cannot be read is shown with its error: its owner looks here for it. */
static json_t *template_item(struct template_registry *registry, const char *name)
{
	struct template_entry entry;
	struct error err;
	json_t *json;

	if (template_registry_find(registry, name, &entry, &err))
		return template_json(entry.template, entry.digest, entry.is_trusted);
	json = json_object();
	json_object_set_new(json, "apiVersion", json_string("envd/v1"));
	json_object_set_new(json, "kind", json_string("Template"));
	json_object_set_new(json, "name", json_string(name));
	json_object_set_new(json, "error", error_to_json(&err));
	return json;
}

/* Copied first: looking one up may make the registry read its folders again. */
static json_t *copy_names(struct template_registry *registry)
{
	const char *const *names = template_registry_names(registry);
	json_t *copies = json_array();

	for (; *names; names++)
		json_array_append_new(copies, json_string(*names));
	return copies;
}

void api_list_templates(void *arg, struct http_request *request)
{
	struct api *api = arg;
	AUTO(json_decref) json_t *names = copy_names(api->control->templates);
	json_t *items = json_array(), *name;
	size_t i;

	json_array_foreach(names, i, name)
		json_array_append_new(
		    items, template_item(api->control->templates, json_string_value(name)));
	api_answer_page(request, items, 0);
}

void api_get_template(void *arg, struct http_request *request)
{
	AUTO(json_decref) json_t *json = NULL;
	struct api *api = arg;
	struct template_entry entry;
	struct error err;

	if (!template_registry_find(api->control->templates,
				    http_request_param(request, "template"), &entry, &err)) {
		api_answer_error(request, &err);
		return;
	}
	json = template_json(entry.template, entry.digest, entry.is_trusted);
	http_answer_json(request, 200, json);
}
