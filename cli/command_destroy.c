#include "cli/command.h"

#include "base/clock.h"
#include "cli/environment_view.h"
#include "cli/follow.h"
#include "cli/output_document.h"

struct destroy_options {
	bool does_not_wait;
	bool ignores_not_found;
	bool is_all;
	bool is_sure;
	bool acknowledges;
	struct option_list labels;
	int64_t timeout_ms;
	const char *progress;
};

static const struct destroy_options defaults = { .progress = "auto" };

// clang-format off
static const struct option rows[] = {
	{ "no-wait",          0,   OPTION_FLAG,     offsetof(struct destroy_options, does_not_wait),     NULL,        "ENVCTL_NO_WAIT",  "return as soon as it is accepted", NULL },
	{ "ignore-not-found", 0,   OPTION_FLAG,     offsetof(struct destroy_options, ignores_not_found), NULL,        NULL,              "what is not there counts as destroyed", NULL },
	{ "label",            'l', OPTION_LIST,     offsetof(struct destroy_options, labels),            "KEY=VALUE", NULL,              "all that have this label; needs --yes", NULL },
	{ "all",              0,   OPTION_FLAG,     offsetof(struct destroy_options, is_all),            NULL,        NULL,              "all environments; needs --yes", NULL },
	{ "yes",              'y', OPTION_FLAG,     offsetof(struct destroy_options, is_sure),           NULL,        NULL,              "with --all or --label: destroy what they find", NULL },
	{ "acknowledge",      0,   OPTION_FLAG,     offsetof(struct destroy_options, acknowledges),      NULL,        NULL,              "quarantined, and by its name: take on what may be left", NULL },
	{ "timeout",          0,   OPTION_DURATION, offsetof(struct destroy_options, timeout_ms),        "DURATION",  "ENVCTL_TIMEOUT",  "how long to wait for each; for ever without it", NULL },
	{ "progress",         0,   OPTION_CHOICE,   offsetof(struct destroy_options, progress),          "MODE",      "ENVCTL_PROGRESS", "what to show meanwhile", progress_modes },
	OPTIONS_END,
};
// clang-format on

static const char *const formats[] = { "table", "json", "yaml", "name", NULL };

struct destruction {
	struct cli *cli;
	struct api_client *client;
	const struct destroy_options *options;
	int64_t began_ms; /* our clock */
};

/* ---- which ---- */

static bool has_label(const json_t *environment, const char *pair, bool *has, struct error *err)
{
	char name[256];
	const char *value;

	if (!option_pair(pair, "--label", name, sizeof(name), &value, err))
		return false;
	*has =
	    text_equal(json_get_string(json_object_get(environment, "labels"), name, NULL), value);
	return true;
}

static bool is_chosen(const struct destroy_options *options, const json_t *environment,
		      bool *chosen, struct error *err)
{
	*chosen = true;
	for (size_t i = 0; i < options->labels.count && *chosen; i++)
		if (!has_label(environment, options->labels.items[i], chosen, err))
			return false;
	return true;
}

/* Ids of what --all or --label finds; the list owns nothing, `found` does. */
static bool find(const struct destruction *destruction, json_t *found, struct option_list *targets,
		 struct error *err)
{
	size_t i;
	json_t *environment;

	json_array_foreach(found, i, environment) {
		bool chosen;

		if (!is_chosen(destruction->options, environment, &chosen, err))
			return false;
		if (!chosen)
			continue;
		option_list_add(targets, json_get_string(environment, "id", ""));
		if (!destruction->options->is_sure)
			fprintf(stderr, "would destroy env/%s of %s\n",
				json_get_string(environment, "name", "?"),
				json_get_string(environment, "owner", "?"));
	}
	if (destruction->options->is_sure || !targets->count)
		return true;
	error_set_as(err, ERR_INVALID, "confirmation_needed", "%zu environments would be destroyed",
		     targets->count);
	return error_hint(err, "add --yes to destroy them");
}

static bool choose(const struct destruction *destruction, const struct option_list *arguments,
		   json_t **found, struct option_list *targets, struct error *err)
{
	const struct destroy_options *options = destruction->options;
	bool by_query = options->is_all || options->labels.count;

	if (by_query && arguments->count)
		return error_set_as(err, ERR_INVALID, "argument_unexpected",
				    "give names, or --label, or --all");
	if (!by_query && !arguments->count) {
		error_set_as(err, ERR_INVALID, "argument_missing", "envctl destroy needs NAME...");
		return error_hint(err, "or --label KEY=VALUE, or --all");
	}
	for (size_t i = 0; i < arguments->count; i++)
		option_list_add(targets, environment_argument(arguments->items[i]));
	if (!by_query)
		return true;
	return api_get_all(destruction->client, "/v1/environments", found, err) &&
	       find(destruction, *found, targets, err);
}

/* ---- doing it ---- */

static bool request_destroy(const struct destruction *destruction, const char *name,
			    struct api_answer *answer, struct error *err)
{
	AUTO(free) char *path = api_path("/v1/environments/%s", name);
	struct api_request request = { .method = "DELETE", .path = path };

	return api_call(destruction->client, &request, answer, err);
}

/* The answer is the environment as it is then: destroyed, with reason "acknowledged". */
static bool request_acknowledge(const struct destruction *destruction, const char *name,
				struct api_answer *answer, struct error *err)
{
	AUTO(free) char *path = api_path("/v1/environments/%s/acknowledge", name);
	AUTO(json_decref) json_t *body = json_pack("{s:s}", "name", name);
	struct api_request request = { .method = "POST", .path = path, .body = body };

	api_answer_release(answer);
	return api_call(destruction->client, &request, answer, err);
}

static bool is_gone(void *arg, const json_t *environment)
{
	(void)arg;
	return environment_is_in(environment, "destroyed");
}

/* By id from here on: the name may be given to another one as soon as this one is gone. */
static bool wait_until_gone(const struct destruction *destruction, const json_t *accepted,
			    int64_t since_ms, json_t **environment, struct error *err)
{
	const char *name = json_get_string(accepted, "name", "?");
	AUTO(progress_free)
	struct progress *progress =
	    progress_new(destruction->options->progress, &destruction->cli->err);
	AUTO(free) char *what = xasprintf("\"%s\" to be proved gone", name);
	struct follow follow = {
		.client = destruction->client,
		.progress = progress,
		.environment = json_get_string(accepted, "id", name),
		.what = what,
		.timeout_ms = destruction->options->timeout_ms,
		.since_ms = since_ms,
		.is_over = is_gone,
	};

	return follow_until(&follow, environment, err) ||
	       (text_equal(err->slug, "timed_out") &&
		error_hint(err, "destroying goes on: envctl get %s shows what is in the way",
			   name));
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
		printf("%s is being destroyed\n", json_get_string(environment, "name", "?"));
}

static bool destroy_one(const struct destruction *destruction, const char *name, struct error *err)
{
	AUTO(api_answer_release) struct api_answer answer = API_ANSWER_EMPTY;
	AUTO(json_decref) json_t *gone = NULL;
	int64_t since_ms;

	if (!request_destroy(destruction, name, &answer, err)) {
		if (err->code != ERR_NOT_FOUND || !destruction->options->ignores_not_found)
			return false;
		fprintf(stderr, "there is no environment \"%s\"\n", name);
		return true;
	}
	if (destruction->options->acknowledges && !is_gone(NULL, answer.json) &&
	    !request_acknowledge(destruction, name, &answer, err))
		return false;
	if (destruction->options->does_not_wait || is_gone(NULL, answer.json)) {
		print(destruction->cli, answer.json);
		return true;
	}
	since_ms = api_answer_began_at_ms(destruction->client, &answer, destruction->began_ms);
	if (!wait_until_gone(destruction, answer.json, since_ms, &gone, err))
		return false;
	print(destruction->cli, gone);
	return true;
}

/* All are asked for before one is waited for, and one that fails does not keep the others. */
static bool ask_for_all(const struct destruction *destruction, const struct option_list *targets)
{
	struct error ignored; /* said when it is its turn to be waited for */

	for (size_t i = 0; targets->count > 1 && i < targets->count; i++) {
		AUTO(api_answer_release) struct api_answer answer = API_ANSWER_EMPTY;

		if (!request_destroy(destruction, targets->items[i], &answer, &ignored) &&
		    text_equal(ignored.slug, SLUG_INTERRUPTED))
			return false;
	}
	return true;
}

static bool run(struct cli *cli, const void *values, const struct option_list *arguments,
		struct error *err)
{
	struct destruction destruction = { .cli = cli,
					   .options = values,
					   .began_ms = clock_wall_ms() };
	AUTO(option_list_release) struct option_list targets = OPTION_LIST_EMPTY;
	AUTO(json_decref) json_t *found = NULL;
	bool all_gone = true;

	if (!cli_client(cli, &destruction.client, err) ||
	    !choose(&destruction, arguments, &found, &targets, err))
		return false;
	if (!ask_for_all(&destruction, &targets))
		return error_set_as(err, ERR_TIMEOUT, SLUG_INTERRUPTED, "interrupted");
	for (size_t i = 0; i < targets.count; i++) {
		struct error failed;

		if (destroy_one(&destruction, targets.items[i], &failed))
			continue;
		if (!all_gone)
			fprintf(stderr, "error[%s]: %s\n", err->slug, err->message);
		*err = failed;
		all_gone = false;
		if (text_equal(failed.slug, SLUG_INTERRUPTED))
			break;
	}
	return all_gone;
}

const struct command command_destroy = {
	.name = "destroy",
	.synopsis = "[NAME...]",
	.summary = "destroy environments and wait until they are proved gone",
	.about =
	    "Destroy the environments that are named and print the proofs that nothing is left.\n"
	    "There is no question: what is named is meant. --all and --label need --yes, and show\n"
	    "what they would destroy without it.",
	.rows = rows,
	.values_size = sizeof(struct destroy_options),
	.defaults = &defaults,
	.formats = formats,
	.arguments_max = ARGUMENTS_ANY,
	.completes = COMPLETES_ENVIRONMENTS,
	.run = run,
};
