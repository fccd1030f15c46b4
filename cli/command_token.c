#include "cli/command.h"

#include <string.h>

#include "cli/output_document.h"
#include "cli/output_table.h"

static const char *const formats[] = { "table", "json", "yaml", NULL };

/* ---- create ---- */

struct create_options {
	const char *role;
	const char *expires_in;
};

// clang-format off
static const char *const roles[] = { "viewer", "ci", "operator", "admin", NULL };

static const struct option create_rows[] = {
	{ "role",       0, OPTION_CHOICE, offsetof(struct create_options, role),       "ROLE",     NULL, "what it may do (default ci)", roles },
	{ "expires-in", 0, OPTION_TEXT,   offsetof(struct create_options, expires_in), "DURATION", NULL, "at most and by default what the server allows, 90d", NULL },
	OPTIONS_END,
};
// clang-format on

static const struct create_options create_defaults = { .role = "ci" };

/* Only the token goes to stdout, so that it can go straight into a file. */
static void print_made(const json_t *token)
{
	fprintf(stderr,
		"token %s: role %s in project \"%s\", until %s\n"
		"This is the only time that it is shown.\n",
		json_get_string(token, "id", "?"), json_get_string(token, "role", "?"),
		json_get_string(token, "project", "?"), json_get_string(token, "expires_at", "?"));
	printf("%s\n", json_get_string(token, "token", ""));
}

static bool run_create(struct cli *cli, const void *values, const struct option_list *arguments,
		       struct error *err)
{
	const struct create_options *options = values;
	AUTO(json_decref)
	json_t *body =
	    json_pack("{s:s, s:s, s:s*, s:s*}", "name", arguments->items[0], "role", options->role,
		      "project", cli->options.access.project, "expires_in", options->expires_in);
	AUTO(api_answer_release) struct api_answer answer = API_ANSWER_EMPTY;
	struct api_request request = {
		.method = "POST", .path = "/v1/tokens", .body = body, .is_single = true
	};
	struct api_client *client;

	if (!cli_client(cli, &client, err) || !api_call(client, &request, &answer, err))
		return false;
	if (!output_document(cli, answer.json))
		print_made(answer.json);
	explicit_bzero(answer.bytes, answer.length);
	return true;
}

const struct command command_token_create = {
	.name = "token create",
	.synopsis = "NAME",
	.summary = "make a token for another machine, shown once",
	.about =
	    "For agents that reach the server over TCP: give it to them as ENVCTL_TOKEN or as the "
	    "file\n"
	    "that ENVCTL_TOKEN_FILE names. It belongs to --project (default \"default\").\n"
	    "\n"
	    "viewer: sees its project's environments. ci: creates, extends, checks and destroys "
	    "them\n"
	    "too. operator: those of all projects, and the audit history. admin: tokens as well.",
	.rows = create_rows,
	.values_size = sizeof(struct create_options),
	.defaults = &create_defaults,
	.formats = formats,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = run_create,
};

/* ---- list ---- */

static void print_list(const struct cli *cli, const json_t *items)
{
	static const char *const headers[] = { "ID",    "NAME",    "ROLE",      "PROJECT",
					       "STATE", "EXPIRES", "LAST USED", NULL };
	AUTO(table_free) struct table *table = table_new(headers);
	size_t i;
	json_t *item;

	json_array_foreach((json_t *)(uintptr_t)items, i, item) {
		const char *state = json_get_string(item, "state", "?");
		const char *cells[] = { json_get_string(item, "id", "?"),
					json_get_string(item, "name", "?"),
					json_get_string(item, "role", "?"),
					json_get_string(item, "project", "?"),
					state,
					json_get_string(item, "expires_at", NULL),
					json_get_string(item, "last_used_at", NULL) };

		table_add_row(table, cells);
		table_set_tone(table, 4, strcmp(state, "good") == 0 ? TONE_GOOD : TONE_FAINT);
	}
	table_print(table, &cli->out, !cli->options.has_no_headers);
}

static bool run_list(struct cli *cli, const void *values, const struct option_list *arguments,
		     struct error *err)
{
	AUTO(json_decref) json_t *items = NULL, *list = NULL;
	struct api_client *client;

	(void)values;
	(void)arguments;
	if (!cli_client(cli, &client, err) || !api_get_all(client, "/v1/tokens", &items, err))
		return false;
	list = output_list("TokenList", items);
	if (!output_document(cli, list))
		print_list(cli, items);
	return true;
}

const struct command command_token_list = {
	.name = "token list",
	.synopsis = "",
	.summary = "show tokens, when they end and when they were last used",
	.about =
	    "The tokens themselves are known to those who have them only. Last use is told to\n"
	    "about five minutes.",
	.formats = formats,
	.run = run_list,
};

/* ---- revoke ---- */

static bool revoke_one(struct cli *cli, struct api_client *client, const char *id,
		       struct error *err)
{
	AUTO(free) char *path = api_path("/v1/tokens/%s", id);
	AUTO(api_answer_release) struct api_answer answer = API_ANSWER_EMPTY;
	struct api_request request = { .method = "DELETE", .path = path };

	if (!api_call(client, &request, &answer, err))
		return false;
	if (!output_document(cli, answer.json))
		printf("token %s (\"%s\") is revoked\n", json_get_string(answer.json, "id", "?"),
		       json_get_string(answer.json, "name", "?"));
	return true;
}

static bool run_revoke(struct cli *cli, const void *values, const struct option_list *arguments,
		       struct error *err)
{
	struct api_client *client;

	(void)values;
	if (!cli_client(cli, &client, err))
		return false;
	for (size_t i = 0; i < arguments->count; i++)
		if (!revoke_one(cli, client, arguments->items[i], err))
			return false;
	return true;
}

const struct command command_token_revoke = {
	.name = "token revoke",
	.synopsis = "ID...",
	.summary = "end tokens now, for good",
	.about =
	    "By the id of `envctl token list`. It holds from the next request on; environments\n"
	    "that were made with the token stay until their lease ends.",
	.formats = formats,
	.arguments_min = 1,
	.arguments_max = ARGUMENTS_ANY,
	.run = run_revoke,
};
