#include "cli/command.h"

#include <stdarg.h>

#include "cli/doctor.h"
#include "cli/output_document.h"

static const char *const formats[] = { "table", "json", "yaml", NULL };

static const struct {
	const char *status;
	const char *glyph;
	enum tone tone;
} looks[] = {
	[FINDING_OK] = { "ok", "ok", TONE_GOOD },
	[FINDING_NOTE] = { "note", "note", TONE_WARNING },
	[FINDING_PROBLEM] = { "problem", "PROBLEM", TONE_BAD },
};

void finding_add(struct findings *findings, enum finding_kind kind, const char *name,
		 const char *hint, const char *format, ...)
{
	char message[512];
	va_list args;
	json_t *item;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	item = json_pack("{s:s, s:s, s:s}", "name", name, "status", looks[kind].status, "message",
			 message);
	if (!item)
		return;
	if (hint && *hint)
		json_object_set_new(item, "hint", json_string(hint));
	json_array_append_new(findings->items, item);
	findings->problems += kind == FINDING_PROBLEM;
}

static size_t look_of(const json_t *item)
{
	for (size_t i = 0; i < ARRAY_SIZE(looks); i++)
		if (text_equal(looks[i].status, json_get_string(item, "status", "")))
			return i;
	return FINDING_NOTE;
}

static void print(const struct cli *cli, const struct findings *findings)
{
	size_t i;
	json_t *item;

	json_array_foreach(findings->items, i, item) {
		size_t look = look_of(item);

		printf("%s%-8s%s %-11s %s\n", terminal_tone(&cli->out, looks[look].tone),
		       looks[look].glyph, terminal_plain(&cli->out),
		       json_get_string(item, "name", "?"), json_get_string(item, "message", ""));
		if (json_has(item, "hint"))
			printf("%-20s -> %s\n", "", json_get_string(item, "hint", ""));
	}
}

static bool judge(const struct findings *findings, const struct api_client *client,
		  struct error *err)
{
	if (!findings->problems)
		return true;
	if (findings->is_server_away)
		return error_set_as(err, ERR_UNAVAILABLE, "server_unreachable",
				    "cannot reach envd at %s", api_client_server(client));
	return error_set_as(err, ERR_CONFLICT, "problems_found", "%zu problem%s",
			    findings->problems, findings->problems == 1 ? "" : "s");
}

static bool run(struct cli *cli, const void *values, const struct option_list *arguments,
		struct error *err)
{
	AUTO(json_decref) json_t *items = json_array(), *list = NULL;
	struct findings findings = { .items = items };
	struct api_client *client;

	(void)values;
	(void)arguments;
	if (!cli_client(cli, &client, err))
		return false;
	doctor_server(&findings, client);
	doctor_runtimes(&findings);
	doctor_machine(&findings);
	list = output_list("FindingList", items);
	if (!output_document(cli, list))
		print(cli, &findings);
	return judge(&findings, client, err);
}

const struct command command_doctor = {
	.name = "doctor",
	.synopsis = "",
	.summary = "look for what is wrong here, and say what to do",
	.about =
	    "Looks at the server, container runtimes, disk, memory, clock and limits. Exit status\n"
	    "0: nothing wrong. 1: a problem. 10: the server cannot be reached.",
	.formats = formats,
	.run = run,
};
