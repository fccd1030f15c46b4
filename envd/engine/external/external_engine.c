#include "engine/external/external_engine.h"

#include "base/files.h"
#include "engine/external/external_program.h"
#include "model/template.h"

static bool program_of_template(const struct engine_request *request, char **program,
				struct error *err)
{
	AUTO(template_free) struct template *template = NULL;

	if (!request->template_folder)
		return error_set_as(
		    err, ERR_INVALID, "program_unknown",
		    "target \"%s\" names no engine program, and there is no template to "
		    "name one",
		    request->target.name);
	/* It would run on our host, with what our host may do. */
	if (!request->is_trusted)
		return error_set_as(
		    err, ERR_DENIED, "untrusted_program",
		    "the template is not trusted, so its \"source\" may not be run");
	if (!template_load(request->template_folder, NULL, &template, err))
		return false;
	*program = template->source[0] == '/'
		       ? xstrdup(template->source)
		       : path_join(request->template_folder, template->source);
	return true;
}

static bool find_program(const struct engine_request *request, char **program, struct error *err)
{
	if (!request->target.program)
		return program_of_template(request, program, err);
	*program = xstrdup(request->target.program);
	return true;
}

/* The request as it came, with the verb that is meant and what was found on disk. */
static json_t *request_of(const struct engine_request *request, const char *verb)
{
	json_t *json =
	    request->whole ? json_copy((json_t *)(uintptr_t)request->whole) : json_object();

	json_object_set_new(json, "protocol", json_integer(WORKER_PROTOCOL));
	json_object_set_new(json, "task", json_string(verb));
	json_object_set_new(json, "template_folder",
			    request->template_folder ? json_string(request->template_folder)
						     : json_null());
	json_object_set_new(json, "lock",
			    request->lock ? json_deep_copy(request->lock) : json_null());
	return json;
}

static bool run_verb(const struct engine_request *request, const char *verb,
		     struct worker_lines *lines, json_t **data, struct error *err)
{
	AUTO(json_decref) json_t *whole = NULL;
	AUTO(free) char *program = NULL;

	if (!find_program(request, &program, err))
		return false;
	whole = request_of(request, verb);
	return external_program_run(
	    &(struct external_run){ .program = program,
				    .directory = request->folder && file_exists(request->folder)
						     ? request->folder
						     : "/",
				    .request = whole,
				    .lines = lines },
	    data, err);
}

/* What the engine promises in engine.h, the program must keep; what may be empty is filled in. */
static bool want(json_t **data, const char *verb, const char *field, json_type type,
		 struct error *err)
{
	const json_t *value = json_object_get(*data, field);

	if (value &&
	    (json_typeof(value) == type || (type == JSON_TRUE && json_typeof(value) == JSON_FALSE)))
		return true;
	return error_set_as(err, ERR_EXTERNAL, "worker_protocol",
			    "the program's result of \"%s\" has no usable \"%s\"", verb, field);
}

static void fill_in(json_t **data, const char *field, json_t *otherwise)
{
	if (!*data)
		*data = json_object();
	if (!json_object_get(*data, field))
		json_object_set(*data, field, otherwise);
	json_decref(otherwise);
}

static bool external_plan(const struct engine_request *request, struct worker_lines *lines,
			  json_t **data, struct error *err)
{
	if (!run_verb(request, "plan", lines, data, err))
		return false;
	fill_in(data, "lock", json_object());
	fill_in(data, "layers", json_array());
	return want(data, "plan", "lock", JSON_OBJECT, err) &&
	       want(data, "plan", "layers", JSON_ARRAY, err);
}

static bool external_create(const struct engine_request *request, struct worker_lines *lines,
			    json_t **data, struct error *err)
{
	if (!run_verb(request, "create", lines, data, err))
		return false;
	fill_in(data, "outputs", json_object());
	fill_in(data, "addresses", json_array());
	fill_in(data, "services", json_array());
	fill_in(data, "lock", request->lock ? json_deep_copy(request->lock) : json_object());
	return want(data, "create", "outputs", JSON_OBJECT, err) &&
	       want(data, "create", "addresses", JSON_ARRAY, err) &&
	       want(data, "create", "services", JSON_ARRAY, err);
}

static bool external_inspect(const struct engine_request *request, struct worker_lines *lines,
			     json_t **data, struct error *err)
{
	if (!run_verb(request, "inspect", lines, data, err))
		return false;
	fill_in(data, "services", json_array());
	fill_in(data, "drift", json_array());
	return want(data, "inspect", "healthy", JSON_TRUE, err);
}

static bool external_recover(const struct engine_request *request, struct worker_lines *lines,
			     json_t **data, struct error *err)
{
	if (!run_verb(request, "recover", lines, data, err))
		return false;
	fill_in(data, "found", json_integer(0));
	return want(data, "recover", "found", JSON_INTEGER, err);
}

static bool external_destroy(const struct engine_request *request, struct worker_lines *lines,
			     json_t **data, struct error *err)
{
	return run_verb(request, "destroy", lines, data, err) &&
	       want(data, "destroy", "state_empty", JSON_TRUE, err) &&
	       want(data, "destroy", "pending", JSON_INTEGER, err);
}

static bool check_items(const json_t *items, struct error *err)
{
	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *item = json_array_get(items, i);
		const char *text;

		if (!json_read_string(item, "kind", &text, err) ||
		    !json_read_string(item, "id", &text, err))
			return error_set_as(
			    err, ERR_EXTERNAL, "worker_protocol",
			    "item %zu of the program's inventory has no \"kind\" and "
			    "\"id\"",
			    i);
	}
	return true;
}

static bool external_inventory(const struct engine_request *request,
			       const struct env_id *environment, struct worker_lines *lines,
			       json_t **data, struct error *err)
{
	struct engine_request narrowed = *request;
	AUTO(json_decref) json_t *whole = NULL;

	/* Which environment is meant stands in the request; for a whole target, none may. */
	if (!environment && request->whole) {
		whole = json_copy((json_t *)(uintptr_t)request->whole);
		json_object_set_new(whole, "environment", json_null());
		narrowed.whole = whole;
	}
	return run_verb(&narrowed, "inventory", lines, data, err) &&
	       want(data, "inventory", "complete", JSON_TRUE, err) &&
	       want(data, "inventory", "items", JSON_ARRAY, err) &&
	       check_items(json_object_get(*data, "items"), err);
}

static bool external_probe(const struct engine_request *request, json_t **data, struct error *err)
{
	if (!run_verb(request, "probe", NULL, data, err))
		return false;
	fill_in(data, "warnings", json_array());
	return want(data, "probe", "warnings", JSON_ARRAY, err);
}

const struct engine engine_external = {
	.name = "external",
	.settle_ms = 500,
	.plan = external_plan,
	.create = external_create,
	.inspect = external_inspect,
	.recover = external_recover,
	.destroy = external_destroy,
	.inventory = external_inventory,
	.probe = external_probe,
};
