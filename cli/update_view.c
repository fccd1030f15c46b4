#include "cli/update_view.h"

#include <string.h>

#include "base/clock.h"
#include "base/duration.h"

static const struct {
	const char *op;
	char sign;
	const char *verb; /* of the summary; NULL: of none */
	enum tone tone;
} ops[] = {
	{ "create", '+', "made", TONE_GOOD },
	{ "create-replacement", '+', "replaced", TONE_GOOD },
	{ "import", '+', "taken over", TONE_GOOD },
	{ "update", '~', "changed", TONE_WARNING },
	{ "refresh", '~', "found changed", TONE_WARNING },
	{ "same", '~', NULL, TONE_WARNING },
	{ "delete", '-', "removed", TONE_BAD },
	{ "delete-replaced", '-', NULL, TONE_BAD },
	{ "discard", '-', "forgotten", TONE_BAD },
};

static size_t op_index(const char *op)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(ops) && strcmp(ops[i].op, op) != 0)
		i++;
	return i;
}

void update_summary(const json_t *update, struct text *into)
{
	const json_t *changes = json_object_get(update, "changes");
	size_t length = into->length;

	for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
		int64_t count = json_get_int64(changes, ops[i].op, 0);

		if (count && ops[i].verb)
			text_format(into, "%s%lld %s", into->length > length ? ", " : "",
				    (long long)count, ops[i].verb);
	}
	if (into->length == length)
		text_add(into, "nothing changed");
}

/* Text of a cloud, on a terminal. */
static void add_value(struct text *into, const json_t *value)
{
	char shown[256];

	if (!json_is_string(value))
		text_add(into, "none");
	else
		text_format(into, "%s",
			    text_printable(json_string_value(value), shown, sizeof(shown)));
}

static void add_attribute(const json_t *attribute, struct text *into)
{
	const json_t *from = json_object_get(attribute, "from");
	char shown[256];

	text_format(into, "        %s: ",
		    text_printable(json_get_string(attribute, "path", "?"), shown, sizeof(shown)));
	if (json_is_string(from)) {
		add_value(into, from);
		text_add(into, " -> ");
	}
	add_value(into, json_object_get(attribute, "to"));
	text_add(into, "\n");
}

static void add_resource(const json_t *resource, const struct terminal *terminal, struct text *into)
{
	const char *id = json_get_string(resource, "id", "");
	size_t op = op_index(json_get_string(resource, "op", "")), i;
	bool is_known = op < ARRAY_SIZE(ops);
	const json_t *attribute;
	int64_t more = json_get_int64(resource, "attributes_left_out", 0);
	char name[200], shown[200];

	text_format(into, "    %s%c %s%s %s%s%s%s%s\n",
		    terminal_tone(terminal, is_known ? ops[op].tone : TONE_PLAIN),
		    is_known ? ops[op].sign : '?',
		    text_printable(json_get_string(resource, "name", "?"), name, sizeof(name)),
		    terminal_plain(terminal), json_get_string(resource, "type", "?"),
		    *id ? " " : "", text_printable(id, shown, sizeof(shown)), is_known ? "" : " ",
		    is_known ? "" : json_get_string(resource, "op", ""));
	if (json_get_bool(resource, "failed", false))
		text_add(into, "        it failed\n");
	json_array_foreach(json_object_get(resource, "attributes"), i, attribute)
		add_attribute(attribute, into);
	if (more)
		text_format(into, "        and %lld more\n", (long long)more);
}

static void add_times(const json_t *update, struct text *into)
{
	const char *started = json_get_string(update, "started_at", "");
	char time[DURATION_TEXT_SIZE];
	int64_t from, to;
	struct error ignored; /* it has no end yet */

	text_format(into, "%s", started);
	if (clock_parse(started, &from, &ignored) &&
	    clock_parse(json_get_string(update, "ended_at", ""), &to, &ignored))
		text_format(into, ", %s", duration_format(to - from, time));
}

static enum tone tone_of(const char *state)
{
	if (strcmp(state, "succeeded") == 0)
		return TONE_GOOD;
	return strcmp(state, "running") == 0 ? TONE_STRONG : TONE_BAD;
}

void update_words(const json_t *update, const struct terminal *terminal, struct text *into)
{
	const char *state = json_get_string(update, "state", "?");
	const char *message = json_get_string(update, "message", "");
	int64_t more = json_get_int64(update, "left_out", 0);
	const json_t *resource;
	size_t i;

	text_format(into, "%s#%lld %s %s%s %s%s%s (", terminal_tone(terminal, TONE_STRONG),
		    (long long)json_get_int64(update, "n", 0),
		    json_get_string(update, "operation", "?"),
		    json_get_string(update, "layer", "?"), terminal_plain(terminal),
		    terminal_tone(terminal, tone_of(state)), state, terminal_plain(terminal));
	add_times(update, into);
	text_add(into, "): ");
	update_summary(update, into);
	text_add(into, "\n");
	if (*message)
		text_format(into, "    %s\n", message);
	json_array_foreach(json_object_get(update, "resources"), i, resource)
		add_resource(resource, terminal, into);
	if (more)
		text_format(into, "    and %lld more resources\n", (long long)more);
}
