#include "cli/command.h"

#include "cli/exit_status.h"
#include "cli/manual.h"

struct help_options {
	bool is_markdown;
	const char *man_folder;
};

// clang-format off
static const struct option rows[] = {
	{ "markdown", 0, OPTION_FLAG, offsetof(struct help_options, is_markdown), NULL, NULL, NULL, NULL },
	{ "man", 0, OPTION_TEXT, offsetof(struct help_options, man_folder), "DIR", NULL, "write the manual pages there: envctl.1 and one for each command", NULL },
	OPTIONS_END,
};
// clang-format on

static bool run(struct cli *cli, const void *values, const struct option_list *arguments,
		struct error *err)
{
	const struct help_options *options = values;
	AUTO(text_release) struct text name = TEXT_EMPTY;
	AUTO(text_release) struct text help = TEXT_EMPTY;

	if (options->man_folder)
		return manual_write(options->man_folder, err);
	for (size_t i = 0; i < arguments->count; i++)
		text_format(&name, "%s%s", i ? " " : "", arguments->items[i]);
	if (!arguments->count)
		commands_help(cli, &help);
	else if (text_equal(text_get(&name), "exit-codes"))
		(options->is_markdown ? exit_status_markdown : exit_status_list)(&help);
	else if (!command_help(cli, text_get(&name), &help, err))
		return false;
	fputs(text_get(&help), stdout);
	return true;
}

const struct command command_help_row = {
	.name = "help",
	.synopsis = "[COMMAND | exit-codes]",
	.summary = "print what a command does, or what exit statuses mean",
	.about = "",
	.rows = rows,
	.values_size = sizeof(struct help_options),
	.arguments_max = 2,
	.completes = COMPLETES_COMMANDS,
	.run = run,
};
