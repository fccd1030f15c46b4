#include "compose/compose_interpolate.h"

#include <ctype.h>
#include <string.h>

#include "base/json_read.h"
#include "base/text.h"

#define NESTING_MAX 8
#define NAME_BYTES_MAX 128

struct interpolation {
	const char *at;
	const json_t *variables;
	json_t *used;
	size_t bytes_max;
	struct text result;
};

static bool expand(struct interpolation *in, int depth, bool is_live, struct error *err);

static bool add(struct interpolation *in, const char *bytes, size_t length, struct error *err)
{
	if (in->result.length + length > in->bytes_max)
		return error_set(err, ERR_LIMIT, "too much text once variables are filled in");
	text_add_bytes(&in->result, bytes, length);
	return true;
}

static size_t name_length(const char *at)
{
	size_t length = 0;

	if (!isalpha((unsigned char)*at) && *at != '_')
		return 0;
	while (isalnum((unsigned char)at[length]) || at[length] == '_')
		length++;
	return length;
}

static bool take_name(struct interpolation *in, char name[NAME_BYTES_MAX + 1], struct error *err)
{
	size_t length = name_length(in->at);

	if (!length) {
		error_set(err, ERR_INVALID, "\"$\" without a variable's name");
		return error_hint(err, "write $$ for a dollar sign");
	}
	if (length > NAME_BYTES_MAX)
		return error_set(err, ERR_INVALID, "a variable's name of more than %d bytes",
				 NAME_BYTES_MAX);
	memcpy(name, in->at, length);
	name[length] = '\0';
	in->at += length;
	json_object_set_new(in->used, name, json_true());
	return true;
}

static bool add_value(struct interpolation *in, const char *name, const char *value, bool is_live,
		      struct error *err)
{
	if (!is_live)
		return true;
	if (value)
		return add(in, value, strlen(value), err);
	error_set(err, ERR_INVALID, "variable \"%s\" is not set and has no default", name);
	return error_hint(err, "write ${%s:-} if it may be nothing", name);
}

/* The message of ${NAME:?message} is what its own expansion left at the end of the result. */
static bool refuse_missing(struct interpolation *in, const char *name, size_t from,
			   struct error *err)
{
	const char *message = text_get(&in->result) + from;
	char shown[200];

	return error_set(err, ERR_INVALID, "variable \"%s\": %s", name,
			 *message ? text_printable(message, shown, sizeof(shown)) : "must be set");
}

/* After ${NAME and the operator: the word up to the closing brace, used or not. */
static bool expand_word(struct interpolation *in, const char *name, char operator,
			const char * value, int depth, bool is_live, struct error *err)
{
	bool word_is_used = operator== '+' ? value != NULL : value == NULL;
	size_t from = in->result.length;

	if (!expand(in, depth + 1, is_live && word_is_used, err))
		return false;
	if (*in->at != '}')
		return error_set(err, ERR_INVALID, "\"${%s\" without \"}\"", name);
	in->at++;
	if (!is_live || operator== '+')
		return true;
	if (operator== '?' && !value)
		return refuse_missing(in, name, from, err);
	return !value || add(in, value, strlen(value), err);
}

static bool expand_braced(struct interpolation *in, int depth, bool is_live, struct error *err)
{
	char name[NAME_BYTES_MAX + 1];
	const char *value;
	bool empty_is_unset;
	char operator;

	if (depth > NESTING_MAX)
		return error_set(err, ERR_INVALID, "variables nested deeper than %d levels",
				 NESTING_MAX);
	if (!take_name(in, name, err))
		return false;
	value = json_get_string(in->variables, name, NULL);
	if (*in->at == '}') {
		in->at++;
		return add_value(in, name, value, is_live, err);
	}
	empty_is_unset = *in->at == ':';
	in->at += empty_is_unset;
	operator= * in->at;
	if (!operator|| !strchr("-?+", operator))
		return error_set(
		    err, ERR_INVALID,
		    "\"${%s\" must go on with \"}\", \":-\", \"-\", \":?\", \"?\", \":+\" or \"+\"",
		    name);
	in->at++;
	if (empty_is_unset && value && !*value)
		value = NULL;
	return expand_word(in, name, operator, value, depth, is_live, err);
}

static bool expand_dollar(struct interpolation *in, int depth, bool is_live, struct error *err)
{
	char name[NAME_BYTES_MAX + 1];

	in->at++;
	if (*in->at == '$') {
		in->at++;
		return !is_live || add(in, "$", 1, err);
	}
	if (*in->at == '{') {
		in->at++;
		return expand_braced(in, depth, is_live, err);
	}
	return take_name(in, name, err) &&
	       add_value(in, name, json_get_string(in->variables, name, NULL), is_live, err);
}

/* Up to the end of the text, or inside braces up to the closing one. */
static bool expand(struct interpolation *in, int depth, bool is_live, struct error *err)
{
	const char *stop = depth ? "$}" : "$";

	for (;;) {
		size_t plain = strcspn(in->at, stop);

		if (is_live && !add(in, in->at, plain, err))
			return false;
		in->at += plain;
		if (*in->at != '$')
			return true;
		if (!expand_dollar(in, depth, is_live, err))
			return false;
	}
}

bool compose_interpolate(const char *text, const json_t *variables, size_t bytes_max, json_t *used,
			 char **result, struct error *err)
{
	struct interpolation in = { text, variables, used, bytes_max, TEXT_EMPTY };

	if (!expand(&in, 0, true, err)) {
		text_release(&in.result);
		return false;
	}
	*result = text_take(&in.result);
	return true;
}
