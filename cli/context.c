#include "cli/context.h"

#include <string.h>

#include "cli/config.h"

static enum option_origin origin_of(const struct cli *cli, const char *name)
{
	const char *where;

	return option_origin(&cli->origins, common_option(name), &where);
}

bool context_in_use(struct cli *cli, const char **name, const char **why, struct error *err)
{
	enum option_origin server = origin_of(cli, "server");
	enum option_origin context = origin_of(cli, "context");

	*name = cli->options.context;
	*why = context == OPTION_BY_LINE ? "--context" : "$ENVCTL_CONTEXT";
	if (server == OPTION_BY_LINE && context == OPTION_BY_LINE)
		return error_set_as(err, ERR_INVALID, "option_value",
				    "--server and --context both say which server is meant");
	if (context == OPTION_BY_LINE)
		return true;
	if (server == OPTION_BY_LINE || server == OPTION_BY_VARIABLE) {
		*name = NULL;
		*why = server == OPTION_BY_LINE ? "--server" : "$ENVCTL_SERVER";
		return true;
	}
	if (context == OPTION_BY_VARIABLE)
		return true;
	if (!config_chosen_context(cli->config, name, why, err))
		return false;
	if (!*name)
		*why = NULL;
	return true;
}

/* What the token is for is known here alone, so one of the variables does not go there. */
static void use_token(const json_t *context)
{
	const char *token = json_get_string(context, "token", NULL);
	const char *file = json_get_string(context, "token_file", NULL);

	if (!token && !file)
		return;
	unsetenv("ENVCTL_TOKEN");
	unsetenv("ENVCTL_TOKEN_FILE");
	if (token)
		setenv("ENVCTL_TOKEN", token, 1);
	else
		setenv("ENVCTL_TOKEN_FILE", file, 1);
}

static void use(struct cli *cli, const json_t *context)
{
	const char *key;
	json_t *value;

	use_token(context);
	json_object_foreach((json_t *)(uintptr_t)context, key, value) {
		const struct option *row = common_option(key);

		/* The server is the context's; the rest may be said otherwise. */
		if (row && (text_equal(key, "server") || origin_of(cli, key) != OPTION_BY_LINE))
			*(const char **)((char *)&cli->options + row->offset) =
			    json_string_value(value);
	}
}

bool context_apply(struct cli *cli, struct error *err)
{
	const char *name, *why, *where;
	const json_t *context;

	if (!context_in_use(cli, &name, &why, err))
		return false;
	if (!name)
		return true;
	if (!config_context(cli->config, name, &context, &where, err)) {
		/* A name from a file that nobody looked into for months puzzles. */
		text_format(&cli->cause, "%s names it", why);
		return false;
	}
	use(cli, context);
	return true;
}
