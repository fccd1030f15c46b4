#include "cli/command.h"

#include <string.h>

#include "base/duration.h"
#include "cli/environment_view.h"
#include "cli/follow.h"
#include "cli/output_document.h"

struct wait_options {
	const char *condition;
	int64_t timeout_ms;
	const char *progress;
};

static const struct wait_options defaults = { .condition = "ready", .progress = "auto" };

// clang-format off
static const struct option rows[] = {
	{ "for",      'f', OPTION_TEXT,     offsetof(struct wait_options, condition),  "CONDITION", NULL,              "ready (default), destroyed, checked or state=STATE", NULL },
	{ "timeout",  0,   OPTION_DURATION, offsetof(struct wait_options, timeout_ms), "DURATION",  "ENVCTL_TIMEOUT",  "how long to wait, for all together; for ever without it", NULL },
	{ "progress", 0,   OPTION_CHOICE,   offsetof(struct wait_options, progress),   "MODE",      "ENVCTL_PROGRESS", "what to show meanwhile", progress_modes },
	OPTIONS_END,
};
// clang-format on

static const char *const formats[] = { "table", "json", "yaml", "name", NULL };

struct condition {
	const char *name;  /* as written */
	const char *state; /* NULL: a verdict of the checks */
};

static bool parse_condition(const char *text, struct condition *condition, struct error *err)
{
	static const char *const known[] = { "ready", "destroyed", "checked", NULL };
	static const char *const states[] = { "queued", "provisioning", "checking",  "ready",
					      "failed", "destroying",   "destroyed", NULL };
	const char *state = text_starts_with(text, "state=") ? text + strlen("state=") : NULL;
	AUTO(free) char *names = text_join(state ? states : known, ", ");
	char shown[60];

	*condition = (struct condition){ text, state ? state : text };
	if (text_equal(text, "checked")) {
		condition->state = NULL;
		return true;
	}
	for (const char *const *at = state ? states : known; *at; at++)
		if (text_equal(*at, condition->state))
			return true;
	return error_set_as(
	    err, ERR_INVALID, "option_value", "--for is \"%s\" (expected %s%s, or state=STATE)",
	    text_printable(text, shown, sizeof(shown)), state ? "state= one of " : "", names);
}

static bool holds(const struct condition *condition, const json_t *environment)
{
	if (!condition->state)
		return json_has(json_object_get(environment, "checks"), "verdict");
	return environment_is_in(environment, condition->state);
}

static bool is_over(void *arg, const json_t *environment)
{
	const struct condition *condition = arg;

	if (holds(condition, environment))
		return true;
	/* What is on its way out becomes nothing else any more. */
	if (text_equal(condition->state, "destroyed") || text_equal(condition->state, "destroying"))
		return environment_is_in(environment, "destroyed");
	return environment_is_ending(environment);
}

static void print(const struct cli *cli, const json_t *environment)
{
	if (output_document(cli, environment))
		return;
	if (cli_prints(cli, "name"))
		printf("env/%s\n", json_get_string(environment, "name", "?"));
	else if (environment_is_in(environment, "destroyed"))
		environment_print_proofs(cli, environment);
	else
		environment_print(cli, environment);
}

static bool wait_for(struct cli *cli, struct follow *follow, struct condition *condition,
		     struct error *err)
{
	AUTO(json_decref) json_t *environment = NULL;
	AUTO(free) char *what = xasprintf("\"%s\" to be %s", follow->environment, condition->name);

	follow->what = what;
	follow->is_over = is_over;
	follow->arg = condition;
	if (!follow_until(follow, &environment, err))
		return false;
	progress_end(follow->progress);
	if (!holds(condition, environment))
		return environment_failure(cli, environment, err);
	print(cli, environment);
	return true;
}

static bool run(struct cli *cli, const void *values, const struct option_list *arguments,
		struct error *err)
{
	const struct wait_options *options = values;
	struct condition condition;
	struct api_client *client;

	if (!parse_condition(options->condition, &condition, err) || !cli_client(cli, &client, err))
		return false;
	for (size_t i = 0; i < arguments->count; i++) {
		AUTO(progress_free)
		struct progress *progress = progress_new(options->progress, &cli->err);
		struct follow follow = {
			.client = client,
			.progress = progress,
			.environment = environment_argument(arguments->items[i]),
			.timeout_ms = options->timeout_ms,
			.shows_only_new = true,
		};

		if (!wait_for(cli, &follow, &condition, err))
			return false;
	}
	return true;
}

const struct command command_wait = {
	.name = "wait",
	.synopsis = "NAME...",
	.summary = "wait until environments are ready, destroyed or checked",
	.about = "Wait until each environment is as --for says. Fails as soon as that cannot "
		 "happen any\n"
		 "more, with the exit status of the reason; 9 when --timeout ran out.",
	.rows = rows,
	.values_size = sizeof(struct wait_options),
	.defaults = &defaults,
	.formats = formats,
	.arguments_min = 1,
	.arguments_max = ARGUMENTS_ANY,
	.completes = COMPLETES_ENVIRONMENTS,
	.run = run,
};
