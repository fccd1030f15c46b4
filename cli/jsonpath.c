#include "cli/jsonpath.h"

#include <ctype.h>
#include <string.h>

#include "base/json_read.h"

enum { NAME_MAX_BYTES = 256 };

struct reading {
	const char *expression;
	const char *at;
	struct error *err;
};

static bool refuse(struct reading *reading, const char *expected)
{
	return error_set_as(reading->err, ERR_INVALID, "jsonpath_invalid",
			    "jsonpath \"%s\", position %zu: expected %s", reading->expression,
			    (size_t)(reading->at - reading->expression) + 1, expected);
}

static bool take(struct reading *reading, const char *words)
{
	if (strncmp(reading->at, words, strlen(words)) != 0)
		return false;
	reading->at += strlen(words);
	return true;
}

/* ---- words ---- */

static bool read_name(struct reading *reading, char name[NAME_MAX_BYTES])
{
	size_t length = 0;

	while (isalnum((unsigned char)reading->at[length]) || reading->at[length] == '_' ||
	       reading->at[length] == '-')
		length++;
	if (!length || length >= NAME_MAX_BYTES)
		return refuse(reading, "a name");
	memcpy(name, reading->at, length);
	name[length] = '\0';
	reading->at += length;
	return true;
}

/* 'text' or "text", the quote by a backslash. */
static bool read_quoted(struct reading *reading, char text[NAME_MAX_BYTES])
{
	char quote = *reading->at;
	size_t length = 0;

	if (quote != '\'' && quote != '"')
		return refuse(reading, "a quoted text");
	for (reading->at++; *reading->at && *reading->at != quote; reading->at++) {
		char byte = *reading->at;

		if (byte == '\\' && reading->at[1]) {
			byte = *++reading->at;
			byte = (char)(byte == 'n' ? '\n' : byte == 't' ? '\t' : byte);
		}
		if (length + 1 >= NAME_MAX_BYTES)
			return refuse(reading, "a shorter text");
		text[length++] = byte;
	}
	text[length] = '\0';
	return *reading->at == quote ? (reading->at++, true) : refuse(reading, "a closing quote");
}

/* ---- steps: each makes new values of the old ones ---- */

static void step_to_key(json_t **values, const char *name)
{
	json_t *next = json_array(), *value;
	size_t i;

	json_array_foreach(*values, i, value) {
		if (json_object_get(value, name))
			json_array_append(next, json_object_get(value, name));
	}
	json_decref(*values);
	*values = next;
}

static void step_to_all(json_t **values)
{
	json_t *next = json_array(), *value, *member;
	const char *key;
	size_t i;

	json_array_foreach(*values, i, value) {
		if (json_is_array(value))
			json_array_extend(next, value);
		json_object_foreach(value, key, member) {
			json_array_append(next, member);
		}
	}
	json_decref(*values);
	*values = next;
}

static void step_to_index(json_t **values, long index)
{
	json_t *next = json_array(), *value;
	size_t i;

	json_array_foreach(*values, i, value) {
		size_t size = json_array_size(value);
		size_t wanted = index < 0 ? size - (size_t)-index : (size_t)index;

		if (wanted < size)
			json_array_append(next, json_array_get(value, wanted));
	}
	json_decref(*values);
	*values = next;
}

/* Keep the members of arrays whose `path` holds (or, with `is_other`, does not hold) `wanted`. */
static void step_to_matching(json_t **values, const char *const *path, size_t steps,
			     const json_t *wanted, bool is_other)
{
	json_t *next = json_array(), *member;
	size_t i;

	step_to_all(values);
	json_array_foreach(*values, i, member) {
		const json_t *found = member;

		for (size_t s = 0; s < steps; s++)
			found = json_object_get(found, path[s]);
		if ((found && json_equal(found, wanted)) != is_other)
			json_array_append(next, member);
	}
	json_decref(*values);
	*values = next;
}

/* ---- reading steps ---- */

static bool read_value(struct reading *reading, json_t **value)
{
	char text[NAME_MAX_BYTES];
	char *end;

	if (take(reading, "true") || take(reading, "false")) {
		*value = json_boolean(reading->at[-1] == 'e' && reading->at[-2] == 'u');
		return true;
	}
	if (isdigit((unsigned char)*reading->at) || *reading->at == '-') {
		double number = strtod(reading->at, &end);

		reading->at = end;
		*value = number == (double)(json_int_t)number ? json_integer((json_int_t)number)
							      : json_real(number);
		return true;
	}
	if (!read_quoted(reading, text))
		return false;
	*value = json_string(text);
	return true;
}

enum { FILTER_STEPS_MAX = 8 };

/* Behind "[?(": @.a.b == "value")] */
static bool read_filter(struct reading *reading, json_t **values)
{
	char names[FILTER_STEPS_MAX][NAME_MAX_BYTES];
	const char *path[FILTER_STEPS_MAX];
	AUTO(json_decref) json_t *wanted = NULL;
	size_t steps = 0;
	bool is_other;

	if (!take(reading, "@"))
		return refuse(reading, "\"@\"");
	while (take(reading, ".")) {
		if (steps == FILTER_STEPS_MAX)
			return refuse(reading, "fewer steps");
		if (!read_name(reading, names[steps]))
			return false;
		path[steps] = names[steps];
		steps++;
	}
	while (take(reading, " "))
		;
	is_other = take(reading, "!=");
	if (!steps || (!is_other && !take(reading, "==")))
		return refuse(reading, steps ? "\"==\" or \"!=\"" : "\".\" and a name");
	while (take(reading, " "))
		;
	if (!read_value(reading, &wanted))
		return false;
	if (!take(reading, ")]"))
		return refuse(reading, "\")]\"");
	step_to_matching(values, path, steps, wanted, is_other);
	return true;
}

static bool read_brackets(struct reading *reading, json_t **values)
{
	char name[NAME_MAX_BYTES];
	char *end;

	if (take(reading, "?("))
		return read_filter(reading, values);
	if (take(reading, "*")) {
		step_to_all(values);
	} else if (isdigit((unsigned char)*reading->at) || *reading->at == '-') {
		long index = strtol(reading->at, &end, 10);

		if (end == reading->at)
			return refuse(reading, "a number");
		reading->at = end;
		step_to_index(values, index);
	} else if (*reading->at == '\'' || *reading->at == '"') {
		if (!read_quoted(reading, name))
			return false;
		step_to_key(values, name);
	} else {
		return refuse(reading, "a number, *, a quoted name or ?(@.name==\"value\")");
	}
	return take(reading, "]") || refuse(reading, "\"]\"");
}

/* `end`: what ends the path. */
static bool read_path(struct reading *reading, char end, json_t **values)
{
	char name[NAME_MAX_BYTES];

	/* The document itself; everything begins there anyway. */
	(void)take(reading, "$");
	while (*reading->at && *reading->at != end) {
		if (take(reading, "[")) {
			if (!read_brackets(reading, values))
				return false;
		} else if (take(reading, ".")) {
			if (take(reading, "*"))
				step_to_all(values);
			else if (*reading->at == end)
				return true;
			else if (!read_name(reading, name))
				return false;
			else
				step_to_key(values, name);
		} else {
			return refuse(reading, "\".\" or \"[\"");
		}
	}
	return true;
}

/* ---- printing ---- */

static void add_values(const json_t *values, struct text *into)
{
	size_t i;
	json_t *value;

	json_array_foreach(values, i, value) {
		AUTO(free) char *other = NULL;

		if (!json_is_string(value))
			other = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
		text_format(into, "%s%s", i ? " " : "", other ? other : json_string_value(value));
	}
}

static bool print_path(struct reading *reading, const json_t *document, char end, struct text *into)
{
	json_t *values = json_array();
	bool was_read;

	if (document)
		json_array_append(values, (json_t *)(uintptr_t)document);
	was_read = read_path(reading, end, &values);
	if (was_read)
		add_values(values, into);
	json_decref(values);
	return was_read;
}

static bool print_braces(struct reading *reading, const json_t *document, struct text *into)
{
	char text[NAME_MAX_BYTES];

	if (*reading->at == '"' || *reading->at == '\'') {
		if (!read_quoted(reading, text))
			return false;
		text_add(into, text);
	} else if (!print_path(reading, document, '}', into)) {
		return false;
	}
	return take(reading, "}") || refuse(reading, "\"}\"");
}

bool jsonpath_print(const char *expression, const json_t *document, struct text *into,
		    struct error *err)
{
	struct reading reading = { expression, expression, err };

	if (!*expression)
		return refuse(&reading, "a path");
	if (!strchr(expression, '{'))
		return print_path(&reading, document, '\0', into);
	while (*reading.at) {
		if (take(&reading, "{")) {
			if (!print_braces(&reading, document, into))
				return false;
		} else {
			text_add_char(into, *reading.at++);
		}
	}
	return true;
}
