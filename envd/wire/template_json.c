#include "wire/template_json.h"

#include "base/json_read.h"
#include "model/cost.h"

static void set_if(json_t *object, const char *key, json_t *value)
{
	if (value)
		json_object_set(object, key, value);
}

static json_t *parameter_json(const struct template_parameter *parameter)
{
	json_t *json = json_pack("{s:s, s:s, s:s, s:s}", "name", parameter->name, "type",
				 parameter_type_name(parameter->type), "description",
				 parameter->description, "variable", parameter->variable);

	set_if(json, "default", parameter->default_value);
	set_if(json, "minimum", parameter->minimum);
	set_if(json, "maximum", parameter->maximum);
	set_if(json, "enum", parameter->choices);
	if (parameter->pattern)
		json_object_set_new(json, "pattern", json_string(parameter->pattern));
	if (parameter->type == PARAMETER_STRING)
		json_object_set_new(json, "max_length", json_integer(parameter->length_max));
	return json;
}

static json_t *strings_json(char *const *strings)
{
	json_t *json = json_array();

	for (; *strings; strings++)
		json_array_append_new(json, json_string(*strings));
	return json;
}

static json_t *component_json(const struct template_component *component)
{
	json_t *json =
	    json_pack("{s:s, s:s, s:o}", "name", component->name, "description",
		      component->description, "versions", strings_json(component->versions));

	if (template_component_is_group(component))
		json_object_set_new(json, "members", strings_json(component->members));
	else
		json_object_set_new(json, "default", json_string(component->default_version));
	if (component->branch)
		json_object_set_new(json, "branch", json_string(component->branch));
	if (component->pull_request)
		json_object_set_new(json, "pull_request", json_string(component->pull_request));
	return json;
}

static json_t *limits_json(const struct template_limits *limits)
{
	return json_pack("{s:I, s:I, s:{s:I, s:I, s:I}}", "provision_ms",
			 (json_int_t)limits->provision_ms, "attempts", (json_int_t)limits->attempts,
			 "lease", "default_ms", (json_int_t)limits->lease_default_ms, "minimum_ms",
			 (json_int_t)limits->lease_min_ms, "maximum_ms",
			 (json_int_t)limits->lease_max_ms);
}

static json_t *price_json(const struct template_price *price)
{
	json_t *components = json_array();

	for (size_t i = 0; i < price->line_count; i++)
		json_array_append_new(components, json_string(price->lines[i].name));
	return json_pack("{s:f, s:s, s:s, s:o}", "per_hour",
			 cost_to_units(price->microcents_per_hour), "currency", price->currency,
			 "note", price->note, "components", components);
}

json_t *template_json(const struct template *template, const char *digest, bool is_trusted)
{
	json_t *parameters = json_array(), *components = json_array(), *outputs = json_array();

	for (size_t i = 0; i < template->parameter_count; i++)
		json_array_append_new(parameters, parameter_json(&template->parameters[i]));
	for (size_t i = 0; i < template->component_count; i++)
		json_array_append_new(components, component_json(&template->components[i]));
	for (size_t i = 0; i < template->output_count; i++)
		json_array_append_new(outputs, json_string(template->outputs[i].name));
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s?, s:b, s:o, s:o, s:o, s:o, s:o, s:b}",
			 "apiVersion", "envd/v1", "kind", "Template", "name", template->name,
			 "description", template->description, "engine", template->engine, "digest",
			 digest, "trusted", is_trusted, "parameters", parameters, "components",
			 components, "limits", limits_json(&template->limits), "price",
			 price_json(&template->price), "outputs", outputs, "checks",
			 template->checks != NULL);
}
