#include "base/json_read.h"

#include <string.h>

#include "base/duration.h"
#include "base/files.h"
#include "base/text.h"

/* jansson's own depth limit is 2048; ours is checked on the bytes, before anything is built. */
static bool is_too_deep(const char *bytes, size_t length)
{
	int depth = 0;
	bool in_string = false;

	for (size_t i = 0; i < length; i++) {
		char c = bytes[i];

		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			if (++depth > JSON_DEPTH_MAX)
				return true;
		} else if (c == '}' || c == ']') {
			depth--;
		}
	}
	return false;
}

bool json_parse(const char *bytes, size_t length, const char *what, json_t **json,
		struct error *err)
{
	char shown[JSON_ERROR_TEXT_LENGTH + 1];
	json_error_t problem;
	json_t *parsed;

	if (is_too_deep(bytes, length))
		return error_set_as(err, ERR_INVALID, "json_too_deep",
				    "%s is nested deeper than %d levels", what, JSON_DEPTH_MAX);
	parsed = json_loadb(bytes, length, JSON_REJECT_DUPLICATES, &problem);
	if (!parsed)
		return error_set_as(err, ERR_INVALID, "json_malformed",
				    "%s is not valid JSON: line %d, column %d: %s", what,
				    problem.line, problem.column,
				    text_printable(problem.text, shown, sizeof(shown)));
	*json = parsed;
	return true;
}

bool json_read_file(const char *path, size_t bytes_max, json_t **json, struct error *err)
{
	AUTO(free) char *bytes = NULL;
	size_t length;

	return file_read(path, bytes_max, &bytes, &length, err) &&
	       json_parse(bytes, length, path, json, err);
}

bool json_only_keys(const json_t *object, const char *const *known, struct error *err)
{
	const char *key;
	json_t *value;

	json_object_foreach_const(object, key, value) {
		char shown[64];

		if (text_is_among(key, known))
			continue;
		error_set_as(err, ERR_INVALID, "unknown_field", "unknown field \"%s\"",
			     text_printable(key, shown, sizeof(shown)));
		return error_hint_known(err, key, known);
	}
	return true;
}

static const char *type_name(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "an array";
	case JSON_STRING:
		return "a string";
	case JSON_INTEGER:
	case JSON_REAL:
		return "a number";
	case JSON_TRUE:
	case JSON_FALSE:
		return "true or false";
	default:
		return "null";
	}
}

static bool get(const json_t *object, const char *key, bool (*is_wanted)(const json_t *),
		const char *wanted, const json_t **value, struct error *err)
{
	const json_t *found = json_object_get(object, key);

	if (!found)
		return error_set(err, ERR_INVALID, "field \"%s\" is missing (expected %s)", key,
				 wanted);
	if (!is_wanted(found))
		return error_set(err, ERR_INVALID, "field \"%s\" must be %s (got %s)", key, wanted,
				 type_name(found));
	*value = found;
	return true;
}

static bool is_string(const json_t *value)
{
	return json_is_string(value);
}

static bool is_integer(const json_t *value)
{
	return json_is_integer(value);
}

static bool is_boolean(const json_t *value)
{
	return json_is_boolean(value);
}

static bool is_object(const json_t *value)
{
	return json_is_object(value);
}

static bool is_array(const json_t *value)
{
	return json_is_array(value);
}

bool json_read_string(const json_t *object, const char *key, const char **value, struct error *err)
{
	const json_t *found;

	if (!get(object, key, is_string, "a string", &found, err))
		return false;
	if (strlen(json_string_value(found)) != json_string_length(found))
		return error_set(err, ERR_INVALID, "field \"%s\" contains a NUL character", key);
	*value = json_string_value(found);
	return true;
}

bool json_read_int64(const json_t *object, const char *key, int64_t *value, struct error *err)
{
	const json_t *found;

	if (!get(object, key, is_integer, "a whole number", &found, err))
		return false;
	*value = json_integer_value(found);
	return true;
}

bool json_read_bool(const json_t *object, const char *key, bool *value, struct error *err)
{
	const json_t *found;

	if (!get(object, key, is_boolean, "true or false", &found, err))
		return false;
	*value = json_is_true(found);
	return true;
}

bool json_read_object(const json_t *object, const char *key, const json_t **value,
		      struct error *err)
{
	return get(object, key, is_object, "an object", value, err);
}

bool json_read_array(const json_t *object, const char *key, const json_t **value, struct error *err)
{
	return get(object, key, is_array, "an array", value, err);
}

bool json_read_duration_ms(const json_t *object, const char *key, int64_t *ms, struct error *err)
{
	const char *text;
	char what[64];

	if (!json_read_string(object, key, &text, err))
		return false;
	snprintf(what, sizeof(what), "field \"%s\":", key);
	return duration_parse(text, what, ms, err);
}

bool json_has(const json_t *object, const char *key)
{
	const json_t *found = json_object_get(object, key);

	return found && !json_is_null(found);
}

const char *json_get_string(const json_t *object, const char *key, const char *otherwise)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : otherwise;
}

int64_t json_get_int64(const json_t *object, const char *key, int64_t otherwise)
{
	const json_t *value = json_object_get(object, key);

	return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

double json_get_number(const json_t *object, const char *key, double otherwise)
{
	const json_t *value = json_object_get(object, key);

	return json_is_number(value) ? json_number_value(value) : otherwise;
}

bool json_get_bool(const json_t *object, const char *key, bool otherwise)
{
	const json_t *value = json_object_get(object, key);

	return json_is_boolean(value) ? json_is_true(value) : otherwise;
}

char *json_to_text(const json_t *json)
{
	/* 15 digits show every decimal as it was written: 0.12, not 0.11999999999999999. */
	char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));

	return text ? text : xstrdup("null");
}
