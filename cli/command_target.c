#include "cli/command.h"

#include <string.h>

#include "cli/output_document.h"
#include "cli/output_table.h"

static const char *const formats[] = { "table", "json", "yaml", NULL };

/* ---- list ---- */

/* "cloud=aws,site=lab": all but the kind, which has a column; the caller frees. */
static char *words_of_labels(const json_t *labels)
{
	struct text text = TEXT_EMPTY;
	const char *name;
	json_t *value;

	json_object_foreach_const(labels, name, value) {
		if (!text_equal(name, "kind"))
			text_format(&text, "%s%s=%s", text.length ? "," : "", name,
				    json_string_value(value));
	}
	return text_take(&text);
}

/* "first (alice), second (bob)"; the caller frees. */
static char *words_of_holders(const json_t *holders)
{
	struct text text = TEXT_EMPTY;

	for (size_t i = 0; i < json_array_size(holders); i++) {
		const json_t *holder = json_array_get(holders, i);
		const char *name = json_get_string(holder, "environment", NULL);

		if (name)
			text_format(&text, "%s%s (%s)", text.length ? ", " : "", name,
				    json_get_string(holder, "owner", "?"));
		else
			text_format(&text, "%sanother project", text.length ? ", " : "");
	}
	return text_take(&text);
}

/* When a place is free again; NULL: there is one, or nobody can tell. */
static const char *until_of(const json_t *target)
{
	const json_t *holders = json_object_get(target, "holders");
	const char *first = NULL;

	if (json_get_int64(target, "environments", 0) <
	    json_get_int64(target, "environments_max", 0))
		return json_get_string(target, "no_room_until", NULL);
	for (size_t i = 0; i < json_array_size(holders); i++) {
		const char *until = json_get_string(json_array_get(holders, i), "until", NULL);

		if (!until)
			return "being destroyed";
		if (!first || strcmp(until, first) < 0)
			first = until;
	}
	return first;
}

/* To the second; the caller frees. */
static char *short_time(const char *time)
{
	const char *point = time ? strchr(time, '.') : NULL;

	if (!time)
		return NULL;
	return point ? xasprintf("%.*sZ", (int)(point - time), time) : xstrdup(time);
}

static const char *why_of(const json_t *target)
{
	const char *why = json_get_string(target, "why", NULL);

	if (why || !json_get_string(target, "no_room_until", NULL))
		return why;
	return "had no capacity";
}

static enum tone tone_of(const char *state)
{
	if (text_equal(state, "free"))
		return TONE_GOOD;
	return text_equal(state, "held") ? TONE_PLAIN : TONE_BAD;
}

static void add_row(struct table *table, const json_t *target)
{
	const json_t *labels = json_object_get(target, "labels");
	const char *state = json_get_string(target, "state", "?");
	AUTO(free) char *until = short_time(until_of(target));
	AUTO(free) char *words = words_of_labels(labels);
	AUTO(free) char *holders = words_of_holders(json_object_get(target, "holders"));
	AUTO(free)
	char *places = xasprintf("%lld/%lld", (long long)json_get_int64(target, "environments", 0),
				 (long long)json_get_int64(target, "environments_max", 0));
	const char *cells[] = { json_get_string(target, "name", "?"),
				json_get_string(labels, "kind",
						json_get_string(target, "engine", "?")),
				state,
				places,
				*holders ? holders : NULL,
				until,
				*words ? words : NULL,
				why_of(target) };

	table_add_row(table, cells);
	table_set_tone(table, 2, tone_of(state));
}

static bool run_list(struct cli *cli, const void *values, const struct option_list *arguments,
		     struct error *err)
{
	static const char *const headers[] = { "NAME",  "KIND",   "STATE", "USED", "HELD BY",
					       "UNTIL", "LABELS", "WHY",   NULL };
	AUTO(table_free) struct table *table = table_new(headers);
	AUTO(json_decref) json_t *items = NULL, *list = NULL;
	struct api_client *client;

	(void)values;
	(void)arguments;
	if (!cli_client(cli, &client, err) || !api_get_all(client, "/v1/targets", &items, err))
		return false;
	list = output_list("TargetList", items);
	if (output_document(cli, list))
		return true;
	for (size_t i = 0; i < json_array_size(items); i++)
		add_row(table, json_array_get(items, i));
	table_print(table, &cli->out, !cli->options.has_no_headers);
	return true;
}

const struct command command_targets = {
	.name = "targets",
	.synopsis = "",
	.summary = "show what environments are built on, and who has it",
	.about =
	    "Clusters, cloud accounts and container runtimes; one is asked for by its name or\n"
	    "labels: envctl create TEMPLATE --target NAME, --target LABEL=VALUE.\n"
	    "\n"
	    "UNTIL is when a place is free at the latest. A dirty one is given to nobody: what\n"
	    "is on it is removed, and when two listings are empty it comes back by itself.",
	.formats = formats,
	.run = run_list,
};

/* ---- mark ---- */

struct mark_options {
	const char *why;
};

static const struct option mark_rows[] = {
	{ "why", 0, OPTION_TEXT, offsetof(struct mark_options, why), "TEXT", NULL,
	  "for whoever asks", NULL },
	OPTIONS_END,
};

static const struct mark_options mark_defaults = { .why = NULL };

static bool mark(struct cli *cli, const char *name, const char *state, const char *why,
		 struct error *err)
{
	AUTO(free) char *path = api_path("/v1/targets/%s", name);
	AUTO(json_decref) json_t *body = json_pack("{s:s, s:s*}", "state", state, "why", why);
	AUTO(api_answer_release) struct api_answer answer = API_ANSWER_EMPTY;
	struct api_request request = { .method = "PATCH", .path = path, .body = body };
	struct api_client *client;

	if (!cli_client(cli, &client, err) || !api_call(client, &request, &answer, err))
		return false;
	if (!output_document(cli, answer.json))
		printf("target %s is %s\n", name, json_get_string(answer.json, "state", "?"));
	return true;
}

static bool run_dirty(struct cli *cli, const void *values, const struct option_list *arguments,
		      struct error *err)
{
	const struct mark_options *options = values;

	return mark(cli, arguments->items[0], "dirty", options->why, err);
}

static bool run_clean(struct cli *cli, const void *values, const struct option_list *arguments,
		      struct error *err)
{
	const struct mark_options *options = values;

	return mark(cli, arguments->items[0], "clean", options->why, err);
}

const struct command command_target_dirty = {
	.name = "target dirty",
	.synopsis = "NAME",
	.summary = "say that something may be left on a target",
	.about =
	    "Nothing new is placed on it; what is there stays. When nobody has it any more it\n"
	    "is cleaned by its own commands, and comes back when two listings are empty.",
	.rows = mark_rows,
	.values_size = sizeof(struct mark_options),
	.defaults = &mark_defaults,
	.formats = formats,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = run_dirty,
};

const struct command command_target_clean = {
	.name = "target clean",
	.synopsis = "NAME",
	.summary = "say that nothing is left on a target",
	.about =
	    "For one that cannot tell by itself, or after somebody has looked. It is believed:\n"
	    "the next environment that waits for it gets it.",
	.rows = mark_rows,
	.values_size = sizeof(struct mark_options),
	.defaults = &mark_defaults,
	.formats = formats,
	.arguments_min = 1,
	.arguments_max = 1,
	.run = run_clean,
};
