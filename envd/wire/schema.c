#include "wire/schema.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

#include "base/json_read.h"
#include "base/text.h"
#include "wire/access_schema.h"
#include "wire/environment_schema.h"
#include "wire/look_schema.h"
#include "wire/money_schema.h"
#include "wire/problem_schema.h"
#include "wire/service_schema.h"

const struct schema *const schemas[] = {
	&environment_schema,
	&environment_clocks_schema,
	&environment_checks_schema,
	&environment_kept_schema,
	&environment_evidence_schema,
	&environment_cost_schema,
	&environment_proof_schema,
	&environment_error_schema,
	&environment_lease_schema,
	&environment_request_schema,
	&environment_plan_schema,
	&plan_price_schema,
	&plan_target_schema,
	&plan_quota_schema,
	&quote_schema,
	&quote_component_schema,
	&quote_choice_schema,
	&price_book_schema,
	&environment_bill_schema,
	&spending_schema,
	&spending_template_schema,
	&spending_debt_schema,
	&environment_extension_schema,
	&environment_acknowledgement_schema,
	&exec_request_schema,
	&exec_terminal_schema,
	&forward_request_schema,
	&environment_service_schema,
	&service_address_schema,
	&environment_services_schema,
	&forward_schema,
	&history_row_schema,
	&log_line_schema,
	&report_schema,
	&report_layer_schema,
	&look_layer_schema,
	&look_resource_schema,
	&look_update_schema,
	&look_update_resource_schema,
	&look_attribute_schema,
	&template_schema,
	&template_parameter_schema,
	&template_component_schema,
	&template_source_schema,
	&template_limits_schema,
	&template_lease_schema,
	&template_price_schema,
	&check_request_schema,
	&check_run_schema,
	&check_environment_schema,
	&smoke_result_schema,
	&expectation_result_schema,
	&load_result_schema,
	&load_warmup_schema,
	&latency_schema,
	&threshold_result_schema,
	&generator_health_schema,
	&target_schema,
	&target_holder_schema,
	&target_mark_schema,
	&bill_schema,
	&version_schema,
	&status_schema,
	&problem_schema,
	&token_schema,
	&token_request_schema,
	&audit_entry_schema,
	NULL,
};

/* ---- types ---- */

/* "1h30m" */
#define UNITS(unit) "([0-9]{1,3}" unit ")?"
#define DURATION "^(?=[0-9])" UNITS("d") UNITS("h") UNITS("m") UNITS("s") UNITS("ms") "$"

static const struct {
	const char *name;
	const char *type; /* NULL: anything */
	const char *format;
	const char *pattern;
	int64_t length_max;
} scalars[] = {
	{ "string", "string", NULL, NULL, 0 },
	{ "integer", "integer", NULL, NULL, 0 },
	{ "number", "number", NULL, NULL, 0 },
	{ "boolean", "boolean", NULL, NULL, 0 },
	{ "object", "object", NULL, NULL, 0 },
	{ "any", NULL, NULL, NULL, 0 },
	{ "time", "string", "date-time", NULL, 0 },
	{ "uuid", "string", "uuid", NULL, 0 },
	{ "name", "string", NULL, "^[a-z][a-z0-9-]{0,39}$", 40 },
	{ "duration", "string", NULL, DURATION, 64 },
};

static json_t *scalar_json(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(scalars); i++) {
		json_t *json;

		if (strcmp(scalars[i].name, name) != 0)
			continue;
		json = json_object();
		if (scalars[i].type)
			json_object_set_new(json, "type", json_string(scalars[i].type));
		if (scalars[i].format)
			json_object_set_new(json, "format", json_string(scalars[i].format));
		if (scalars[i].pattern)
			json_object_set_new(json, "pattern", json_string(scalars[i].pattern));
		if (scalars[i].length_max)
			json_object_set_new(json, "maxLength", json_integer(scalars[i].length_max));
		return json;
	}
	assert(!"a type of schema.h");
	return NULL;
}

static json_t *words_json(const char *words)
{
	AUTO(free) char *copy = xstrdup(words);
	json_t *list = json_array();
	char *rest = copy;

	for (char *word; (word = strsep(&rest, "|"));)
		json_array_append_new(list, json_string(word));
	return json_pack("{s:s, s:o}", "type", "string", "enum", list);
}

static json_t *reference_json(const char *name)
{
	AUTO(free) char *path = xasprintf("#/components/schemas/%s", name);

	return json_pack("{s:s}", "$ref", path);
}

static json_t *or_null(json_t *json)
{
	json_t *type = json_object_get(json, "type");

	if (!json_object_size(json))
		return json; /* anything: null, too */
	if (!type || json_object_get(json, "enum"))
		return json_pack("{s:[o, {s:s}]}", "anyOf", json, "type", "null");
	json_object_set_new(json, "type", json_pack("[O, s]", type, "null"));
	return json;
}

static json_t *any_scalar_json(void)
{
	return json_pack("{s:[{s:s}, {s:s}, {s:s, s:I, s:I}, {s:s}]}", "anyOf", "type", "string",
			 "type", "boolean", "type", "integer", "minimum", (json_int_t)INT64_MIN,
			 "maximum", (json_int_t)INT64_MAX, "type", "number");
}

static json_t *labels_json(void)
{
	return json_pack("{s:s, s:{s:s}, s:{s:s}, s:i}", "type", "object", "propertyNames",
			 "pattern", "^[A-Za-z0-9._/-]{1,64}$", "additionalProperties", "type",
			 "string", "maxProperties", 32);
}

static json_t *bounded(json_t *list, int64_t max)
{
	json_object_set_new(list, "minItems", json_integer(1));
	json_object_set_new(list, "maxItems", json_integer(max));
	return list;
}

static json_t *either_json(const char *first, size_t length, const char *second)
{
	AUTO(free) char *one = xstrndup(first, length);

	return json_pack("{s:[o, o]}", "anyOf", reference_json(one), reference_json(second));
}

json_t *schema_of_type(const char *type)
{
	AUTO(free) char *inner = xstrdup(type);
	size_t last = strlen(inner) - 1;
	char first = *inner;

	if (inner[last] == '?') {
		inner[last] = '\0';
		return or_null(schema_of_type(inner));
	}
	if (first == '[' && isdigit((unsigned char)inner[last])) {
		int64_t max = inner[last] - '0';

		inner[last] = '\0';
		return bounded(schema_of_type(inner), max);
	}
	if (strcmp(inner, "scalar") == 0)
		return any_scalar_json();
	if (strcmp(inner, "labels") == 0)
		return labels_json();
	if (first == '=')
		return words_json(inner + 1);
	if (first == '[' || first == '{')
		inner[last] = '\0';
	if (first == '[')
		return json_pack("{s:s, s:o}", "type", "array", "items", schema_of_type(inner + 1));
	if (first == '{')
		return json_pack("{s:s, s:{s:i}, s:o}", "type", "object", "propertyNames",
				 "minLength", 1, "additionalProperties", schema_of_type(inner + 1));
	if (!isupper((unsigned char)first))
		return scalar_json(inner);
	return strchr(inner, '|') ? either_json(inner, strcspn(inner, "|"), strchr(inner, '|') + 1)
				  : reference_json(inner);
}

/* ---- shapes ---- */

static void add_field(const struct schema_field *field, json_t *properties, json_t *required)
{
	AUTO(free) char *name = xstrdup(field->name);
	json_t *property = schema_of_type(field->type);
	size_t last = strlen(name) - 1;

	if (name[last] == '?')
		name[last] = '\0';
	else
		json_array_append_new(required, json_string(name));
	json_object_set_new(property, "description", json_string(field->about));
	json_object_set_new(properties, name, property);
}

/* This one is a string; of the others, null is as good as nothing. */
static json_t *only(const json_t *properties, const char *wanted)
{
	json_t *restricted = json_object(), *property;
	const char *name;

	json_object_foreach_const(properties, name, property)
		json_object_set_new(
		    restricted, name,
		    json_pack("{s:s}", "type", strcmp(name, wanted) == 0 ? "string" : "null"));
	return restricted;
}

static json_t *alternatives(const json_t *properties)
{
	json_t *list = json_array(), *property;
	const char *name;

	json_object_foreach_const(properties, name, property)
		json_array_append_new(list, json_pack("{s:[s], s:o}", "required", name,
						      "properties", only(properties, name)));
	return list;
}

json_t *schema_json(const struct schema *schema)
{
	json_t *properties = json_object(), *required = json_array();
	json_t *json;

	for (size_t i = 0; i < schema->field_count; i++)
		add_field(&schema->fields[i], properties, required);
	json = json_pack("{s:s, s:s, s:o, s:o, s:b}", "type", "object", "description",
			 schema->about, "properties", properties, "required", required,
			 "additionalProperties", schema->is_open);
	if (schema->has_one)
		json_object_set_new(json, "oneOf", alternatives(properties));
	return json;
}
