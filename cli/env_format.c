#include "cli/env_format.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/ids.h"

enum { PREFIX_LENGTH_MAX = 64 };

/* What programs look for by themselves: LD_ and an output "preload" would be a library in each. */
static const char *const taken[] = { "LD_",   "DYLD_",  "BASH_",   "PROMPT_", "GIT_",    "NODE_",
				     "PERL_", "PYTHON", "GITHUB_", "RUNNER_", "ENVCTL_", "ENVD_" };

bool env_prefix_check(const char *prefix, struct error *err)
{
	char shown[PREFIX_LENGTH_MAX + 1];
	size_t length = strlen(prefix);

	text_printable(prefix, shown, sizeof(shown));
	if (length > PREFIX_LENGTH_MAX || isdigit((unsigned char)*prefix) ||
	    !text_ends_with(prefix, "_") ||
	    prefix[strspn(prefix, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "0123456789_")])
		return error_set_as(err, ERR_INVALID, "option_value",
				    "--prefix \"%s\" must be letters, digits and \"_\", begin with "
				    "no digit, end with \"_\" and have at most %d characters",
				    shown, PREFIX_LENGTH_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
		if (strncasecmp(prefix, taken[i], strlen(taken[i])) == 0)
			return error_set_as(err, ERR_INVALID, "option_value",
					    "--prefix \"%s\" makes variables that programs obey: "
					    "choose one of your own",
					    shown);
	return true;
}

static char *variable_name(const char *prefix, const char *output)
{
	struct text name = TEXT_EMPTY;

	text_add(&name, prefix);
	for (; *output; output++)
		text_add_char(&name, (char)(isalnum((unsigned char)*output)
						? toupper((unsigned char)*output)
						: '_'));
	return text_take(&name);
}

json_t *env_variables(const json_t *environment, const char *prefix)
{
	static const char *const fields[] = { "name", "id", "expires_at" };
	json_t *variables = json_object();
	const char *output;
	json_t *value;

	json_object_foreach(json_object_get(environment, "outputs"), output, value) {
		AUTO(free) char *name = variable_name(prefix, output);
		AUTO(free) char *other = NULL;

		if (!json_is_string(value))
			other = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
		json_object_set_new(variables, name,
				    json_string(other ? other : json_string_value(value)));
	}
	/* Last: an output called "name" is not the environment's name. */
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		AUTO(free) char *name = variable_name(prefix, fields[i]);

		json_object_set_new(variables, name,
				    json_string(json_get_string(environment, fields[i], "")));
	}
	return variables;
}

/* Nothing inside single quotes means anything to a shell but the quote itself. */
static bool add_shell(const char *name, const char *value, struct text *into, struct error *err)
{
	(void)err;
	text_format(into, "export %s='", name);
	for (; *value; value++) {
		if (*value == '\'')
			text_add(into, "'\\''");
		else
			text_add_char(into, *value);
	}
	text_add(into, "'\n");
	return true;
}

static bool add_dotenv(const char *name, const char *value, struct text *into, struct error *err)
{
	if (strpbrk(value, "\r\n")) {
		error_set_as(err, ERR_INVALID, "variable_not_writable",
			     "%s has several lines, which dotenv cannot hold", name);
		return error_hint(err, "--files DIR writes such values to files and names those");
	}
	text_format(into, "%s=%s\n", name, value);
	return true;
}

/* A delimiter that is in the value would let the value set variables of its own. */
static bool add_github(const char *name, const char *value, struct text *into, struct error *err)
{
	char delimiter[33];

	(void)err;
	if (!strpbrk(value, "\r\n")) {
		text_format(into, "%s=%s\n", name, value);
		return true;
	}
	do {
		random_hex(delimiter, sizeof(delimiter) - 1);
	} while (strstr(value, delimiter));
	text_format(into, "%s<<%s\n%s%s%s\n", name, delimiter, value,
		    text_ends_with(value, "\n") ? "" : "\n", delimiter);
	return true;
}

static const struct {
	const char *format;
	bool (*add)(const char *name, const char *value, struct text *into, struct error *err);
} notations[] = {
	{ "shell", add_shell },
	{ "dotenv", add_dotenv },
	{ "github", add_github },
};

static bool add_all(size_t notation, const json_t *variables, struct text *into, struct error *err)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)variables, name, value) {

		if (!notations[notation].add(name, json_string_value(value), into, err))
			return false;
	}
	return true;
}

bool env_format(const char *format, const json_t *variables, struct text *into, struct error *err)
{
	AUTO(free) char *json = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(notations); i++)
		if (text_equal(notations[i].format, format))
			return add_all(i, variables, into, err);
	json = json_dumps(variables, JSON_INDENT(2));
	text_format(into, "%s\n", json);
	return true;
}
