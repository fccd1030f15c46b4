#include "cli/command.h"

#include "base/files.h"
#include "model/check_plan.h"

static bool lint(const char *path, struct error *err)
{
	AUTO(check_plan_free) struct check_plan *plan = NULL;
	AUTO(free) char *bytes = NULL;
	size_t length;

	if (!file_read(path, CHECK_PLAN_BYTES_MAX, &bytes, &length, err) ||
	    !check_plan_parse(bytes, length, path, &plan, err))
		return false;
	printf("%s: plan \"%s\" is well: %zu smoke and %zu load checks in %zu stages\n", path,
	       plan->name, plan->smoke_count, plan->load_count, plan->stage_count);
	return true;
}

static bool run(struct cli *cli, const void *values, const struct option_list *arguments,
		struct error *err)
{
	(void)cli;
	(void)values;
	for (size_t i = 0; i < arguments->count; i++)
		if (!lint(arguments->items[i], err))
			return false;
	return true;
}

const struct command command_check_lint = {
	.name = "check lint",
	.synopsis = "FILE...",
	.summary = "look for mistakes in a check plan, without a server",
	.about =
	    "Everything that can be wrong with a plan before it runs: unknown keys, expectations,\n"
	    "expressions, stages, captures. The first mistake is printed with its place.\n\n"
	    "An environment that is called lint is checked by `envctl check env/lint`.",
	.arguments_min = 1,
	.arguments_max = ARGUMENTS_ANY,
	.run = run,
};
