#include "cli/command.h"

#include <string.h>

#include "cli/ci_variables.h"
#include "cli/event_stream.h"
#include "wire/worker_lines.h"

struct logs_options {
	const char *service;
	bool follows;
	int64_t tail;
	bool has_times;
};

static const struct logs_options defaults = { .tail = 100 };

// clang-format off
static const struct option rows[] = {
	{ "follow",     'f', OPTION_FLAG,    offsetof(struct logs_options, follows),   NULL,      NULL, "go on with what is written from now on", NULL },
	{ "service",    0,   OPTION_TEXT,    offsetof(struct logs_options, service),   "SERVICE", NULL, "only this service's", NULL },
	{ "tail",       0,   OPTION_INTEGER, offsetof(struct logs_options, tail),      "LINES",   NULL, "how many earlier lines of each service (100)", NULL },
	{ "timestamps", 't', OPTION_FLAG,    offsetof(struct logs_options, has_times), NULL,      NULL, "when each line was written", NULL },
	OPTIONS_END,
};
// clang-format on

static const char *const formats[] = { "text", "json", NULL };

struct reading {
	struct cli *cli;
	const struct logs_options *options;
	struct line_splitter lines;
	bool has_failed; /* the engine, in the midst of it: `failure` */
	struct error failure;
};

/* The last line, when the engine could not go on. */
static bool take_failure(struct reading *reading, const json_t *entry)
{
	const json_t *failure = json_object_get(entry, "error");

	if (!json_is_object(failure))
		return false;
	error_from_json(failure, &reading->failure);
	reading->has_failed = true;
	return true;
}

/* Control characters of somebody's program are not for the terminal. */
static void print_safely(const struct terminal *terminal, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (terminal->is_terminal && ((c < 0x20 && c != '\t') || c == 0x7F))
			fputc('?', terminal->stream);
		else
			fputc(c, terminal->stream);
	}
}

static void print_entry(const struct reading *reading, const json_t *entry)
{
	const struct terminal *out = &reading->cli->out;

	if (reading->options->has_times)
		printf("%s ", json_get_string(entry, "at", "-"));
	printf("%s%-16s%s | ", terminal_tone(out, TONE_FAINT),
	       json_get_string(entry, "service", "-"), terminal_plain(out));
	print_safely(out, json_get_string(entry, "text", ""));
	putchar('\n');
}

static bool on_line(void *arg, const char *line)
{
	struct reading *reading = arg;
	AUTO(json_decref) json_t *entry = NULL;
	struct error ignored; /* a line that is no JSON is shown as it came */
	bool is_entry = json_parse(line, strlen(line), "log line", &entry, &ignored);

	if (is_entry && take_failure(reading, entry))
		return true;
	if (cli_prints(reading->cli, "json")) {
		printf("%s\n", line);
	} else if (is_entry) {
		print_entry(reading, entry);
	} else {
		print_safely(&reading->cli->out, line);
		putchar('\n');
	}
	return !ferror(stdout);
}

static bool on_bytes(void *arg, const char *bytes, size_t length)
{
	struct reading *reading = arg;

	/* Followers are looked at while they run, through pipes too. A reader that is gone ends us.
	 */
	return line_splitter_feed(&reading->lines, bytes, length, on_line, reading) &&
	       fflush(stdout) == 0;
}

static bool run(struct cli *cli, const void *values, const struct option_list *arguments,
		struct error *err)
{
	const struct logs_options *options = values;
	struct reading reading = { .cli = cli, .options = options };
	AUTO(free)
	char *start =
	    api_path("/v1/environments/%s/logs", environment_argument(arguments->items[0]));
	AUTO(free) char *tail = xasprintf("%lld", (long long)options->tail);
	AUTO(text_release) struct text path = TEXT_EMPTY;
	struct api_client *client;
	bool done;

	text_add(&path, start);
	api_path_add(&path, "service", options->service);
	api_path_add(&path, "follow", options->follows ? "true" : NULL);
	api_path_add(&path, "tail", tail);
	if (!cli_client(cli, &client, err))
		return false;
	ci_foreign_begin(stdout);
	done = api_stream(
	    client,
	    &(struct api_stream){ .path = text_get(&path), .on_bytes = on_bytes, .arg = &reading },
	    err);
	ci_foreign_end(stdout);
	text_release(&reading.lines.line);
	if (done && reading.has_failed)
		*err = reading.failure;
	return done && !reading.has_failed;
}

const struct command command_logs = {
	.name = "logs",
	.synopsis = "NAME",
	.summary = "show what the services write",
	.about =
	    "The services' own output, as the engine keeps it. `-o json` prints one JSON object a\n"
	    "line.",
	.rows = rows,
	.values_size = sizeof(struct logs_options),
	.defaults = &defaults,
	.formats = formats,
	.arguments_min = 1,
	.arguments_max = 1,
	.completes = COMPLETES_ENVIRONMENTS,
	.run = run,
};
