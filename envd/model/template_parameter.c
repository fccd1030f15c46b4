#include "model/template_parameter.h"

#include <inttypes.h>
#include <regex.h>
#include <string.h>

#include "base/duration.h"
#include "base/text.h"
#include "model/template_read.h"

#define LENGTH_MAX_DEFAULT 1024
#define LENGTH_MAX_LARGEST 4096
#define PATTERN_LENGTH_MAX 200
#define REPETITIONS_MAX 1000

static const char *const type_names[] = {
	[PARAMETER_STRING] = "string",     [PARAMETER_INTEGER] = "integer",
	[PARAMETER_NUMBER] = "number",     [PARAMETER_BOOLEAN] = "boolean",
	[PARAMETER_DURATION] = "duration", [PARAMETER_DURATION + 1] = NULL,
};

static const char *const expected[] = {
	[PARAMETER_STRING] = "text",
	[PARAMETER_INTEGER] = "a whole number",
	[PARAMETER_NUMBER] = "a number",
	[PARAMETER_BOOLEAN] = "true or false",
	[PARAMETER_DURATION] = "a duration, such as 90s, 10m or 1h30m",
};

const char *parameter_type_name(enum parameter_type type)
{
	return type_names[type];
}

/* ---- values -------------------------------------------------------------------------------- */

static bool refuse(const struct template_parameter *parameter, const json_t *given,
		   const char *problem, struct error *err)
{
	AUTO(free)
	char *text =
	    json_is_string(given) ? xstrdup(json_string_value(given)) : json_to_text(given);
	char shown[64];

	error_set_as(err, ERR_INVALID, "parameter_invalid", "parameter \"%s\" %s (got \"%s\")",
		     parameter->name, problem, text_printable(text, shown, sizeof(shown)));
	return error_hint(err, "%s", parameter->description ? parameter->description : "");
}

/* Text for a number or a boolean is what the same text means in JSON. */
static json_t *value_in_text(const json_t *given)
{
	return json_loadb(json_string_value(given), json_string_length(given), JSON_DECODE_ANY,
			  NULL);
}

static bool is_of_type(enum parameter_type type, const json_t *value)
{
	int64_t ms;
	struct error ignored; /* refuse() says it with the parameter's name */

	switch (type) {
	case PARAMETER_STRING:
		return json_is_string(value) &&
		       strlen(json_string_value(value)) == json_string_length(value);
	case PARAMETER_INTEGER:
		return json_is_integer(value);
	case PARAMETER_NUMBER:
		return json_is_number(value);
	case PARAMETER_BOOLEAN:
		return json_is_boolean(value);
	case PARAMETER_DURATION:
		return json_is_string(value) &&
		       duration_parse(json_string_value(value), "", &ms, &ignored);
	}
	return false;
}

static bool convert(const struct template_parameter *parameter, const json_t *given, json_t **value,
		    struct error *err)
{
	AUTO(json_decref) json_t *converted = NULL;
	char problem[80];

	if (json_is_string(given) && parameter->type != PARAMETER_STRING &&
	    parameter->type != PARAMETER_DURATION)
		converted = value_in_text(given);
	else
		converted = json_deep_copy(given);
	if (converted && is_of_type(parameter->type, converted)) {
		*value = TAKE(converted);
		return true;
	}
	snprintf(problem, sizeof(problem), "must be %s", expected[parameter->type]);
	return refuse(parameter, given, problem, err);
}

/* -1, 0 or 1. Both are of the type. */
static int compare(enum parameter_type type, const json_t *a, const json_t *b)
{
	struct error ignored; /* both were parsed before */
	int64_t a_ms = 0, b_ms = 0;
	double a_number, b_number;

	if (type == PARAMETER_INTEGER) {
		a_ms = json_integer_value(a);
		b_ms = json_integer_value(b);
		return (a_ms > b_ms) - (a_ms < b_ms);
	}
	if (type == PARAMETER_DURATION) {
		if (!duration_parse(json_string_value(a), "", &a_ms, &ignored) ||
		    !duration_parse(json_string_value(b), "", &b_ms, &ignored))
			return 0;
		return (a_ms > b_ms) - (a_ms < b_ms);
	}
	a_number = json_number_value(a);
	b_number = json_number_value(b);
	return (a_number > b_number) - (a_number < b_number);
}

static bool refuse_bound(const struct template_parameter *parameter, const json_t *value,
			 const char *relation, const json_t *bound, struct error *err)
{
	AUTO(free)
	char *text =
	    json_is_string(bound) ? xstrdup(json_string_value(bound)) : json_to_text(bound);
	AUTO(free) char *problem = xasprintf("%s %s", relation, text);

	return refuse(parameter, value, problem, err);
}

static bool check_bounds(const struct template_parameter *parameter, const json_t *value,
			 struct error *err)
{
	if (parameter->minimum && compare(parameter->type, value, parameter->minimum) < 0)
		return refuse_bound(parameter, value, "must be at least", parameter->minimum, err);
	if (parameter->maximum && compare(parameter->type, value, parameter->maximum) > 0)
		return refuse_bound(parameter, value, "may not pass", parameter->maximum, err);
	return true;
}

static bool pattern_compile(const char *pattern, regex_t *regex)
{
	AUTO(free) char *whole = xasprintf("^(%s)$", pattern);

	return regcomp(regex, whole, REG_EXTENDED | REG_NOSUB) == 0;
}

static bool pattern_matches(const char *pattern, const char *text)
{
	regex_t regex;
	bool matches;

	if (!pattern_compile(pattern, &regex))
		return false;
	matches = regexec(&regex, text, 0, NULL, 0) == 0;
	regfree(&regex);
	return matches;
}

static bool is_choice(const json_t *choices, const char *text)
{
	for (size_t i = 0; i < json_array_size(choices); i++)
		if (strcmp(json_string_value(json_array_get(choices, i)), text) == 0)
			return true;
	return false;
}

static bool refuse_choice(const struct template_parameter *parameter, const json_t *value,
			  struct error *err)
{
	AUTO(text_release) struct text problem = TEXT_EMPTY;

	text_add(&problem, "must be one of ");
	for (size_t i = 0; i < json_array_size(parameter->choices); i++)
		text_format(&problem, "%s%s", i ? ", " : "",
			    json_string_value(json_array_get(parameter->choices, i)));
	return refuse(parameter, value, text_get(&problem), err);
}

static bool check_string(const struct template_parameter *parameter, const json_t *value,
			 struct error *err)
{
	char problem[PATTERN_LENGTH_MAX + 64];

	if ((int64_t)json_string_length(value) > parameter->length_max) {
		snprintf(problem, sizeof(problem), "may not be longer than %" PRId64 " bytes",
			 parameter->length_max);
		return refuse(parameter, value, problem, err);
	}
	if (parameter->choices && !is_choice(parameter->choices, json_string_value(value)))
		return refuse_choice(parameter, value, err);
	if (parameter->pattern && !pattern_matches(parameter->pattern, json_string_value(value))) {
		snprintf(problem, sizeof(problem), "must match %s", parameter->pattern);
		return refuse(parameter, value, problem, err);
	}
	return true;
}

bool template_parameter_value(const struct template_parameter *parameter, const json_t *given,
			      json_t **value, struct error *err)
{
	AUTO(json_decref) json_t *converted = NULL;

	if (!convert(parameter, given, &converted, err))
		return false;
	if (parameter->type == PARAMETER_STRING ? !check_string(parameter, converted, err)
						: !check_bounds(parameter, converted, err))
		return false;
	*value = TAKE(converted);
	return true;
}

/* ---- reading ------------------------------------------------------------------------------- */

static bool read_type(const struct template_item *item, enum parameter_type *type,
		      struct error *err)
{
	const char *name, *nearest;

	if (!yaml_read_string(item->document, item->map, "type", &name, err))
		return false;
	for (size_t i = 0; type_names[i]; i++) {
		if (strcmp(type_names[i], name) == 0) {
			*type = (enum parameter_type)i;
			return true;
		}
	}
	nearest = text_nearest(name, type_names);
	yaml_error(
	    item->document, yaml_get(item->map, "type"), err,
	    "there is no type \"%.40s\" (expected string, integer, number, boolean or duration)",
	    name);
	return nearest ? error_hint(err, "did you mean \"%s\"?", nearest) : false;
}

/* What stands at `key` as a value of the parameter, with the place in the error; NULL if nothing
 * does. */
static bool read_value(const struct template_item *item, const char *key,
		       const struct template_parameter *parameter, json_t **value,
		       struct error *err)
{
	const struct yaml_node *node = yaml_get(item->map, key);
	AUTO(json_decref) json_t *seen = node ? yaml_to_json(node) : NULL;
	struct error wrong;

	if (!node || template_parameter_value(parameter, seen, value, &wrong))
		return true;
	return yaml_error(item->document, node, err, "\"%s\": %s", key, wrong.message);
}

static bool read_choices(const struct template_item *item, json_t **choices, struct error *err)
{
	const struct yaml_node *node = yaml_get(item->map, "enum");

	if (!node)
		return true;
	if (node->kind != YAML_LIST || !node->count || node->count > TEMPLATE_ITEMS_MAX)
		return yaml_error(item->document, node, err,
				  "\"enum\" must be a list of 1 to %d texts", TEMPLATE_ITEMS_MAX);
	*choices = json_array();
	for (size_t i = 0; i < node->count; i++) {
		json_t *choice = yaml_to_json(node->items[i]);

		json_array_append_new(*choices, choice);
		if (!json_is_string(choice))
			return yaml_error(item->document, node->items[i], err,
					  "\"enum\" holds texts: write numbers and such in quotes");
	}
	return true;
}

/* A counted repetition such as {2,5} at `at`: the larger count, times what is there already; false
 * if it is none, or too much. */
static bool multiply_count(const char *at, int64_t *product)
{
	char *end;
	long low = strtol(at + 1, &end, 10), high = low;

	if (end == at + 1 || low < 0)
		return false;
	if (*end == ',' && end[1] != '}')
		high = strtol(end + 1, &end, 10);
	else if (*end == ',')
		end++;
	if (*end != '}' || high < low || high > REPETITIONS_MAX)
		return false;
	*product *= high > 0 ? high : 1;
	return *product <= REPETITIONS_MAX;
}

/* The C library writes counted repetitions out before it matches anything, nested ones multiplied,
 * and a reference to an earlier group makes matching exponential: what a server should not be led
 * into. */
static const char *why_too_costly(const char *pattern)
{
	int64_t product = 1;

	if (strlen(pattern) > PATTERN_LENGTH_MAX)
		return "is too long";
	for (const char *at = pattern; *at; at++) {
		if (*at == '{' && !multiply_count(at, &product))
			return "repeats too often with {...}";
		if (*at != '\\')
			continue;
		at++;
		if (!*at || (*at >= '0' && *at <= '9'))
			return "refers to a group, such as \\1";
	}
	return NULL;
}

static bool read_pattern(const struct template_item *item, char **pattern, struct error *err)
{
	const struct yaml_node *node = yaml_get(item->map, "pattern");
	const char *why;
	regex_t regex;

	if (!yaml_copy_string(item->document, item->map, "pattern", NULL, pattern, err))
		return false;
	if (!*pattern)
		return true;
	why = why_too_costly(*pattern);
	if (why)
		return yaml_error(item->document, node, err, "pattern \"%.100s\" %s", *pattern,
				  why);
	if (!pattern_compile(*pattern, &regex))
		return yaml_error(item->document, node, err,
				  "pattern \"%s\" is not a POSIX extended regular expression",
				  *pattern);
	regfree(&regex);
	return true;
}

static bool read_string_rules(const struct template_item *item,
			      struct template_parameter *parameter, struct error *err)
{
	const struct yaml_node *node = yaml_get(item->map, "max_length");

	parameter->length_max = LENGTH_MAX_DEFAULT;
	if (node &&
	    !yaml_read_int64(item->document, item->map, "max_length", &parameter->length_max, err))
		return false;
	if (parameter->length_max < 1 || parameter->length_max > LENGTH_MAX_LARGEST)
		return yaml_error(item->document, node, err, "\"max_length\" must be 1 to %d",
				  LENGTH_MAX_LARGEST);
	return read_choices(item, &parameter->choices, err) &&
	       read_pattern(item, &parameter->pattern, err);
}

static bool read_bounds(const struct template_item *item, struct template_parameter *parameter,
			struct error *err)
{
	json_t *minimum = NULL, *maximum = NULL;
	bool fine = read_value(item, "minimum", parameter, &minimum, err) &&
		    read_value(item, "maximum", parameter, &maximum, err);

	parameter->minimum = minimum;
	parameter->maximum = maximum;
	if (fine && minimum && maximum && compare(parameter->type, minimum, maximum) > 0)
		return yaml_error(item->document, yaml_get(item->map, "minimum"), err,
				  "\"minimum\" is above \"maximum\"");
	return fine;
}

static bool read_rules(const struct template_item *item, struct template_parameter *parameter,
		       struct error *err)
{
	static const char *const common[] = { "type", "default", "description", "variable", NULL };
	static const char *const ordered[] = { "type",    "default", "description", "variable",
					       "minimum", "maximum", NULL };
	static const char *const textual[] = { "type",    "default", "description", "variable",
					       "pattern", "enum",    "max_length",  NULL };

	switch (parameter->type) {
	case PARAMETER_STRING:
		return yaml_only_keys(item->document, item->map, textual, err) &&
		       read_string_rules(item, parameter, err);
	case PARAMETER_BOOLEAN:
		return yaml_only_keys(item->document, item->map, common, err);
	default:
		return yaml_only_keys(item->document, item->map, ordered, err) &&
		       read_bounds(item, parameter, err);
	}
}

bool template_parameter_read(const struct yaml_document *document, const struct yaml_node *name,
			     const struct yaml_node *map, struct template_parameter *parameter,
			     struct error *err)
{
	const struct template_item item = { document, name, map };

	*parameter = (struct template_parameter){ .name = xstrdup(name->text) };
	if (!template_check_key(document, name, "parameter", err) ||
	    !template_check_map(&item, "parameter", err) ||
	    !read_type(&item, &parameter->type, err) || !read_rules(&item, parameter, err) ||
	    !yaml_copy_string(document, map, "description", "", &parameter->description, err) ||
	    !template_read_variable(&item, "", &parameter->variable, err) ||
	    !read_value(&item, "default", parameter, &parameter->default_value, err)) {
		template_parameter_release(parameter);
		return false;
	}
	return true;
}

void template_parameter_release(struct template_parameter *parameter)
{
	free(parameter->name);
	free(parameter->description);
	free(parameter->variable);
	free(parameter->pattern);
	json_decref(parameter->default_value);
	json_decref(parameter->minimum);
	json_decref(parameter->maximum);
	json_decref(parameter->choices);
	*parameter = (struct template_parameter){ 0 };
}
