#include "cli/template_lint.h"

#include <string.h>

#include "base/files.h"
#include "base/json_read.h"
#include "compose/compose.h"
#include "model/check_plan.h"
#include "model/pins.h"
#include "model/layer_list.h"
#include "model/template.h"

struct linting {
	const char *folder;
	const struct template *template;
	const struct compose_file *compose;
	struct text *notes;
	const char *output; /* whose mentions are being looked at */
	struct error *err;
	bool is_bad;
};

/* ---- variables ---- */

/* What each parameter puts into the compose file; where one must be given, anything will do. */
static void add_parameters(const struct template *template, json_t *variables)
{
	for (size_t i = 0; i < template->parameter_count; i++) {
		const struct template_parameter *parameter = &template->parameters[i];
		const json_t *value = parameter->default_value;
		AUTO(free)
		char *text =
		    value && !json_is_string(value) ? json_dumps(value, JSON_ENCODE_ANY) : NULL;

		if (value && json_is_string(value))
			text = xstrdup(json_string_value(value));
		json_object_set_new(variables, parameter->variable, json_string(text ? text : "1"));
	}
}

static bool make_variables(const struct template *template, json_t **variables, struct error *err)
{
	static const char *const ours[] = { "ENVD_ENVIRONMENT", "ENVD_NAME",
					    "ENVD_PUBLISH_ADDRESS" };
	AUTO(json_decref) json_t *versions = NULL;

	if (!pins_resolve(template, NULL, &versions, err))
		return false;
	*variables = pins_variables(template, versions, NULL);
	add_parameters(template, *variables);
	for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
		json_object_set_new(*variables, ours[i], json_string("127.0.0.1"));
	return true;
}

static bool is_used(const struct compose_file *compose, const char *variable)
{
	for (size_t i = 0; i < compose->variables_used.count; i++)
		if (text_equal(compose->variables_used.items[i], variable))
			return true;
	return false;
}

static void note_unused(const struct linting *linting)
{
	const struct template *template = linting->template;

	for (size_t i = 0; i < template->component_count; i++) {
		const struct template_component *component = &template->components[i];

		if (component->variable && !is_used(linting->compose, component->variable))
			text_format(linting->notes,
				    "component \"%s\": %s does not mention ${%s}, so a pin changes "
				    "nothing\n",
				    component->name, template->source, component->variable);
	}
	for (size_t i = 0; i < template->parameter_count; i++) {
		const struct template_parameter *parameter = &template->parameters[i];

		if (!is_used(linting->compose, parameter->variable))
			text_format(linting->notes,
				    "parameter \"%s\": %s does not mention ${%s}, so it changes "
				    "nothing\n",
				    parameter->name, template->source, parameter->variable);
	}
}

/* ---- outputs ---- */

static bool publishes(const struct compose_service *service, int port)
{
	for (size_t i = 0; i < service->ports.count; i++)
		if (service->ports.items[i].container_port == port)
			return true;
	return false;
}

static void on_mention(void *arg, const char *name, int port)
{
	struct linting *linting = arg;
	const struct compose_service *service;

	if (linting->is_bad || strcmp(name, "environment") == 0)
		return;
	service = compose_service_find(linting->compose, name);
	linting->is_bad = !service || (port && !publishes(service, port));
	if (!service)
		error_set_as(
		    linting->err, ERR_INVALID, "template_invalid",
		    "template.yaml: output \"%s\" names a service \"%s\" that %s does not have",
		    linting->output, name, linting->template->source);
	else if (linting->is_bad)
		error_set_as(linting->err, ERR_INVALID, "template_invalid",
			     "template.yaml: output \"%s\" wants port %d of service \"%s\", which "
			     "does not publish it",
			     linting->output, port, name);
}

static bool check_outputs(struct linting *linting)
{
	for (size_t i = 0; i < linting->template->output_count && !linting->is_bad; i++) {
		linting->output = linting->template->outputs[i].name;
		template_output_services(&linting->template->outputs[i], on_mention, linting);
	}
	return !linting->is_bad;
}

/* ---- the files beside it ---- */

static bool lint_compose(struct linting *linting, struct error *err)
{
	AUTO(compose_free) struct compose_file *compose = NULL;
	AUTO(compose_free) struct compose_file *again = NULL;
	AUTO(json_decref) json_t *variables = NULL;
	struct compose_request request = {
		.folder = linting->folder,
		.is_trusted = true,
		.sources = (const char *const *)linting->template->sources,
	};
	struct error untrusted;

	if (!make_variables(linting->template, &variables, err))
		return false;
	request.variables = variables;
	if (!compose_load(&request, &compose, err))
		return false;
	request.is_trusted = false;
	if (!compose_load(&request, &again, &untrusted))
		text_format(linting->notes, "refused unless its source is trusted: %s\n",
			    untrusted.message);
	linting->compose = compose;
	linting->err = err;
	note_unused(linting);
	return check_outputs(linting);
}

/* What a layer exports only its program knows; that the layer is there can be known. */
static bool lint_layers(const struct linting *linting, struct error *err)
{
	AUTO(layer_list_free) struct layer_list *list = NULL;
	size_t index;

	if (!layer_list_load(linting->folder, linting->template->source, &list, err))
		return false;
	for (size_t i = 0; i < linting->template->output_count; i++) {
		const struct template_output *output = &linting->template->outputs[i];

		if (output->layer && !layer_graph_find(list->graph, output->layer, &index))
			return error_set_as(
			    err, ERR_INVALID, "template_invalid",
			    "template.yaml: output \"%s\" is of layer \"%s\", which "
			    "%s does not have",
			    output->name, output->layer, linting->template->source);
	}
	if (!list->inventory_count)
		text_add(linting->notes,
			 "it has no inventory: what is left of an environment stays a "
			 "debt until somebody acknowledges it\n");
	return true;
}

static bool lint_checks(const struct linting *linting, struct error *err)
{
	AUTO(check_plan_free) struct check_plan *plan = NULL;
	AUTO(free) char *path = path_join(linting->folder, linting->template->checks);
	AUTO(free) char *bytes = NULL;
	static const char *const words[] = {
#define X(name, value) name,
		CHECK_WORDS(X)
#undef X
	};
	AUTO(free)
	const char **known =
	    xcalloc(ARRAY_SIZE(words) + linting->template->output_count + 1, sizeof(*known));
	size_t length;

	memcpy(known, words, sizeof(words));
	for (size_t i = 0; i < linting->template->output_count; i++)
		known[ARRAY_SIZE(words) + i] = linting->template->outputs[i].name;
	return file_read(path, CHECK_PLAN_BYTES_MAX, &bytes, &length, err) &&
	       check_plan_parse(bytes, length, linting->template->checks, &plan, err) &&
	       check_plan_check_names(plan, known, err);
}

/* "mara-local" of "./templates/mara-local/"; the caller frees. */
static char *folder_name(const char *folder)
{
	AUTO(free) char *absolute = realpath(folder, NULL);
	const char *slash = absolute ? strrchr(absolute, '/') : NULL;

	return slash ? xstrdup(slash + 1) : NULL;
}

bool template_lint(const char *folder, struct text *notes, struct error *err)
{
	AUTO(template_free) struct template *template = NULL;
	AUTO(free) char *name = folder_name(folder);
	struct linting linting = { .folder = folder, .notes = notes };

	if (!template_load(folder, name, &template, err))
		return false;
	linting.template = template;
	if (text_equal(template->engine, "container") && !lint_compose(&linting, err))
		return false;
	if (text_equal(template->engine, "pulumi") && !lint_layers(&linting, err))
		return false;
	if (!template->checks)
		text_add(notes,
			 "it has no checks: an environment of it is ready as soon as it runs\n");
	return !template->checks || lint_checks(&linting, err);
}
