#include "api/api_templates.h"

#include "api/api_errors.h"
#include "api/api_sources.h"
#include "api/api_view.h"
#include "http/http_response.h"
#include "model/git_address.h"
#include "wire/template_json.h"
#include "wire/worker_lines.h"

static json_t *entry_json(const struct template_entry *entry)
{
	json_t *json = template_json(entry->template, entry->digest, entry->is_trusted);

	if (entry->checkout)
		json_object_set_new(json, "source", template_checkout_json(entry->checkout));
	return json;
}

/* One that cannot be read is shown with its error: its owner looks here for it. */
static json_t *template_item(struct template_registry *registry, const char *name)
{
	struct template_entry entry;
	struct error err;
	json_t *json;

	if (template_registry_find(registry, name, &entry, &err)) {
		json = entry_json(&entry);
		/* As it is asked for. */
		json_object_set_new(json, "name", json_string(name));
		return json;
	}
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

	/* What is shown is what was fetched last; the next list shows what is there now. */
	api_sources_refresh(api);
	json_array_foreach(names, i, name)
		json_array_append_new(
		    items, template_item(api->control->templates, json_string_value(name)));
	api_answer_page(request, items, 0);
}

/* ---- one ---- */

struct showing {
	struct api *api;
	struct http_request *request;
	char *name;
};

static void show(struct showing *showing, const struct template_checkout *checkout)
{
	struct template_registry *registry = showing->api->control->templates;
	AUTO(json_decref) json_t *json = NULL;
	struct template_entry entry;
	struct error err;

	if (!(checkout ? template_registry_find_in(registry, checkout, showing->name, &entry, &err)
		       : template_registry_find(registry, showing->name, &entry, &err))) {
		api_answer_error(showing->request, &err);
		return;
	}
	json = entry_json(&entry);
	http_answer_json(showing->request, 200, json);
}

static void showing_free(struct showing *showing)
{
	free(showing->name);
	free(showing);
}

static void on_fetched(void *arg, const struct template_checkout *checkout,
		       const struct error *failure)
{
	struct showing *showing = arg;

	if (failure)
		api_answer_error(showing->request, failure);
	else
		show(showing, checkout);
	showing_free(showing);
}

/* Takes `name`. One of a git source is shown as it is there now. */
static void show_named(struct api *api, struct http_request *request, char *name)
{
	struct showing *showing = xcalloc(1, sizeof(*showing));
	const char *ref = http_request_query(request, "ref"), *source = NULL;
	struct error err;

	*showing = (struct showing){ api, request, name };
	if ((ref && !git_ref_check(ref, &err)) ||
	    !template_registry_source_of(api->control->templates, name, ref != NULL, &source,
					 &err)) {
		api_answer_error(request, &err);
	} else if (!source) {
		show(showing, NULL);
	} else if (api_sources_fetch(api, source, ref, request, on_fetched, showing, &err)) {
		return;
	} else {
		api_answer_error(request, &err);
	}
	showing_free(showing);
}

void api_get_template(void *api, struct http_request *request)
{
	show_named(api, request, xstrdup(http_request_param(request, "template")));
}

void api_get_source_template(void *api, struct http_request *request)
{
	show_named(api, request,
		   xasprintf("%s/%s", http_request_param(request, "source"),
			     http_request_param(request, "template")));
}
