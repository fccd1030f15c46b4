#include "cli/command.h"

#include "cli/completion.h"

static bool run(struct cli *cli, const void *values, const struct option_list *arguments,
		struct error *err)
{
	const char *shell = arguments->items[0];

	(void)cli;
	(void)values;
	for (size_t i = 0; completion_shells[i]; i++) {
		if (text_equal(completion_shells[i], shell)) {
			fputs(completion_script(shell), stdout);
			return true;
		}
	}

	AUTO(free) char *known = text_join(completion_shells, ", ");

	return error_set_as(err, ERR_INVALID, "argument_unexpected",
			    "there is no completion for \"%s\" (there is for %s)", shell, known);
}

const struct command command_completion = {
	.name = "completion",
	.synopsis = "bash|zsh|fish",
	.summary = "print what makes a shell complete envctl's lines",
	.about = "  source <(envctl completion bash)\n"
		 "  envctl completion zsh > ~/.zfunc/_envctl\n"
		 "  envctl completion fish > ~/.config/fish/completions/envctl.fish\n\n"
		 "Names of environments, templates and contexts are completed too, as long as the "
		 "server answers\n"
		 "at once.",
	.arguments_min = 1,
	.arguments_max = 1,
	.completes = COMPLETES_SHELLS,
	.run = run,
};

/* What the scripts call; not in the help. */
static bool run_complete(struct cli *cli, const void *values, const struct option_list *arguments,
			 struct error *err)
{
	AUTO(text_release) struct text text = TEXT_EMPTY;

	(void)values;
	(void)err;
	completion_list(cli, arguments->items, arguments->count, &text);
	fputs(text_get(&text), stdout);
	return true;
}

const struct command command_complete = {
	.name = "__complete",
	.synopsis = "-- WORD...",
	.about = "",
	.arguments_max = ARGUMENTS_ANY,
	.run = run_complete,
};
