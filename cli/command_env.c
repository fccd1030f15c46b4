#include "cli/command.h"

#include <string.h>

#include "base/files.h"
#include "cli/env_format.h"
#include "cli/environment_view.h"

struct env_options {
	const char *folder;
	const char *prefix;
};

static const struct env_options defaults = { .prefix = ENV_PREFIX };

// clang-format off
static const struct option rows[] = {
	{ "files", 0, OPTION_TEXT, offsetof(struct env_options, folder), "DIR", NULL, "write values of several lines (certificates) to files there; ENV_<OUTPUT>_FILE names them", NULL },
	{ "prefix", 0, OPTION_TEXT, offsetof(struct env_options, prefix), "PREFIX", NULL, "what the names of the variables begin with, instead of ENV_: BANK_ for two environments in one shell", NULL },
	OPTIONS_END,
};
// clang-format on

static const char *const formats[] = { "shell", "dotenv", "github", "json", NULL };

/* "ENV_CA" → DIR/ca.pem, "BANK_CA" → DIR/bank_ca.pem: two environments may share DIR. The caller
 * frees. */
static char *file_for(const struct env_options *options, const char *folder, const char *variable,
		      const char *value)
{
	bool is_default = text_equal(options->prefix, ENV_PREFIX);
	AUTO(free) char *name = xstrdup(variable + (is_default ? strlen(ENV_PREFIX) : 0));
	const char *ending = text_starts_with(value, "-----BEGIN ") ? "pem" : "txt";

	for (char *at = name; *at; at++)
		*at = (char)(*at >= 'A' && *at <= 'Z' ? *at - 'A' + 'a' : *at);
	return xasprintf("%s/%s.%s", folder, name, ending);
}

/* Move what has several lines out of `variables` into files. */
static bool write_files(const struct env_options *options, json_t *variables, struct error *err)
{
	const char *folder = options->folder;
	AUTO(json_decref) json_t *all = json_copy(variables);
	AUTO(free) char *absolute = NULL;
	const char *variable;
	json_t *value;

	if (!folder_make(folder, 0755, err))
		return false;
	absolute = realpath(folder, NULL);
	json_object_foreach(all, variable, value) {
		const char *text = json_string_value(value);
		AUTO(free)
		char *path = file_for(options, absolute ? absolute : folder, variable, text);
		AUTO(free) char *name = xasprintf("%s_FILE", variable);

		if (!strpbrk(text, "\r\n"))
			continue;
		if (!file_write_atomically(path, text, strlen(text), 0644, err))
			return false;
		json_object_del(variables, variable);
		json_object_set_new(variables, name, json_string(path));
	}
	return true;
}

static bool is_usable(const json_t *environment, struct error *err)
{
	const char *name = json_get_string(environment, "name", "?");

	if (environment_is_in(environment, "ready"))
		return true;
	error_set_as(err, ERR_CONFLICT, "environment_not_ready", "environment \"%s\" is %s", name,
		     json_get_string(environment, "state", "?"));
	return error_hint(err, "envctl wait %s --for ready", name);
}

static bool run(struct cli *cli, const void *values, const struct option_list *arguments,
		struct error *err)
{
	const struct env_options *options = values;
	AUTO(free)
	char *path = api_path("/v1/environments/%s", environment_argument(arguments->items[0]));
	AUTO(json_decref) json_t *environment = NULL, *variables = NULL;
	AUTO(text_release) struct text text = TEXT_EMPTY;
	struct api_client *client;

	if (!env_prefix_check(options->prefix, err) || !cli_client(cli, &client, err) ||
	    !api_get(client, path, &environment, err) || !is_usable(environment, err))
		return false;
	variables = env_variables(environment, options->prefix);
	if ((options->folder && !write_files(options, variables, err)) ||
	    !env_format(cli->format, variables, &text, err))
		return false;
	fputs(text_get(&text), stdout);
	return true;
}

const struct command command_env = {
	.name = "env",
	.synopsis = "NAME",
	.summary = "print an environment's addresses as variables",
	.about = "ENV_NAME, ENV_ID, ENV_URL, ENV_EXPIRES_AT and ENV_<OUTPUT> for every output:\n\n"
		 "  eval \"$(envctl env NAME)\"\n"
		 "  envctl env NAME -o github >> \"$GITHUB_ENV\"\n"
		 "  envctl env NAME -o dotenv --files certificates > env.list\n"
		 "  eval \"$(envctl env OTHER --prefix OTHER_)\"",
	.rows = rows,
	.values_size = sizeof(struct env_options),
	.defaults = &defaults,
	.formats = formats,
	.arguments_min = 1,
	.arguments_max = 1,
	.completes = COMPLETES_ENVIRONMENTS,
	.run = run,
};
