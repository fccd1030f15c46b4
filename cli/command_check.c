#include "cli/command.h"

#include "base/clock.h"
#include "base/files.h"
#include "base/yaml_read.h"
#include "cli/check_view.h"
#include "cli/follow.h"
#include "cli/output_document.h"
#include "model/check_plan.h"

struct check_options {
	const char *suite;
	const char *plan;
	int64_t timeout_ms;
	const char *progress;
};

static const char *const suites[] = { "smoke", "load", "all", NULL };

static const struct check_options defaults = { .suite = "smoke", .progress = "auto" };

// clang-format off
static const struct option rows[] = {
	{ "suite",    0, OPTION_CHOICE,   offsetof(struct check_options, suite),      "SUITE",    NULL,              "which checks to run", suites },
	{ "plan",     0, OPTION_TEXT,     offsetof(struct check_options, plan),       "FILE",     NULL,              "a plan of your own instead of the template's", NULL },
	{ "timeout",  0, OPTION_DURATION, offsetof(struct check_options, timeout_ms), "DURATION", "ENVCTL_TIMEOUT",  "how long to wait for the verdict", NULL },
	{ "progress", 0, OPTION_CHOICE,   offsetof(struct check_options, progress),   "MODE",     "ENVCTL_PROGRESS", "what to show meanwhile", progress_modes },
	OPTIONS_END,
};
// clang-format on

static const char *const formats[] = { "table", "json", "yaml", "junit", "markdown", NULL };

/* A plan that is wrong is refused here, with its place, before anything is asked of the server. */
static bool read_plan(const char *path, json_t **json, struct error *err)
{
	AUTO(check_plan_free) struct check_plan *plan = NULL;
	AUTO(yaml_free) struct yaml_document *document = NULL;
	AUTO(free) char *bytes = NULL;
	size_t length;

	if (!file_read(path, CHECK_PLAN_BYTES_MAX, &bytes, &length, err) ||
	    !check_plan_parse(bytes, length, path, &plan, err) ||
	    !yaml_parse(bytes, length, path, &document, err))
		return false;
	*json = yaml_to_json(document->root);
	return true;
}

static json_t *suites_of(const char *suite)
{
	if (text_equal(suite, "all"))
		return json_pack("[s, s]", "smoke", "load");
	return json_pack("[s]", suite);
}

static bool start(struct api_client *client, const char *name, const struct check_options *options,
		  struct api_answer *answer, struct error *err)
{
	AUTO(free) char *path = api_path("/v1/environments/%s/checks", name);
	AUTO(json_decref) json_t *body = json_object();
	struct api_request request = { .method = "POST", .path = path, .body = body };
	json_t *plan;

	json_object_set_new(body, "suites", suites_of(options->suite));
	if (options->plan) {
		if (!read_plan(options->plan, &plan, err))
			return false;
		json_object_set_new(body, "plan", plan);
	}
	request.is_single = true;
	return api_call(client, &request, answer, err);
}

static bool has_verdict(void *arg, const json_t *run)
{
	(void)arg;
	return json_has(run, "verdict");
}

static bool await_verdict(struct cli *cli, struct api_client *client, const char *name,
			  const struct check_options *options, const struct api_answer *started,
			  int64_t since_ms, json_t **run, struct error *err)
{
	AUTO(progress_free) struct progress *progress = progress_new(options->progress, &cli->err);
	AUTO(free) char *path = api_path("/v1/checks/%s", json_get_string(started->json, "id", ""));
	struct follow follow = {
		.client = client,
		.progress = progress,
		.environment = name,
		.path = path,
		.what = "the verdict of the checks",
		.timeout_ms = options->timeout_ms,
		.since_ms = since_ms,
		.is_over = has_verdict,
	};

	return follow_until(&follow, run, err);
}

static bool print_report(struct api_client *client, const char *name, const char *format,
			 struct error *err)
{
	AUTO(free) char *start = api_path("/v1/environments/%s/report", name);
	AUTO(text_release) struct text path = TEXT_EMPTY;
	AUTO(api_answer_release) struct api_answer answer = API_ANSWER_EMPTY;
	struct api_request request = { 0 };

	text_add(&path, start);
	api_path_add(&path, "format", format);
	request.path = text_get(&path);
	if (!api_call(client, &request, &answer, err))
		return false;
	fwrite(answer.bytes, 1, answer.length, stdout);
	return true;
}

static bool print(const struct cli *cli, struct api_client *client, const char *name,
		  const json_t *run, struct error *err)
{
	if (output_document(cli, run))
		return true;
	if (!cli_prints(cli, "table"))
		return print_report(client, name, cli->format, err);
	check_print(cli, run);
	return true;
}

static bool run(struct cli *cli, const void *values, const struct option_list *arguments,
		struct error *err)
{
	const struct check_options *options = values;
	const char *name = environment_argument(arguments->items[0]);
	AUTO(api_answer_release) struct api_answer started = API_ANSWER_EMPTY;
	AUTO(json_decref) json_t *judged = NULL;
	int64_t began_ms = clock_wall_ms();
	struct api_client *client;

	if (!cli_client(cli, &client, err) || !start(client, name, options, &started, err))
		return false;
	began_ms = api_answer_began_at_ms(client, &started, began_ms);
	return await_verdict(cli, client, name, options, &started, began_ms, &judged, err) &&
	       print(cli, client, name, judged, err) && check_judge(judged, err);
}

const struct command command_check = {
	.name = "check",
	.synopsis = "NAME",
	.summary = "check a running environment",
	.about =
	    "Run the checks of the template, or of a plan of your own, and print what was seen.\n"
	    "Exit status 7: the product is bad. 4: the checks could not judge.\n\n"
	    "-o junit and -o markdown print the environment's whole report.",
	.rows = rows,
	.values_size = sizeof(struct check_options),
	.defaults = &defaults,
	.formats = formats,
	.arguments_min = 1,
	.arguments_max = 1,
	.completes = COMPLETES_ENVIRONMENTS,
	.run = run,
};
