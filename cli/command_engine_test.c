#include "cli/command.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/files.h"
#include "cli/exit_status.h"
#include "cli/interrupt.h"
#include "cli/output_document.h"
#include "conformance/conformance.h"
#include "model/template.h"

struct engine_test_options {
	const char *template_folder;
	struct option_list parameters;
	int64_t time_limit_ms;
	int64_t grace_ms;
};

static const struct engine_test_options defaults = {
	.parameters = OPTION_LIST_EMPTY,
	.time_limit_ms = 600000,
	.grace_ms = 10000,
};

// clang-format off
static const struct option rows[] = {
	{ "template",   0, OPTION_TEXT,     offsetof(struct engine_test_options, template_folder), "FOLDER",     NULL, "the template that the program is asked to build; an empty folder", NULL },
	{ "param",      0, OPTION_LIST,     offsetof(struct engine_test_options, parameters),      "NAME=VALUE", NULL, "a parameter of that template; again for each", NULL },
	{ "time-limit", 0, OPTION_DURATION, offsetof(struct engine_test_options, time_limit_ms),   "DURATION",   NULL, "of one run of the program", NULL },
	{ "stop-grace", 0, OPTION_DURATION, offsetof(struct engine_test_options, grace_ms),        "DURATION",   NULL, "how soon a run must end after SIGTERM", NULL },
	OPTIONS_END,
};
// clang-format on

static const char *const formats[] = { "table", "json", "yaml", NULL };

static const struct {
	const char *status;
	const char *shown;
	enum tone tone;
} looks[] = {
	{ "ok", "ok", TONE_GOOD },
	{ "note", "note", TONE_WARNING },
	{ "broken", "BROKEN", TONE_BAD },
	{ "not_tried", "not tried", TONE_WARNING },
};

/* As it goes: a whole test of a cloud takes its time. */
static void print_trial(void *arg, const json_t *trial)
{
	const struct cli *cli = arg;
	const char *status = json_get_string(trial, "status", "");
	size_t look = 0;

	if (!cli_prints(cli, "table"))
		return;
	while (look < ARRAY_SIZE(looks) - 1 && !text_equal(looks[look].status, status))
		look++;
	printf("%s%-9s%s %-56s %6.1f s\n", terminal_tone(&cli->out, looks[look].tone),
	       looks[look].shown, terminal_plain(&cli->out), json_get_string(trial, "name", ""),
	       (double)json_get_int64(trial, "elapsed_ms", 0) / 1000);
	if (*json_get_string(trial, "message", ""))
		printf("%-9s   %s\n", "", json_get_string(trial, "message", ""));
	if (json_has(trial, "rule"))
		printf("%-9s   templates/engines.md: %s\n", "", json_get_string(trial, "rule", ""));
	fflush(stdout);
}

static bool given_parameters(const struct option_list *list, json_t *given, struct error *err)
{
	for (size_t i = 0; i < list->count; i++) {
		const char *equals = strchr(list->items[i], '=');
		AUTO(free) char *name = NULL;

		if (!equals)
			return error_set_as(err, ERR_INVALID, "option_value",
					    "--param is \"%s\", expected NAME=VALUE",
					    list->items[i]);
		name = xstrndup(list->items[i], (size_t)(equals - list->items[i]));
		json_object_set_new(given, name, json_string(equals + 1));
	}
	return true;
}

/* Links are kept: a program may look beside the name by which it was called. */
static bool make_absolute(const char *path, char **absolute, struct error *err)
{
	char folder[PATH_MAX];

	if (path[0] == '/') {
		*absolute = xstrdup(path);
		return true;
	}
	if (!getcwd(folder, sizeof(folder)))
		return error_set_errno(err, errno, "cannot tell the current folder");
	*absolute = path_join(folder, path);
	return true;
}

/* Defaults and all, as envd would ask; `parameters` is a new reference. */
static bool resolve_parameters(const struct engine_test_options *options, json_t **parameters,
			       struct error *err)
{
	AUTO(template_free) struct template *template = NULL;
	AUTO(json_decref) json_t *given = json_object();
	AUTO(free) char *path = NULL, *bytes = NULL;
	size_t length;

	if (!given_parameters(&options->parameters, given, err))
		return false;
	if (!options->template_folder) {
		*parameters = TAKE(given);
		return true;
	}
	/* Not template_load(): PROGRAM takes the place of its "source". */
	path = path_join(options->template_folder, TEMPLATE_FILE);
	return file_read(path, TEMPLATE_BYTES_MAX, &bytes, &length, err) &&
	       template_parse(bytes, length, path, NULL, &template, err) &&
	       template_resolve_parameters(template, given, parameters, err);
}

static size_t count_of(const json_t *trials, const char *status)
{
	size_t count = 0;

	for (size_t i = 0; i < json_array_size(trials); i++)
		count +=
		    text_equal(json_get_string(json_array_get(trials, i), "status", ""), status);
	return count;
}

static void print_all(const struct cli *cli, const char *program, json_t *trials)
{
	size_t broken = count_of(trials, "broken"), missing = count_of(trials, "not_tried");
	AUTO(json_decref)
	json_t *document =
	    json_pack("{s:s, s:s, s:s, s:b, s:I, s:I, s:O}", "apiVersion", "envd/v1", "kind",
		      "EngineTest", "program", program, "conforms", !broken && !missing, "broken",
		      (json_int_t)broken, "not_tried", (json_int_t)missing, "trials", trials);

	if (output_document(cli, document))
		return;
	if (broken || missing)
		printf("\n%s: %zu broken, %zu not tried, of %zu\n", program, broken, missing,
		       json_array_size(trials));
	else
		printf("\n%s keeps to templates/engines.md: %zu things tried\n", program,
		       json_array_size(trials));
}

static bool run(struct cli *cli, const void *values, const struct option_list *arguments,
		struct error *err)
{
	const struct engine_test_options *options = values;
	AUTO(json_decref) json_t *parameters = NULL, *trials = NULL;
	AUTO(free) char *program = NULL;
	struct conformance_spec spec = {
		.template_folder = options->template_folder,
		.time_limit_ms = options->time_limit_ms,
		.grace_ms = options->grace_ms,
		.stop_fd = interrupt_fd(),
		.on_trial = print_trial,
		.arg = cli,
	};

	if (!make_absolute(arguments->items[0], &program, err) ||
	    !resolve_parameters(options, &parameters, err))
		return false;
	spec.program = program;
	spec.parameters = parameters;
	if (!conformance_run(&spec, &trials, err))
		return false;
	print_all(cli, program, trials);
	if (interrupt_signal())
		return error_set_as(err, ERR_GONE, "interrupted", "interrupted");
	/* What was not tried is not known to be well. */
	cli->status = count_of(trials, "broken") + count_of(trials, "not_tried") ? EXIT_CHECK_FAILED
										 : EXIT_DONE;
	return true;
}

const struct command command_engine_test = {
	.name = "engine test",
	.synopsis = "PROGRAM",
	.summary = "does an engine of yours keep to templates/engines.md? Without a server",
	.about =
	    "Runs PROGRAM as envd would, for environments that exist only here: every verb, "
	    "again,\n"
	    "two at once, stopped by SIGTERM and by kill -9 in the middle of a create. It makes "
	    "and\n"
	    "destroys real things of up to six small environments; whatever it made is destroyed\n"
	    "in the end, also after Ctrl-C. The exit status is 0 when it keeps to everything, 7 "
	    "when\n"
	    "it broke a rule, or one could not be tried.",
	.rows = rows,
	.values_size = sizeof(struct engine_test_options),
	.defaults = &defaults,
	.formats = formats,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = run,
};
