#include "cli/command.h"

#include "base/files.h"

struct report_options {
	const char *format;
	const char *folder;
};

static const char *const formats[] = { "text", "markdown", "json", "junit", NULL };

// clang-format off
static const struct option rows[] = {
	{ "format",    'f', OPTION_CHOICE, offsetof(struct report_options, format), "FORMAT", NULL, "the same as -o", formats },
	{ "directory", 'd', OPTION_TEXT,   offsetof(struct report_options, folder), "DIR",    NULL, "write report.md, report.json and junit.xml there, besides printing", NULL },
	OPTIONS_END,
};
// clang-format on

static const struct {
	const char *format, *file;
} files[] = {
	{ "markdown", "report.md" },
	{ "json", "report.json" },
	{ "junit", "junit.xml" },
};

static bool fetch(struct api_client *client, const char *name, const char *format,
		  struct api_answer *answer, struct error *err)
{
	AUTO(free) char *start = api_path("/v1/environments/%s/report", name);
	AUTO(text_release) struct text path = TEXT_EMPTY;
	struct api_request request = { 0 };

	text_add(&path, start);
	api_path_add(&path, "format", format);
	request.path = text_get(&path);
	return api_call(client, &request, answer, err);
}

static bool write_files(struct api_client *client, const char *name, const char *folder,
			struct error *err)
{
	if (!folder_make(folder, 0755, err))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		AUTO(api_answer_release) struct api_answer answer = API_ANSWER_EMPTY;
		AUTO(free) char *path = path_join(folder, files[i].file);

		if (!fetch(client, name, files[i].format, &answer, err) ||
		    !file_write_atomically(path, answer.bytes, answer.length, 0644, err))
			return false;
		fprintf(stderr, "wrote %s\n", path);
	}
	return true;
}

static bool run(struct cli *cli, const void *values, const struct option_list *arguments,
		struct error *err)
{
	const struct report_options *options = values;
	const char *name = environment_argument(arguments->items[0]);
	const char *format = options->format ? options->format : cli->format;
	AUTO(api_answer_release) struct api_answer answer = API_ANSWER_EMPTY;
	struct api_client *client;

	if (!cli_client(cli, &client, err) || !fetch(client, name, format, &answer, err) ||
	    (options->folder && !write_files(client, name, options->folder, err)))
		return false;
	fwrite(answer.bytes, 1, answer.length, stdout);
	return true;
}

const struct command command_report = {
	.name = "report",
	.synopsis = "NAME",
	.summary = "what was built, checked, spent and proved",
	.about =
	    "The report of one environment, also after it is gone. Markdown fits a GitHub step\n"
	    "summary, JUnit is read by Jenkins, GitLab and GitHub's reporters.",
	.rows = rows,
	.values_size = sizeof(struct report_options),
	.formats = formats,
	.arguments_min = 1,
	.arguments_max = 1,
	.completes = COMPLETES_ENVIRONMENTS,
	.run = run,
};
