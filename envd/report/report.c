#include "report/report.h"

#include <string.h>

#include "base/text.h"
#include "model/proof.h"
#include "report/report_format.h"

static const struct report_format *const formats[] = {
	&report_json,
	&report_markdown,
	&report_junit,
	&report_text,
};

const json_t *report_newest_run(const json_t *report, const char *suite)
{
	const json_t *newest = NULL, *checks = json_object_get(report, "checks");

	for (size_t i = 0; i < json_array_size(checks); i++) {
		const json_t *run = json_array_get(checks, i);

		if (!json_array_size(json_object_get(run, suite)))
			continue;
		/* RFC 3339 UTC sorts as text. */
		if (!newest || strcmp(json_get_string(run, "started_at", ""),
				      json_get_string(newest, "started_at", "")) >= 0)
			newest = run;
	}
	return newest;
}

const json_t *report_proofs(const json_t *report)
{
	const json_t *proofs = json_object_get(report, "proofs");

	if (json_array_size(proofs))
		return proofs;
	return json_object_get(json_object_get(report, "environment"), "proofs");
}

char *report_map(const json_t *map, const char *separator)
{
	struct text words = TEXT_EMPTY;
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)map, key, value) {
		AUTO(free) char *other = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

		text_format(&words, "%s%s=%s", words.length ? separator : "", key,
			    json_is_string(value) ? json_string_value(value) : other);
	}
	return text_take(&words);
}

bool report_is_proved_gone(const json_t *report)
{
	const json_t *proofs = report_proofs(report);

	for (size_t i = 0; i < json_array_size(proofs); i++)
		if (text_equal(json_get_string(json_array_get(proofs, i), "kind", ""),
			       PROOF_ACKNOWLEDGED))
			return false;
	return json_array_size(proofs) > 0;
}

const char *report_verdict(const json_t *report)
{
	const json_t *environment = json_object_get(report, "environment");
	const char *state = json_get_string(environment, "state", "unknown");

	if (!text_equal(state, "destroyed"))
		return state;
	return report_is_proved_gone(report) ? "proved gone" : "destroyed, not proved gone";
}

char *report_seen(const json_t *check)
{
	struct text seen = TEXT_EMPTY;
	const json_t *expectations = json_object_get(check, "expectations");
	const char *message = json_get_string(check, "message", "");

	if (*message)
		return xstrdup(message);
	if (json_has(check, "blocked_by"))
		return xasprintf("blocked by %s", json_get_string(check, "blocked_by", "?"));
	for (size_t i = 0; i < json_array_size(expectations); i++) {
		const json_t *expectation = json_array_get(expectations, i);

		text_format(&seen, "%s%s: saw %s", i ? "; " : "",
			    json_get_string(expectation, "text", "?"),
			    json_get_string(expectation, "saw", "?"));
	}
	return text_take(&seen);
}

/* An environment of ten minutes costs less than a cent, but not nothing. */
static void add_money(struct text *into, const json_t *cost, const char *key)
{
	double units = json_get_number(cost, key, 0);

	text_format(into, "%.*f %s", units >= 0.00005 && units < 0.1 ? 4 : 2, units,
		    json_get_string(cost, "currency", ""));
}

char *report_kept(const json_t *report)
{
	const json_t *kept = json_object_get(json_object_get(report, "environment"), "kept");
	const char *until = json_get_string(kept, "until", "");

	return *until ? xasprintf("until %s to be looked at, then destroyed", until) : xstrdup("");
}

char *report_evidence(const json_t *report)
{
	const json_t *environment = json_object_get(report, "environment");
	const char *state =
	    json_get_string(json_object_get(environment, "evidence"), "state", "none");

	if (!text_equal(state, "taken") && !text_equal(state, "wanted"))
		return xstrdup("");
	return xasprintf("envctl evidence %s", json_get_string(environment, "name", "NAME"));
}

char *report_cost(const json_t *report)
{
	const json_t *cost = json_object_get(json_object_get(report, "environment"), "cost");
	struct text words = TEXT_EMPTY;

	if (!json_is_object(cost))
		return xstrdup("");
	add_money(&words, cost, "so_far");
	text_add(&words, " so far, ");
	add_money(&words, cost, "at_expiry");
	text_add(&words, " at expiry, ");
	add_money(&words, cost, "per_hour");
	text_add(&words, " an hour");
	if (json_get_number(cost, "debt_per_hour", 0) > 0)
		text_add(&words, ", as debt until it is proved gone");
	if (json_get_bool(cost, "example", false))
		text_add(&words, " (EXAMPLE prices, nobody's offer)");
	return text_take(&words);
}

char *report_blocked_by(const json_t *report)
{
	const json_t *blocks =
	    json_object_get(json_object_get(report, "environment"), "blocked_by");
	struct text words = TEXT_EMPTY;

	for (size_t i = 0; i < json_array_size(blocks); i++) {
		const char *block = json_string_value(json_array_get(blocks, i));

		text_format(&words, "%s%s", i ? ", " : "", block ? block : "?");
	}
	return text_take(&words);
}

const json_t *report_said_services(const json_t *report)
{
	const json_t *history = json_object_get(report, "history"), *newest = NULL;

	for (size_t i = 0; i < json_array_size(history); i++) {
		const json_t *row = json_array_get(history, i);
		const json_t *services = json_object_get(json_object_get(row, "data"), "services");

		if (text_equal(json_get_string(row, "kind", ""), "warning") &&
		    json_array_size(services))
			newest = services;
	}
	return newest;
}

char *report_log_tail(const json_t *service)
{
	const json_t *lines = json_object_get(service, "log_tail");
	struct text tail = TEXT_EMPTY;

	for (size_t i = 0; i < json_array_size(lines); i++) {
		const char *line = json_string_value(json_array_get(lines, i));

		text_format(&tail, "%s\n", line ? line : "");
	}
	return text_take(&tail);
}

void report_make_printable(struct text *text)
{
	for (size_t i = 0; i < text->length; i++) {
		unsigned char c = (unsigned char)text->bytes[i];

		if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7F)
			text->bytes[i] = '?';
	}
}

static bool unknown_format(const char *format, struct error *err)
{
	const char *names[ARRAY_SIZE(formats) + 1];
	char shown[40];

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		names[i] = formats[i]->name;
	names[ARRAY_SIZE(formats)] = NULL;

	AUTO(free) char *known = text_join(names, ", ");
	const char *nearest = text_nearest(format, names);

	error_set_as(err, ERR_INVALID, "unknown_format",
		     "there is no report format \"%s\" (expected one of %s)",
		     text_printable(format, shown, sizeof(shown)), known);
	return nearest ? error_hint(err, "did you mean %s?", nearest) : false;
}

bool report_render(const char *format, const json_t *report, char **text, const char **content_type,
		   struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		struct text rendered = TEXT_EMPTY;

		if (!text_equal(formats[i]->name, format))
			continue;
		formats[i]->render(report, &rendered);
		*text = text_take(&rendered);
		*content_type = formats[i]->content_type;
		return true;
	}
	return unknown_format(format, err);
}
