#include "cli/output_document.h"

#include <ctype.h>
#include <string.h>

#include "cli/jsonpath.h"

/* Strings that YAML would read as something else, or whose first byte means something to it. */
static bool needs_quotes(const char *text)
{
	static const char *const words[] = { "true", "false", "null", "yes", "no",
					     "on",   "off",   "~",    "y",   "n" };

	if (!*text || strchr("!&*-?|>@%`\"'#,[]{}: .+", *text) || isdigit((unsigned char)*text))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcasecmp(text, words[i]) == 0)
			return true;
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || (unsigned char)*text > 0x7E ||
		    strchr(":#\"\\", *text) || (*text == ' ' && !text[1]))
			return true;
	return false;
}

static void add_scalar(const json_t *value, struct text *into)
{
	AUTO(free) char *text = NULL;

	if (json_is_string(value) && !needs_quotes(json_string_value(value))) {
		text_add(into, json_string_value(value));
		return;
	}
	/* JSON's scalars are YAML's too. */
	text = json_dumps(value, JSON_ENCODE_ANY);
	text_add(into, text ? text : "null");
}

static bool is_block(const json_t *value)
{
	return (json_is_object(value) && json_object_size(value)) ||
	       (json_is_array(value) && json_array_size(value));
}

static void add_value(const json_t *value, int indent, struct text *into);

static void add_line_start(int indent, struct text *into)
{
	if (into->length && into->bytes[into->length - 1] == '\n')
		text_format(into, "%*s", indent, "");
}

static void add_object(const json_t *object, int indent, struct text *into)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)object, key, value) {
		AUTO(json_decref) json_t *name = json_string(key);

		add_line_start(indent, into);
		add_scalar(name, into);
		text_add(into, is_block(value) ? ":\n" : ": ");
		add_value(value, indent + 2, into);
	}
}

static void add_array(const json_t *array, int indent, struct text *into)
{
	size_t i;
	json_t *value;

	json_array_foreach(array, i, value) {
		add_line_start(indent, into);
		text_add(into, "- ");
		/* A map's first key stands behind the dash. */
		if (json_is_array(value) && is_block(value))
			text_add(into, "\n");
		add_value(value, indent + 2, into);
	}
}

static void add_value(const json_t *value, int indent, struct text *into)
{
	if (json_is_object(value) && is_block(value))
		add_object(value, indent, into);
	else if (json_is_array(value) && is_block(value))
		add_array(value, indent, into);
	else {
		add_scalar(value, into);
		text_add_char(into, '\n');
	}
}

void output_yaml(const json_t *document, struct text *into)
{
	text_add(into, "---\n");
	add_value(document, 0, into);
}

bool output_document(const struct cli *cli, const json_t *document)
{
	if (cli_prints(cli, "json")) {
		AUTO(free) char *text = json_dumps(document, JSON_INDENT(2) | JSON_ENCODE_ANY);

		printf("%s\n", text);
		return true;
	}
	if (cli_prints(cli, "yaml")) {
		AUTO(text_release) struct text yaml = TEXT_EMPTY;

		output_yaml(document, &yaml);
		fputs(text_get(&yaml), stdout);
		return true;
	}
	if (cli_prints(cli, "jsonpath")) {
		AUTO(text_release) struct text text = TEXT_EMPTY;
		/* It was read before: see choose_format(). */
		struct error ignored = { .code = ERR_NONE };

		if (jsonpath_print(cli->jsonpath, document, &text, &ignored))
			puts(text_get(&text));
		return true;
	}
	return false;
}

json_t *output_list(const char *kind, json_t *items)
{
	return json_pack("{s:s, s:s, s:O}", "apiVersion", "envd/v1", "kind", kind, "items", items);
}
