#include "cli/command.h"

#include "base/clock.h"
#include "cli/creation.h"
#include "cli/dry_run.h"
#include "cli/environment_view.h"
#include "cli/exit_status.h"
#include "cli/interrupt.h"
#include "cli/lock_document.h"
#include "cli/output_document.h"

struct create_options {
	struct creation_options creation;
	bool does_not_wait;
	bool is_kept_on_interrupt;
	const char *like;
	const char *dry_run; /* NULL: for real */
	bool has_detailed_status;
};

static const struct create_options defaults = { .creation = CREATION_DEFAULTS };

// clang-format off
static const struct option rows[] = {
	CREATION_ROWS(create_options, creation),
	{ "no-wait",           0, OPTION_FLAG, offsetof(struct create_options, does_not_wait),        NULL, "ENVCTL_NO_WAIT", "return as soon as it is accepted", NULL },
	{ "keep-on-interrupt", 0, OPTION_FLAG, offsetof(struct create_options, is_kept_on_interrupt), NULL, NULL,             "Ctrl-C ends the waiting only", NULL },
	{ "like",              0, OPTION_TEXT,   offsetof(struct create_options, like),                "NAME|FILE", NULL, "build the same: template, versions, parameters and digests of an environment, or of what `envctl lock -o json` wrote", NULL },
	{ "dry-run",           0, OPTION_CHOICE, offsetof(struct create_options, dry_run),             "WHERE", NULL, "make nothing: print what would be sent, or let the server check and price it", dry_runs },
	{ "detailed-exitcode", 0, OPTION_FLAG,   offsetof(struct create_options, has_detailed_status), NULL, NULL, "with --dry-run: 7 when something would be made, 0 when it is there already", NULL },
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

/* ---- --like ---- */

static bool template_is_the_same(struct api_client *client, const json_t *template,
				 struct error *err)
{
	const char *name = json_get_string(template, "name", "?");
	const char *digest = json_get_string(template, "digest", "");
	AUTO(free) char *path = api_path("/v1/templates/%s", name);
	AUTO(json_decref) json_t *now = NULL;

	if (!api_get(client, path, &now, err))
		return false;
	if (text_equal(json_get_string(now, "digest", ""), digest))
		return true;
	error_set_as(err, ERR_CONFLICT, "template_changed",
		     "template \"%s\" is %.12s now, the lock was built from %.12s", name,
		     json_get_string(now, "digest", "?"), digest);
	return error_hint(err, "with the template as it is now: envctl create %s --pin ...", name);
}

/* What is asked for by name may have moved meanwhile: an image under the same tag. */
static bool is_like(struct creation *creation, struct error *err)
{
	AUTO(json_decref) json_t *lock = NULL, *differences = NULL;

	if (!lock_fetch(creation->client, creation->id, &lock, NULL, err))
		return false;
	differences = json_differences(creation->like, lock);
	if (!json_array_size(differences))
		return true;
	json_differences_text(differences, &creation->cli->cause);
	creation_end(creation);
	return error_set_as(err, ERR_EXTERNAL, "lock_differs",
			    "\"%s\" was built, and is not like what was asked for", creation->name);
}

/* ---- all of it ---- */

static bool check_options(const struct create_options *options, const struct option_list *arguments,
			  struct error *err)
{
	if (!options->like && !arguments->count)
		return error_set_as(err, ERR_INVALID, "argument_missing",
				    "envctl create needs TEMPLATE, or --like");
	if (options->like && arguments->count)
		return error_set_as(err, ERR_INVALID, "argument_unexpected",
				    "--like has its template from the lock: \"%s\" is one too many",
				    arguments->items[0]);
	if (options->like && options->does_not_wait)
		return error_set_as(
		    err, ERR_INVALID, "option_value",
		    "--like is compared once it is built: --no-wait cannot be given");
	return !options->has_detailed_status || options->dry_run ||
	       error_set_as(err, ERR_INVALID, "option_value",
			    "--detailed-exitcode is for --dry-run");
}

/* The lock, if it is to be like one, and with it the template's name. */
static bool find_model(struct creation *creation, const struct create_options *options,
		       json_t **lock, const char **template, struct error *err)
{
	const json_t *of_lock;

	if (!options->like)
		return true;
	if (!cli_client(creation->cli, &creation->client, err) ||
	    !lock_read(creation->client, options->like, lock, err))
		return false;
	creation->like = *lock;
	of_lock = json_object_get(json_object_get(*lock, "lock"), "template");
	*template = json_get_string(of_lock, "name", "?");
	return template_is_the_same(creation->client, of_lock, err);
}

static bool plan(struct creation *creation, const struct create_options *options, struct error *err)
{
	bool has_changes;

	if ((text_equal(options->dry_run, "server") &&
	     !cli_client(creation->cli, &creation->client, err)) ||
	    !dry_run(creation, options->dry_run, &has_changes, err))
		return false;
	if (options->has_detailed_status && has_changes)
		creation->cli->status = EXIT_CHECK_FAILED;
	return true;
}

static bool make(struct creation *creation, const struct create_options *options,
		 const char *template, struct error *err)
{
	AUTO(json_decref) json_t *environment = NULL;

	if (!cli_client(creation->cli, &creation->client, err))
		return false;
	creation_announce(creation, template);
	if (!creation_send(creation, &environment, err) ||
	    (!options->does_not_wait && !creation_wait(creation, &environment, err)) ||
	    (creation->like && !is_like(creation, err))) {
		if (interrupt_signal())
			creation_clean_up(creation);
		return false;
	}
	print_result(creation, environment);
	return true;
}

static bool run(struct cli *cli, const void *values, const struct option_list *arguments,
		struct error *err)
{
	const struct create_options *options = values;
	const char *template = arguments->count ? arguments->items[0] : NULL;
	AUTO(json_decref) json_t *lock = NULL;
	AUTO(creation_release)
	struct creation creation = {
		.cli = cli,
		.options = &options->creation,
		.is_kept_on_interrupt = options->is_kept_on_interrupt,
		.began_ms = clock_mono_ms(),
	};

	if (!check_options(options, arguments, err) ||
	    !find_model(&creation, options, &lock, &template, err) ||
	    !creation_prepare(&creation, template, err))
		return false;
	return options->dry_run ? plan(&creation, options, err)
				: make(&creation, options, template, err);
}

const struct command command_create = {
	.name = "create",
	.synopsis = "TEMPLATE | --like NAME",
	.summary = "build an environment, check it, wait until it is ready",
	.about =
	    "Ask for an environment of TEMPLATE and wait until it is ready. What it is going "
	    "through\n"
	    "is shown on stderr; the result is printed on stdout.\n\n"
	    "One of a git source is SOURCE/TEMPLATE, at --template-ref.\n\n"
	    "Ctrl-C, SIGTERM and SIGHUP destroy what this command made, at most 5 s later; a "
	    "second\n"
	    "one leaves at once. A time-out (exit status 9) does not, unless --on-timeout destroy.",
	.rows = rows,
	.values_size = sizeof(struct create_options),
	.defaults = &defaults,
	.formats = formats,
	.arguments_max = 1,
	.completes = COMPLETES_TEMPLATES,
	.run = run,
};
