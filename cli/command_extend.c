#include "cli/command.h"

#include "base/duration.h"
#include "cli/environment_view.h"
#include "cli/output_document.h"

struct extend_options {
	bool is_at_least;
};

// clang-format off
static const struct option rows[] = {
	{ "at-least", 0, OPTION_FLAG, offsetof(struct extend_options, is_at_least), NULL, NULL, "leave at least DURATION, which may be repeated safely", NULL },
	OPTIONS_END,
};
// clang-format on

static const char *const formats[] = { "table", "json", "yaml", NULL };

static void print(const json_t *environment)
{
	AUTO(text_release) struct text left = TEXT_EMPTY;

	environment_expiry(environment, &left);
	printf("%s ends at %s (in %s)\n", json_get_string(environment, "name", "?"),
	       json_get_string(environment, "expires_at", "?"), text_get(&left));
}

static bool run(struct cli *cli, const void *values, const struct option_list *arguments,
		struct error *err)
{
	const struct extend_options *options = values;
	AUTO(free)
	char *path =
	    api_path("/v1/environments/%s/lease", environment_argument(arguments->items[0]));
	AUTO(json_decref) json_t *body = NULL;
	AUTO(api_answer_release) struct api_answer answer = API_ANSWER_EMPTY;
	struct api_client *client;
	struct api_request request = {
		.method = "PATCH",
		.path = path,
		.is_single = !options->is_at_least,
	};
	int64_t ms;

	if (!duration_parse(arguments->items[1], "DURATION", &ms, err) ||
	    !cli_client(cli, &client, err))
		return false;
	body =
	    json_pack("{s:s}", options->is_at_least ? "at_least" : "extend", arguments->items[1]);
	request.body = body;
	if (!api_call(client, &request, &answer, err))
		return false;
	if (!output_document(cli, answer.json))
		print(answer.json);
	return true;
}

const struct command command_extend = {
	.name = "extend",
	.synopsis = "NAME DURATION",
	.summary = "let an environment live longer",
	.about =
	    "Move the end of the lease. A lease that has ended cannot be extended: exit status 8,\n"
	    "with when and why.",
	.rows = rows,
	.values_size = sizeof(struct extend_options),
	.formats = formats,
	.arguments_min = 2,
	.arguments_max = 2,
	.completes = COMPLETES_ENVIRONMENTS,
	.run = run,
};
