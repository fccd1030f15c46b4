#include "cli/command.h"

#include "cli/output_document.h"

static const char *const formats[] = { "table", "json", "yaml", NULL };

static bool run(struct cli *cli, const void *values, const struct option_list *arguments,
		struct error *err)
{
	AUTO(json_decref) json_t *server = NULL, *both = NULL;
	struct error away; /* the client's own version is known without a server */
	struct api_client *client;

	(void)values;
	(void)arguments;
	if (!cli_client(cli, &client, err))
		return false;
	if (!api_get(client, "/v1/version", &server, &away))
		server = json_null();
	both = json_pack("{s:s, s:s, s:{s:s}, s:O}", "apiVersion", "envd/v1", "kind", "Version",
			 "client", "version", ENVD_VERSION, "server", server);
	if (output_document(cli, both))
		return true;
	printf("envctl %s\n", ENVD_VERSION);
	if (json_is_null(server))
		printf("envd   not reached at %s\n", api_client_server(client));
	else
		printf("envd   %s at %s\n", json_get_string(server, "version", "?"),
		       api_client_server(client));
	return true;
}

const struct command command_version = {
	.name = "version",
	.synopsis = "",
	.summary = "print the versions of envctl and of the server",
	.about = "Both versions; a server that cannot be reached is no error here.",
	.formats = formats,
	.run = run,
};
