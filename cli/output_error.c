#include "cli/output_error.h"

#include "cli/ci_variables.h"

static json_t *error_json(const struct cli *cli, const struct error *err)
{
	const char *request_id = cli->client ? api_client_request_id(cli->client) : "";
	json_t *error = json_pack("{s:s, s:s, s:b, s:i}", "code", err->slug, "message",
				  err->message, "retryable", error_is_transient(err), "exit_status",
				  cli_failure_status(cli, err));

	if (!error)
		error = json_pack("{s:s, s:s}", "code", err->slug, "message", "not valid UTF-8");
	if (cli->cause.length)
		json_object_set_new(error, "cause", json_string(text_get(&cli->cause)));
	if (err->hint[0])
		json_object_set_new(error, "hint", json_string(err->hint));
	if (*request_id)
		json_object_set_new(error, "request_id", json_string(request_id));
	return json_pack("{s:s, s:s, s:o}", "apiVersion", "envd/v1", "kind", "Error", "error",
			 error);
}

/* Further lines of a cause (the last lines of a log) stand under its first. */
static void print_indented(FILE *stream, const char *label, const char *words)
{
	fprintf(stream, "  %-6s ", label);
	for (; *words; words++) {
		fputc(*words, stream);
		if (*words == '\n' && words[1])
			fputs("         ", stream);
	}
	fputc('\n', stream);
}

static void print_text(const struct cli *cli, const struct error *err)
{
	FILE *stream = cli->err.stream;

	fprintf(stream, "%serror[%s]:%s %s\n", terminal_tone(&cli->err, TONE_BAD), err->slug,
		terminal_plain(&cli->err), err->message);
	if (cli->cause.length)
		print_indented(stream, "cause:", text_get(&cli->cause));
	if (err->hint[0])
		print_indented(stream, "hint:", err->hint);
}

void output_error(const struct cli *cli, const struct error *err)
{
	if (text_equal(cli->options.output, "json")) {
		AUTO(json_decref) json_t *json = error_json(cli, err);
		AUTO(free) char *text = json_to_text(json);

		fprintf(cli->err.stream, "%s\n", text);
		return;
	}
	/* The cause may quote lines of somebody's program. */
	ci_foreign_begin(cli->err.stream);
	print_text(cli, err);
	ci_foreign_end(cli->err.stream);
	ci_annotate_error(cli->err.stream, err);
}
