#include "cli/command.h"

#include "base/clock.h"
#include "cli/creation.h"
#include "cli/environment_view.h"
#include "cli/interrupt.h"
#include "cli/output_document.h"

struct create_options {
	struct creation_options creation;
	bool does_not_wait;
	bool is_kept_on_interrupt;
};

static const struct create_options defaults = { .creation = CREATION_DEFAULTS };

// clang-format off
static const struct option rows[] = {
	CREATION_ROWS(create_options, creation),
	{ "no-wait",           0, OPTION_FLAG, offsetof(struct create_options, does_not_wait),        NULL, "ENVCTL_NO_WAIT", "return as soon as it is accepted", NULL },
	{ "keep-on-interrupt", 0, OPTION_FLAG, offsetof(struct create_options, is_kept_on_interrupt), NULL, NULL,             "Ctrl-C ends the waiting only", NULL },
	OPTIONS_END,
};
// clang-format on

static const char *const formats[] = { "table", "wide", "json", "yaml", "name", NULL };

static void print_result(const struct creation *creation, const json_t *environment)
{
	const char *name = creation->name;

	if (output_document(creation->cli, environment))
		return;
	if (cli_prints(creation->cli, "name")) {
		printf("env/%s\n", name);
		return;
	}
	environment_print(creation->cli, environment);
	if (environment_is_in(environment, "ready"))
		printf("go on with:  eval \"$(envctl env %s)\"    envctl check %s    "
		       "envctl extend %s 1h    envctl destroy %s\n",
		       name, name, name, name);
	else
		printf("go on with:  envctl wait %s --for ready\n", name);
}

static bool run(struct cli *cli, const void *values, const struct option_list *arguments,
		struct error *err)
{
	const struct create_options *options = values;
	AUTO(creation_release)
	struct creation creation = {
		.cli = cli,
		.options = &options->creation,
		.is_kept_on_interrupt = options->is_kept_on_interrupt,
		.began_ms = clock_mono_ms(),
	};
	AUTO(json_decref) json_t *environment = NULL;
	bool made;

	if (!creation_prepare(&creation, arguments->items[0], err) ||
	    !cli_client(cli, &creation.client, err))
		return false;
	creation_announce(&creation, arguments->items[0]);
	made = creation_send(&creation, &environment, err) &&
	       (options->does_not_wait || creation_wait(&creation, &environment, err));
	if (!made) {
		if (interrupt_signal())
			creation_clean_up(&creation);
		return false;
	}
	print_result(&creation, environment);
	return true;
}

const struct command command_create = {
	.name = "create",
	.synopsis = "TEMPLATE",
	.summary = "build an environment, check it, wait until it is ready",
	.about =
	    "Ask for an environment of TEMPLATE and wait until it is ready. What it is going "
	    "through\n"
	    "is shown on stderr; the result is printed on stdout.\n\n"
	    "Ctrl-C, SIGTERM and SIGHUP destroy what this command made, at most 5 s later; a "
	    "second\n"
	    "one leaves at once. A time-out (exit status 9) does not, unless --on-timeout destroy.",
	.rows = rows,
	.values_size = sizeof(struct create_options),
	.defaults = &defaults,
	.formats = formats,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = run,
};
