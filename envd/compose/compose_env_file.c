#include "compose/compose_env_file.h"

#include <ctype.h>
#include <string.h>

#include "base/json_read.h"
#include "base/text.h"
#include "compose/compose_interpolate.h"

#define VALUE_BYTES_MAX ((size_t)256 * 1024)
#define PAIRS_MAX 1000

struct env_reader {
	const struct compose_env_source *source;
	json_t *pairs;
	const char *at;
	int line;
};

static bool wrong(const struct env_reader *reader, struct error *err, const char *what,
		  const char *text)
{
	char shown[80];

	return error_set_as(err, ERR_INVALID, "compose_invalid", "%s:%d: %s%s%s",
			    reader->source->path, reader->line, what, *text ? ": " : "",
			    text_printable(text, shown, sizeof(shown)));
}

/* Values of the file stand behind those of the template. */
static bool interpolate(const struct env_reader *reader, const char *text, char **value,
			struct error *err)
{
	AUTO(json_decref) json_t *variables = json_copy(reader->pairs);
	struct error told;

	if (reader->source->variables)
		json_object_update(variables, (json_t *)(uintptr_t)reader->source->variables);
	return compose_interpolate(text, variables, VALUE_BYTES_MAX, reader->source->used, value,
				   &told) ||
	       wrong(reader, err, told.message, "");
}

static char escaped(char c)
{
	return c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
}

/* What stands between the quotes; `at` is on the opening one and goes behind the closing one. A
 * dollar sign that was escaped is doubled, for what comes after. */
static bool take_quoted(struct env_reader *reader, struct text *value, struct error *err)
{
	char quote = *reader->at++;

	for (; *reader->at && *reader->at != quote; reader->at++) {
		if (*reader->at == '\n')
			reader->line++;
		if (quote == '"' && *reader->at == '\\' && reader->at[1]) {
			reader->at++;
			text_add(value, *reader->at == '$' ? "$" : "");
			text_add_char(value, escaped(*reader->at));
		} else {
			text_add_char(value, *reader->at);
		}
	}
	if (!*reader->at)
		return wrong(reader, err, "a quote is not closed", "");
	reader->at++;
	return true;
}

static char *trimmed(const char *from, size_t length)
{
	while (length && isspace((unsigned char)from[length - 1]))
		length--;
	return xstrndup(from, length);
}

/* Up to the line's end or a comment behind a blank. */
static char *take_plain(struct env_reader *reader)
{
	const char *from = reader->at;
	size_t length = 0;

	while (from[length] && from[length] != '\n' &&
	       !(from[length] == '#' && (length == 0 || isblank((unsigned char)from[length - 1]))))
		length++;
	reader->at += length;
	return trimmed(from, length);
}

static bool read_value(struct env_reader *reader, char **value, struct error *err)
{
	AUTO(text_release) struct text quoted = TEXT_EMPTY;
	AUTO(free) char *plain = NULL;
	size_t rest;
	char quote;

	if (reader->source->is_raw) {
		size_t length = strcspn(reader->at, "\r\n");

		*value = xstrndup(reader->at, length);
		reader->at += length;
		return true;
	}
	reader->at += strspn(reader->at, " \t");
	quote = *reader->at;
	if (quote != '"' && quote != '\'') {
		plain = take_plain(reader);
		return interpolate(reader, plain, value, err);
	}
	if (!take_quoted(reader, &quoted, err))
		return false;
	rest = strspn(reader->at, " \t\r");
	if (reader->at[rest] && !strchr("\n#", reader->at[rest]))
		return wrong(reader, err, "something follows the closing quote", "");
	if (quote == '"')
		return interpolate(reader, text_get(&quoted), value, err);
	*value = text_take(&quoted);
	return true;
}

static bool take_name(struct env_reader *reader, char **name, struct error *err)
{
	const char *from;

	if (text_starts_with(reader->at, "export ") && !reader->source->is_raw)
		reader->at += strlen("export ");
	reader->at += strspn(reader->at, " \t");
	from = reader->at;
	reader->at += strcspn(reader->at, "=\n#");
	*name = trimmed(from, (size_t)(reader->at - from));
	if (**name && !(*name)[strcspn(*name, " \t'\"$")])
		return true;
	wrong(reader, err, "this is no NAME=value", *name);
	free(TAKE(*name));
	return false;
}

static bool read_pair(struct env_reader *reader, struct error *err)
{
	AUTO(free) char *name = NULL;
	AUTO(free) char *value = NULL;

	if (!take_name(reader, &name, err))
		return false;
	if (*reader->at == '=') {
		reader->at++;
		if (!read_value(reader, &value, err))
			return false;
	} else {
		const char *given = json_get_string(reader->source->variables, name, NULL);

		json_object_set_new(reader->source->used, name, json_true());
		value = given ? xstrdup(given) : NULL;
	}
	if (json_object_size(reader->pairs) >= PAIRS_MAX)
		return wrong(reader, err, "too many variables", "");
	if (value && json_object_set_new(reader->pairs, name, json_string(value)) != 0)
		return wrong(reader, err, "this is not UTF-8", name);
	return true;
}

bool compose_env_parse(const struct compose_env_source *source, json_t *pairs, struct error *err)
{
	struct env_reader reader = { source, pairs, source->bytes, 1 };

	/* Some editors put a byte order mark in front. */
	if (text_starts_with(reader.at, "\xef\xbb\xbf"))
		reader.at += 3;
	while (*reader.at) {
		reader.at += strspn(reader.at, " \t\r");
		if (*reader.at && !strchr("#\n", *reader.at) && !read_pair(&reader, err))
			return false;
		reader.at += strcspn(reader.at, "\n");
		if (*reader.at) {
			reader.at++;
			reader.line++;
		}
	}
	return true;
}
