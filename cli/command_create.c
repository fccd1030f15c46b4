#include "cli/command.h"

#include <string.h>

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

static const json_t *lock_part(const struct creation *creation, const char *part)
{
	return json_object_get(json_object_get(creation->like, "lock"), part);
}

static const char *commit_of(const struct creation *creation)
{
	return json_get_string(lock_part(creation, "source"), "commit", NULL);
}

/* What the template is called when it is asked for again; the caller frees. */
static char *template_of(const struct creation *creation)
{
	const char *name = json_get_string(lock_part(creation, "template"), "name", "?");
	const char *source = json_get_string(lock_part(creation, "source"), "name", NULL);

	return source && !strchr(name, '/') ? xasprintf("%s/%s", source, name) : xstrdup(name);
}

static bool template_changed(const char *name, const char *now, const char *then, struct error *err)
{
	error_set_as(err, ERR_CONFLICT, "template_changed",
		     "template \"%s\" is %.12s now, the lock was built from %.12s", name, now,
		     then);
	return error_hint(err, "with the template as it is now: envctl create %s --pin ...", name);
}

/* History was rewritten, and nobody kept what it was. */
static bool commit_is_gone(const struct creation *creation, const char *name, struct error *err)
{
	const json_t *source = lock_part(creation, "source");

	error_set_as(err, ERR_CONFLICT, "template_changed",
		     "the lock was built from commit %.12s of %s, which cannot be had any more",
		     commit_of(creation), json_get_string(source, "repository", "its repository"));
	return error_hint(err,
			  "push that commit there again on a branch, or take the template as it is "
			  "now: envctl create %s --pin ...",
			  name);
}

/* One of a git source at its commit, by a create that is not kept: the server fetches it. */
static bool ask_for_commit(struct creation *creation, const char *name, json_t **plan,
			   struct error *err)
{
	AUTO(api_answer_release) struct api_answer answer = API_ANSWER_EMPTY;
	struct api_request request = {
		.method = "POST",
		.path = "/v1/environments?dry_run=true",
		.body = creation->request,
		.idempotency_key = creation->key,
		.timeout_ms = CREATE_CALL_MS,
	};

	if (api_call(creation->client, &request, &answer, err)) {
		*plan = TAKE(answer.json);
		return true;
	}
	return text_equal(err->slug, "ref_not_found") ? commit_is_gone(creation, name, err) : false;
}

/* Before anything is made. */
static bool template_is_the_same(struct creation *creation, const char *name, struct error *err)
{
	const char *then = json_get_string(lock_part(creation, "template"), "digest", "");
	const char *field = commit_of(creation) ? "template_digest" : "digest", *now;
	AUTO(free) char *path = api_path("/v1/templates/%s", name);
	AUTO(json_decref) json_t *found = NULL;

	if (!(commit_of(creation) ? ask_for_commit(creation, name, &found, err)
				  : api_get(creation->client, path, &found, err)))
		return false;
	now = json_get_string(found, field, "?");
	return text_equal(now, then) || template_changed(name, now, then, err);
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
	if (options->like && options->creation.template_ref)
		return error_set_as(err, ERR_INVALID, "option_value",
				    "--like has its commit from the lock: --template-ref cannot be "
				    "given too");
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
		       json_t **lock, char **template, struct error *err)
{
	if (!options->like)
		return true;
	if (!cli_client(creation->cli, &creation->client, err) ||
	    !lock_read(creation->client, options->like, lock, err))
		return false;
	creation->like = *lock;
	*template = template_of(creation);
	return true;
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
	AUTO(free) char *template = arguments->count ? xstrdup(arguments->items[0]) : NULL;
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
	    !creation_prepare(&creation, template, err) ||
	    (options->like && !template_is_the_same(&creation, template, err)))
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
