#include "engine/pulumi/pulumi_events.h"

#include <string.h>

#include "engine/pulumi/pulumi_claim.h"

enum { ERROR_LENGTH_MAX = 400 };

/* One line, without the control characters of a terminal. */
static char *tidy(const char *message)
{
	char shown[ERROR_LENGTH_MAX];
	AUTO(text_release) struct text text = TEXT_EMPTY;
	bool is_gap = true;

	for (const char *at = message; *at; at++) {
		bool is_space = *at == ' ' || *at == '\n' || *at == '\t' || *at == '\r';

		if (!is_space || !is_gap)
			text_add_char(&text, is_space ? ' ' : *at);
		is_gap = is_space;
	}
	while (text.length && text.bytes[text.length - 1] == ' ')
		text.bytes[--text.length] = '\0';
	return xstrdup(text_printable(text_get(&text), shown, sizeof(shown)));
}

static void note_error(struct pulumi_events *events, const char *message)
{
	AUTO(free) char *text = tidy(message);

	if (!*text)
		return;
	events->errors++;
	if (!events->exhaustion)
		events->exhaustion = claim_exhaustion(message);
	if (!events->first_error)
		events->first_error = TAKE(text);
}

static void take_diagnostic(struct pulumi_events *events, const json_t *event)
{
	const char *severity = json_get_string(event, "severity", "info");
	const char *message = json_get_string(event, "message", "");
	AUTO(free) char *text = NULL;

	if (strcmp(severity, "debug") == 0)
		return;
	text = tidy(message);
	if (events->on_message)
		events->on_message(events->arg, text);
	if (strcmp(severity, "error") == 0)
		note_error(events, message);
	else if (strcmp(severity, "warning") == 0 && events->lines)
		worker_say_log(events->lines, "info", "%s: %s", events->layer, text);
}

/* The last part of a resource's URN is what its program calls it. */
static const char *name_of(const char *urn)
{
	const char *last = urn;

	for (const char *at = urn; (at = strstr(at, "::")); at += 2)
		last = at + 2;
	return last;
}

static void take_outputs(struct pulumi_events *events, const json_t *event)
{
	const json_t *metadata = json_object_get(event, "metadata");
	const char *op = json_get_string(metadata, "op", "");
	const char *type = json_get_string(metadata, "type", "");
	const char *urn = json_get_string(metadata, "urn", "");
	const char *id = json_get_string(json_object_get(metadata, "new"), "id", "");

	if (events->on_resource)
		events->on_resource(events->arg, metadata, false);
	/* Those of Pulumi itself are nothing that exists. */
	if (text_starts_with(type, "pulumi:") || !*id || !events->lines)
		return;
	if (strcmp(op, "create") == 0 || strcmp(op, "create-replacement") == 0)
		worker_say_resource(events->lines, type, id, name_of(urn), events->layer);
}

static void take_failed(struct pulumi_events *events, const json_t *event)
{
	const json_t *metadata = json_object_get(event, "metadata");

	if (events->on_resource)
		events->on_resource(events->arg, metadata, true);
	if (events->lines)
		worker_say_log(events->lines, "info", "%s: %s of %s failed", events->layer,
			       json_get_string(metadata, "op", "an operation"),
			       name_of(json_get_string(metadata, "urn", "a resource")));
}

/* What is only advised is told, what is mandatory is why nothing was made. */
static void take_policy(struct pulumi_events *events, const json_t *event)
{
	const char *level = json_get_string(event, "enforcementLevel", "");
	AUTO(free)
	char *text = xasprintf("policy \"%s\" of pack \"%s\" %s %s: %s",
			       json_get_string(event, "policyName", "?"),
			       json_get_string(event, "policyPackName", "?"),
			       strcmp(level, "mandatory") == 0 ? "forbids" : "advises against",
			       name_of(json_get_string(event, "resourceUrn", "the stack")),
			       json_get_string(event, "message", ""));
	AUTO(free) char *line = tidy(text);

	if (events->on_message)
		events->on_message(events->arg, line);
	if (strcmp(level, "mandatory") == 0)
		note_error(events, text);
	else if (events->lines)
		worker_say_log(events->lines, "warn", "%s: %s", events->layer, line);
}

static void take_summary(struct pulumi_events *events, const json_t *event)
{
	const char *op;
	json_t *count;

	free(events->result);
	events->result = xstrdup(json_get_string(event, "result", "unknown"));
	events->changed = 0;
	json_object_foreach_const(json_object_get(event, "resourceChanges"), op, count)
		if (strcmp(op, "same") != 0 && strcmp(op, "read") != 0)
			events->changed += json_integer_value(count);
}

static const struct {
	const char *name;
	void (*take)(struct pulumi_events *events, const json_t *event);
} kinds[] = {
	{ "diagnosticEvent", take_diagnostic }, { "resOutputsEvent", take_outputs },
	{ "resOpFailedEvent", take_failed },    { "policyEvent", take_policy },
	{ "summaryEvent", take_summary },
};

void pulumi_events_feed(struct pulumi_events *events, const char *line, size_t length)
{
	/* Its states hold whole manifests: the depth is not ours to bound as for requests. */
	AUTO(json_decref) json_t *object = json_loadb(line, length, 0, NULL);

	for (size_t i = 0; object && i < ARRAY_SIZE(kinds); i++) {
		const json_t *event = json_object_get(object, kinds[i].name);

		if (event)
			kinds[i].take(events, event);
	}
}

void pulumi_events_complain(struct pulumi_events *events, const char *line)
{
	if (text_starts_with(line, "error: "))
		note_error(events, line + strlen("error: "));
}

bool pulumi_events_succeeded(const struct pulumi_events *events, bool ended_well)
{
	return ended_well && text_equal(events->result, "succeeded");
}

const char *pulumi_events_why(const struct pulumi_events *events, const char *end)
{
	/* The last one often only says that something failed. */
	if (events->first_error)
		return events->first_error;
	return events->result ? events->result : end;
}

void pulumi_events_release(struct pulumi_events *events)
{
	free(events->result);
	free(events->first_error);
	*events = (struct pulumi_events){ .layer = NULL };
}
