#include "cli/command.h"

#include <errno.h>
#include <string.h>

#include "cli/config.h"
#include "cli/context.h"
#include "cli/exit_status.h"
#include "cli/interrupt.h"
#include "cli/jsonpath.h"
#include "cli/output_error.h"

/* In the order of the help. A name of two words comes before its first word alone, so that
 * `check lint` is not a check of an environment called lint. */
static const struct command *const commands[] = {
	&command_create,
	&command_run,
	&command_list,
	&command_top,
	&command_get,
	&command_wait,
	&command_env,
	&command_exec,
	&command_forward,
	&command_lock,
	&command_diff,
	&command_logs,
	&command_history,
	&command_graph,
	&command_resources,
	&command_updates,
	&command_outputs,
	&command_kubeconfig,
	&command_check_lint,
	&command_check,
	&command_report,
	&command_evidence,
	&command_extend,
	&command_destroy,
	&command_template_list,
	&command_template_show,
	&command_template_lint,
	&command_engine_test,
	&command_cost_settle,
	&command_cost_prices,
	&command_cost,
	&command_context_list,
	&command_context_use,
	&command_context_add,
	&command_context_remove,
	&command_targets,
	&command_target_dirty,
	&command_target_clean,
	&command_token_create,
	&command_token_list,
	&command_token_revoke,
	&command_audit,
	&command_config_view,
	&command_doctor,
	&command_completion,
	&command_complete,
	&command_version,
	&command_help_row,
};

#define COMMON_DEFAULTS { .color = "auto" }

static const char *const colours[] = { "auto", "always", "never", NULL };

// clang-format off
static const struct option common_rows[] = {
	{ "server",     's', OPTION_TEXT,   offsetof(struct common_options, server),         "ADDRESS", "ENVCTL_SERVER", "unix:PATH, http://HOST:PORT or https://HOST:PORT", NULL },
	{ "ca",         0,   OPTION_TEXT,   offsetof(struct common_options, access.ca),      "FILE",    "ENVCTL_CA",     "the CA that the server's certificate must lead to (default: the system's)", NULL },
	{ "client-certificate", 0, OPTION_TEXT, offsetof(struct common_options, access.certificate), "FILE", "ENVCTL_CLIENT_CERTIFICATE", "for a server that asks for one", NULL },
	{ "client-key", 0,   OPTION_TEXT,   offsetof(struct common_options, access.key),     "FILE",    "ENVCTL_CLIENT_KEY", "of that certificate", NULL },
	{ "token-stdin", 0,  OPTION_FLAG,   offsetof(struct common_options, access.has_token_on_stdin), NULL, NULL, "read the token from stdin (else ENVCTL_TOKEN, then the file ENVCTL_TOKEN_FILE)", NULL },
	{ "project",    0,   OPTION_TEXT,   offsetof(struct common_options, access.project), "NAME",    "ENVCTL_PROJECT", "the project to work in (a token has its own)", NULL },
	{ "context",    0,   OPTION_TEXT,   offsetof(struct common_options, context),        "NAME",    "ENVCTL_CONTEXT", "which of the configured servers (envctl context list)", NULL },
	{ "output",     'o', OPTION_TEXT,   offsetof(struct common_options, output),         "FORMAT",  "ENVCTL_OUTPUT", "how to print the result", NULL },
	{ "color",      0,   OPTION_CHOICE, offsetof(struct common_options, color),          "WHEN",    "ENVCTL_COLOR",  "colours", colours },
	{ "no-headers", 0,   OPTION_FLAG,   offsetof(struct common_options, has_no_headers), NULL,      NULL,            "tables without their first line", NULL },
	{ "help",       'h', OPTION_ENDING, offsetof(struct common_options, is_help),        NULL,      NULL,            "print this", NULL },
	OPTIONS_END,
};

static const struct option version_rows[] = {
	{ "version",    'V', OPTION_ENDING, offsetof(struct common_options, is_version),     NULL,      NULL,            "print the version", NULL },
	OPTIONS_END,
};
// clang-format on

static const struct option no_rows[] = { OPTIONS_END };

/* ---- the tables ---- */

const struct command *const *commands_all(size_t *count)
{
	*count = ARRAY_SIZE(commands);
	return commands;
}

const struct option *commands_common_rows(void)
{
	return common_rows;
}

static const struct option *row_named(const struct option *rows, const char *name)
{
	for (; rows && rows->name; rows++)
		if (text_equal(rows->name, name))
			return rows;
	return NULL;
}

const struct option *common_option(const char *name)
{
	return row_named(common_rows, name);
}

bool option_is_configurable(const char *name)
{
	const struct option *row = common_option(name);

	for (size_t i = 0; i < ARRAY_SIZE(commands) && (!row || !row->variable); i++)
		row = row_named(commands[i]->rows, name);
	return row && row->variable;
}

/* ---- finding the command ---- */

/* Words of `name` that `argv` starts with, or 0 if not all do. */
static int words_matching(const char *name, int argc, char *const *argv)
{
	int words = 0;

	for (;;) {
		size_t length = strcspn(name, " ");

		if (words == argc || strlen(argv[words]) != length ||
		    memcmp(argv[words], name, length) != 0)
			return 0;
		words++;
		if (!name[length])
			return words;
		name += length + 1;
	}
}

static const struct command *command_find(int argc, char *const *argv, int *words)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		*words = words_matching(commands[i]->name, argc, argv);
		if (*words)
			return commands[i];
	}
	return NULL;
}

/* Commands of two words that begin with `word`: "template list, template show". */
static char *commands_below(const char *word)
{
	AUTO(free) char *prefix = xasprintf("%s ", word);
	const char *names[ARRAY_SIZE(commands) + 1];
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (text_starts_with(commands[i]->name, prefix))
			names[count++] = commands[i]->name;
	names[count] = NULL;
	return count ? text_join(names, ", ") : NULL;
}

static const char *nearest_command(const char *wrong)
{
	const char *names[ARRAY_SIZE(commands) + 1];

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		names[i] = commands[i]->name;
	names[ARRAY_SIZE(commands)] = NULL;
	return text_nearest(wrong, names);
}

static bool unknown_command(int argc, char *const *argv, struct error *err)
{
	AUTO(free) char *below = commands_below(argv[0]);
	AUTO(free) char *both = argc > 1 ? xasprintf("%s %s", argv[0], argv[1]) : NULL;
	const char *nearest = nearest_command(below && both ? both : argv[0]);
	char shown[80];

	if (below && !both) {
		error_set_as(err, ERR_INVALID, "unknown_command", "%s what?", argv[0]);
		return error_hint(err, "there are: %s", below);
	}
	error_set_as(err, ERR_INVALID, "unknown_command", "there is no command \"%s\"",
		     text_printable(below ? both : argv[0], shown, sizeof(shown)));
	return nearest ? error_hint(err, "did you mean `envctl %s`?", nearest)
		       : error_hint(err, "`envctl help` lists the commands");
}

/* ---- help ---- */

static size_t help_width(const struct cli *cli)
{
	if (!cli->out.width)
		return 80;
	return cli->out.width > 100 ? 100 : cli->out.width;
}

static void add_program_help(struct cli *cli, struct text *into)
{
	struct option_group groups[] = {
		{ "Options", common_rows, &cli->options },
		{ "Only without a command", version_rows, &cli->options },
	};
	struct option_spec spec = {
		.program = "envctl",
		.synopsis = "COMMAND [ARGUMENTS]",
		.about = NULL,
		.groups = groups,
		.group_count = ARRAY_SIZE(groups),
	};

	options_help(&spec, help_width(cli), into);
}

void commands_help(struct cli *cli, struct text *into)
{
	text_add(into, "envctl lends environments that are built, checked and proved gone.\n\n"
		       "Commands:\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (commands[i]->summary)
			text_format(into, "  %-15s %s\n", commands[i]->name, commands[i]->summary);
	text_add(into, "\n");
	add_program_help(cli, into);
	text_add(into,
		 "\n`envctl help COMMAND` tells more; `envctl help exit-codes` lists what exit "
		 "statuses mean.\n");
}

/* `program` and `groups` live as long as the result is used. */
static struct option_spec spec_of(const struct command *command, const char *program,
				  const struct option_group *groups)
{
	return (struct option_spec){
		.program = program,
		.synopsis = command->synopsis,
		.about = command->about,
		.groups = groups,
		.group_count = 2,
		.arguments_min = command->arguments_min,
		.arguments_max = command->arguments_max,
	};
}

/* All that print YAML print by output_document(). */
static bool prints_documents(const struct command *command)
{
	for (size_t i = 0; command->formats && command->formats[i]; i++)
		if (text_equal(command->formats[i], "yaml"))
			return true;
	return false;
}

static void add_command_help(struct cli *cli, const struct command *command, struct text *into)
{
	AUTO(free) char *program = xasprintf("envctl %s", command->name);
	struct option_group groups[] = {
		{ "Options", command->rows ? command->rows : no_rows, NULL },
		{ "Common options", common_rows, &cli->options },
	};
	struct option_spec spec = spec_of(command, program, groups);

	if (!command->rows) {
		spec.groups = groups + 1;
		spec.group_count = 1;
	}
	options_help(&spec, help_width(cli), into);
	if (command->formats) {
		AUTO(free) char *formats = text_join(command->formats, ", ");

		text_format(into, "\nFormats of -o: %s%s\n", formats,
			    prints_documents(command) ? ", jsonpath=EXPR" : "");
	}
}

bool command_help(struct cli *cli, const char *name, struct text *into, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (text_equal(commands[i]->name, name)) {
			add_command_help(cli, commands[i], into);
			return true;
		}
	}

	AUTO(free) char *wrong = xstrdup(name);

	return unknown_command(1, &wrong, err);
}

/* ---- running ---- */

bool cli_client(struct cli *cli, struct api_client **client, struct error *err)
{
	if (!cli->client) {
		if (!context_apply(cli, err) ||
		    !api_client_new(cli->options.server, &cli->client, err) ||
		    !access_give(&cli->options.access, cli->client, err))
			return false;
		api_client_set_wake_fd(cli->client, interrupt_fd());
	}
	*client = cli->client;
	return true;
}

int cli_failure_status(const struct cli *cli, const struct error *err)
{
	/* What was not found is CMD; all else says only that it was not CMD. */
	if (cli->failure_status && !text_equal(err->slug, SLUG_NOT_EXECUTABLE) &&
	    !text_equal(err->slug, SLUG_NO_COMMAND))
		return cli->failure_status;
	return (int)exit_status_for(err);
}

bool cli_prints(const struct cli *cli, const char *format)
{
	return text_equal(cli->format, format);
}

const char *environment_argument(const char *argument)
{
	return text_starts_with(argument, "env/") ? argument + strlen("env/") : argument;
}

static bool choose_format(struct cli *cli, const struct command *command, struct error *err)
{
	const char *asked = cli->options.output, *nearest;
	char shown[40];

	cli->format = command->formats ? command->formats[0] : "text";
	if (!asked || !command->formats)
		return true;
	for (size_t i = 0; command->formats[i]; i++) {
		if (text_equal(command->formats[i], asked)) {
			cli->format = command->formats[i];
			return true;
		}
	}

	if (text_starts_with(asked, "jsonpath=") && prints_documents(command)) {
		AUTO(text_release) struct text nothing = TEXT_EMPTY;

		cli->format = "jsonpath";
		cli->jsonpath = asked + strlen("jsonpath=");
		/* Before anything is done, as nobody would see its result. */
		return jsonpath_print(cli->jsonpath, NULL, &nothing, err);
	}

	AUTO(free) char *known = text_join(command->formats, ", ");

	nearest = text_nearest(asked, command->formats);
	error_set_as(err, ERR_INVALID, "option_value", "--output is \"%s\" (envctl %s prints %s)",
		     text_printable(asked, shown, sizeof(shown)), command->name, known);
	return nearest ? error_hint(err, "did you mean %s?", nearest) : false;
}

static void release_values(const struct command *command, void *values)
{
	for (const struct option *row = command->rows; row && row->name; row++)
		if (row->kind == OPTION_LIST)
			option_list_release((void *)((char *)values + row->offset));
	free(values);
}

static void set_terminals(struct cli *cli)
{
	cli->out = terminal_of(stdout, cli->options.color);
	cli->err = terminal_of(stderr, cli->options.color);
}

static bool run_command(struct cli *cli, const struct command *command, int argc, char **argv,
			void *values, struct error *err)
{
	AUTO(option_list_release) struct option_list arguments = OPTION_LIST_EMPTY;
	AUTO(free) char *program = xasprintf("envctl %s", command->name);
	struct option_group groups[] = {
		{ "Options", command->rows ? command->rows : no_rows, values },
		{ "Common options", common_rows, &cli->options },
	};
	struct option_spec spec = spec_of(command, program, groups);
	struct option_fallback files = config_fallback(cli->config);

	spec.fallback = &files;
	spec.origins = &cli->origins;
	if (!options_parse(&spec, argc, argv, &arguments, err))
		return false;
	set_terminals(cli);
	if (cli->options.is_help) {
		AUTO(text_release) struct text help = TEXT_EMPTY;

		add_command_help(cli, command, &help);
		fputs(text_get(&help), stdout);
		return true;
	}
	return choose_format(cli, command, err) && command->run(cli, values, &arguments, err);
}

/* `argv[0]` is the command's first word; the last one takes the place of a program's name. */
static bool run_words(struct cli *cli, const struct command *command, int argc, char **argv,
		      struct error *err)
{
	void *values = xcalloc(1, command->values_size ? command->values_size : 1);
	bool ran;

	if (command->defaults)
		memcpy(values, command->defaults, command->values_size);
	ran = run_command(cli, command, argc, argv, values, err);
	release_values(command, values);
	return ran;
}

/* `leading` options stand before the command. They are read with its own, once, so that a variable
 * does not get the better of them. */
static bool run_line(struct cli *cli, int argc, char **argv, int leading, struct error *err)
{
	AUTO(free) char **line = xcalloc((size_t)argc + 1, sizeof(*line));
	int words, rest, count = 1;
	const struct command *command = command_find(argc - leading, argv + leading, &words);

	if (!command)
		return unknown_command(argc - leading, argv + leading, err);
	cli->failure_status = command->failure_status;
	cli->options = (struct common_options)COMMON_DEFAULTS;
	rest = leading + words;
	line[0] = argv[rest - 1];
	for (int i = 0; i < leading; i++)
		if (strcmp(argv[i], "--") != 0)
			line[count++] = argv[i];
	for (int i = rest; i < argc; i++)
		line[count++] = argv[i];
	return run_words(cli, command, count, line, err);
}

static bool run_program(struct cli *cli, int argc, char **argv, struct error *err)
{
	AUTO(option_list_release) struct option_list rest = OPTION_LIST_EMPTY;
	AUTO(text_release) struct text help = TEXT_EMPTY;
	struct option_group groups[] = {
		{ "Options", common_rows, &cli->options },
		{ "Only without a command", version_rows, &cli->options },
	};
	struct option_spec spec = {
		.program = "envctl",
		.synopsis = "COMMAND [ARGUMENTS]",
		.groups = groups,
		.group_count = ARRAY_SIZE(groups),
		.arguments_max = (size_t)argc,
		.stops_at_argument = true,
	};

	if (!interrupt_install(err) || !options_parse(&spec, argc, argv, &rest, err))
		return false;
	set_terminals(cli);
	if (cli->options.is_version) {
		printf("envctl %s\n", ENVD_VERSION);
		return true;
	}
	/* What options_parse() left over is the end of argv. */
	if (rest.count && !cli->options.is_help)
		return run_line(cli, argc - 1, argv + 1, argc - 1 - (int)rest.count, err);
	commands_help(cli, &help);
	fputs(text_get(&help), cli->options.is_help ? stdout : stderr);
	if (cli->options.is_help)
		return true;
	return error_set_as(err, ERR_INVALID, "argument_missing", "no command was given");
}

/* A pipe that nobody reads any more is the reader's decision; a full disk is not. */
static bool flush_output(struct error *err)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return true;
	if (errno == EPIPE)
		return true;
	return error_set_as(err, ERR_EXTERNAL, "output_failed", "cannot write to stdout: %s",
			    strerror(errno));
}

int command_main(int argc, char **argv)
{
	AUTO(config_free) struct config *config = config_new();
	struct cli cli = { .options = COMMON_DEFAULTS, .config = config };
	struct error err;
	bool done;

	set_terminals(&cli);
	done = run_program(&cli, argc, argv, &err) && flush_output(&err);
	if (!done && !interrupt_signal())
		output_error(&cli, &err);
	api_client_free(cli.client);
	text_release(&cli.cause);
	if (interrupt_signal() && !done)
		interrupt_die();
	return done ? cli.status : cli_failure_status(&cli, &err);
}
