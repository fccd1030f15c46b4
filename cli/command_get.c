#include "cli/command.h"

#include "cli/environment_view.h"
#include "cli/output_document.h"

static const char *const formats[] = { "table", "wide", "json", "yaml", "name", NULL };

static const char *drift_of(const json_t *drift, const char *name)
{
	size_t i;
	json_t *item;

	json_array_foreach((json_t *)(uintptr_t)drift, i, item) {
		if (text_equal(json_get_string(item, "service", ""), name))
			return json_get_string(item, "what", "");
	}
	return NULL;
}

static void print_service(const struct cli *cli, const char *title, const json_t *service,
			  const char *what)
{
	printf("  %-14s %-20s %-10s %s", title,
	       json_get_string(service, "name", json_get_string(service, "service", "?")),
	       json_get_string(service, "state", ""), json_get_string(service, "health", ""));
	if (what)
		printf("  %s%s since it was built%s", terminal_tone(&cli->out, TONE_BAD), what,
		       terminal_plain(&cli->out));
	putchar('\n');
}

static void print_services(const struct cli *cli, const json_t *services, const json_t *drift)
{
	const char *title = "services";
	size_t i;
	json_t *item;

	json_array_foreach((json_t *)(uintptr_t)services, i, item) {
		print_service(cli, title, item,
			      drift_of(drift, json_get_string(item, "name", "?")));
		title = "";
	}
	/* What is missing is no service that could be looked at. */
	json_array_foreach((json_t *)(uintptr_t)drift, i, item) {
		if (text_equal(json_get_string(item, "what", ""), "missing"))
			print_service(cli, title, item, "missing");
	}
}

/* What was built may have died since: of one in use, its services are looked at now. */
static void show_services(struct cli *cli, struct api_client *client, const json_t *environment)
{
	AUTO(free)
	char *path =
	    api_path("/v1/environments/%s/services", json_get_string(environment, "id", "?"));
	AUTO(json_decref) json_t *seen = NULL;
	struct error err;

	if (environment_is_in(environment, "destroyed"))
		return; /* as they were built would read as if they still ran */
	if (!environment_is_in(environment, "ready")) {
		print_services(cli, json_object_get(environment, "services"), NULL);
		return;
	}
	if (api_get(client, path, &seen, &err)) {
		print_services(cli, json_object_get(seen, "services"),
			       json_object_get(seen, "drift"));
		return;
	}
	print_services(cli, json_object_get(environment, "services"), NULL);
	printf("  %-14s as it was built; it cannot be looked at now: %s\n", "", err.message);
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
	show_services(cli, client, environment);
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
	.completes = COMPLETES_ENVIRONMENTS,
	.run = run,
};
