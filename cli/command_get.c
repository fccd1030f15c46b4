#include "cli/command.h"

#include "cli/environment_view.h"
#include "cli/output_document.h"

static const char *const formats[] = { "table", "wide", "json", "yaml", "name", NULL };

static void print_services(const json_t *environment)
{
	const json_t *services = json_object_get(environment, "services");
	size_t i;
	json_t *service;

	json_array_foreach((json_t *)(uintptr_t)services, i, service) {

		printf("  %-14s %-20s %-10s %s\n", i ? "" : "services",
		       json_get_string(service, "name", json_get_string(service, "service", "?")),
		       json_get_string(service, "state", ""),
		       json_get_string(service, "health", ""));
	}
}

static bool run(struct cli *cli, const void *values, const struct option_list *arguments,
		struct error *err)
{
	AUTO(free)
	char *path = api_path("/v1/environments/%s", environment_argument(arguments->items[0]));
	AUTO(json_decref) json_t *environment = NULL;
	struct api_client *client;

	(void)values;
	if (!cli_client(cli, &client, err) || !api_get(client, path, &environment, err))
		return false;
	if (output_document(cli, environment))
		return true;
	if (cli_prints(cli, "name")) {
		printf("env/%s\n", json_get_string(environment, "name", "?"));
		return true;
	}
	environment_print(cli, environment);
	print_services(environment);
	if (environment_is_in(environment, "destroyed"))
		environment_print_proofs(cli, environment);
	return true;
}

const struct command command_get = {
	.name = "get",
	.synopsis = "NAME",
	.summary = "show one environment",
	.about = "Everything that is known about one environment, by its name or id. One that is\n"
		 "destroyed answers too: by its id, and by its name while no other one has it.",
	.formats = formats,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = run,
};
