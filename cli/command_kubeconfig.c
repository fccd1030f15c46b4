#include "cli/command.h"

#include <string.h>

#include "base/files.h"
#include "cli/kubeconfig.h"
#include "cli/output_document.h"

struct kubeconfig_options {
	const char *merge;
	bool is_used;
};

// clang-format off
static const struct option rows[] = {
	{ "merge", 'm', OPTION_TEXT, offsetof(struct kubeconfig_options, merge), "FILE", NULL, "put it into this file, beside what is there, and print nothing", NULL },
	{ "use", 'u', OPTION_FLAG, offsetof(struct kubeconfig_options, is_used), NULL, NULL, "with --merge: make it the current context", NULL },
	OPTIONS_END,
};
// clang-format on

static const char *const formats[] = { "yaml", "json", NULL };

static bool fetch(struct api_client *client, const char *name, json_t **config, struct error *err)
{
	AUTO(free) char *path = api_path("/v1/environments/%s/kubeconfig", name);
	AUTO(json_decref) json_t *body = json_object();
	struct api_answer answer = API_ANSWER_EMPTY;
	bool done =
	    api_call(client, &(struct api_request){ .method = "POST", .path = path, .body = body },
		     &answer, err);

	if (done)
		*config = json_incref(answer.json);
	api_answer_release(&answer);
	return done && (json_is_object(*config) ||
			error_set(err, ERR_EXTERNAL, "the server's answer is no kubeconfig"));
}

static bool run(struct cli *cli, const void *values, const struct option_list *arguments,
		struct error *err)
{
	const struct kubeconfig_options *options = values;
	const char *name = environment_argument(arguments->items[0]);
	AUTO(json_decref) json_t *config = NULL;
	struct api_client *client;

	if (options->is_used && !options->merge)
		return error_set_as(err, ERR_INVALID, "option_value", "--use goes with --merge");
	if (!cli_client(cli, &client, err) || !fetch(client, name, &config, err))
		return false;
	if (!options->merge)
		return output_document(cli, config);
	if (!kubeconfig_merge(options->merge, config, options->is_used, err))
		return false;
	fprintf(stderr, "context \"%s\" is in %s\n",
		json_get_string(config, "current-context", "?"), options->merge);
	return true;
}

const struct command command_kubeconfig = {
	.name = "kubeconfig",
	.synopsis = "NAME",
	.summary = "print what leads to its cluster, for kubectl and the like",
	.about =
	    "A kubeconfig with one context, named as the environment:\n\n"
	    "  envctl kubeconfig NAME > kubeconfig; KUBECONFIG=kubeconfig kubectl get pods -A\n"
	    "  envctl kubeconfig NAME --merge ~/.kube/config; kubectl --context NAME get pods "
	    "-A\n\n"
	    "It holds keys: who asks needs the permission that `envctl exec` needs, and it is "
	    "written down\n"
	    "that they asked. A file that is written is for its owner alone (0600); merging keeps "
	    "everything\n"
	    "in it but its comments.",
	.rows = rows,
	.values_size = sizeof(struct kubeconfig_options),
	.formats = formats,
	.arguments_min = 1,
	.arguments_max = 1,
	.completes = COMPLETES_ENVIRONMENTS,
	.run = run,
};
