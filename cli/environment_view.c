#include "cli/environment_view.h"

#include <string.h>

#include "base/clock.h"
#include "base/duration.h"
#include "model/proof.h"

static bool time_of(const json_t *object, const char *key, int64_t *at_ms)
{
	struct error ignored; /* a time that is missing is not shown */

	return json_has(object, key) &&
	       clock_parse(json_get_string(object, key, ""), at_ms, &ignored);
}

bool environment_is_in(const json_t *environment, const char *state)
{
	return text_equal(json_get_string(environment, "state", ""), state);
}

bool environment_is_ending(const json_t *environment)
{
	return environment_is_in(environment, "failed") ||
	       environment_is_in(environment, "destroying") ||
	       environment_is_in(environment, "destroyed");
}

void environment_expiry(const json_t *environment, struct text *into)
{
	int64_t at_ms, left_ms;
	char length[DURATION_TEXT_SIZE];

	if (!time_of(environment, "expires_at", &at_ms)) {
		text_add(into, "-");
		return;
	}
	left_ms = at_ms - clock_wall_ms();
	if (environment_is_in(environment, "destroyed") || left_ms <= 0)
		text_add(into, "ended");
	else
		text_add(into, duration_format(left_ms / 1000 * 1000, length));
}

void environment_money(const json_t *environment, const char *key, struct text *into)
{
	const json_t *cost = json_object_get(environment, "cost");

	double units = json_get_number(cost, key, 0);

	if (!json_has(cost, key)) {
		text_add(into, "-");
		return;
	}
	/* An environment of ten minutes costs less than a cent, but not nothing. */
	text_format(into, "%.*f %s%s", units >= 0.00005 && units < 0.1 ? 4 : 2, units,
		    json_get_string(cost, "currency", ""),
		    json_get_bool(cost, "example", false) ? "*" : "");
}

enum tone environment_state_tone(const char *state)
{
	static const struct {
		const char *state;
		enum tone tone;
	} tones[] = {
		{ "ready", TONE_GOOD },         { "passed", TONE_GOOD },
		{ "failed", TONE_BAD },         { "inconclusive", TONE_WARNING },
		{ "destroying", TONE_WARNING }, { "destroyed", TONE_FAINT },
		{ "error", TONE_BAD },          { "warned", TONE_WARNING },
		{ "skipped", TONE_FAINT },
	};

	for (size_t i = 0; i < ARRAY_SIZE(tones); i++)
		if (text_equal(tones[i].state, state))
			return tones[i].tone;
	return TONE_PLAIN;
}

/* ---- one environment ---- */

static void print_field(const char *name, const char *value)
{
	if (*value)
		printf("  %-14s %s\n", name, value);
}

static void print_expiry(const json_t *environment)
{
	AUTO(text_release) struct text words = TEXT_EMPTY;
	AUTO(text_release) struct text left = TEXT_EMPTY;
	int64_t at_ms;
	char at[CLOCK_TEXT_SIZE];

	if (!time_of(environment, "expires_at", &at_ms))
		return;
	environment_expiry(environment, &left);
	text_format(&words, "%s (%s%s)", clock_format_seconds(at_ms, at),
		    text_equal(text_get(&left), "ended") ? "" : "in ", text_get(&left));
	print_field("expires", text_get(&words));
}

/* A lease of its own kind: what failed is kept to be looked at, and for nothing else. */
static void print_kept(const json_t *environment)
{
	const json_t *kept = json_object_get(environment, "kept");
	AUTO(text_release) struct text words = TEXT_EMPTY;
	char length[DURATION_TEXT_SIZE], at[CLOCK_TEXT_SIZE];
	int64_t at_ms;

	if (time_of(kept, "until", &at_ms))
		text_format(&words, "until %s to be looked at, then destroyed",
			    clock_format_seconds(at_ms, at));
	else if (json_is_object(kept) && !environment_is_ending(environment))
		text_format(&words, "for %s, should it fail",
			    duration_format(json_get_int64(kept, "seconds", 0) * 1000, length));
	print_field("kept", text_get(&words));
}

static void print_evidence(const json_t *environment)
{
	const json_t *evidence = json_object_get(environment, "evidence");
	const char *state = json_get_string(evidence, "state", "none");
	AUTO(text_release) struct text words = TEXT_EMPTY;

	if (text_equal(state, "taken"))
		text_format(&words, "envctl evidence %s (%lld bytes, %s)",
			    json_get_string(environment, "name", "NAME"),
			    (long long)json_get_int64(evidence, "bytes", 0),
			    json_get_string(evidence, "taken_at", ""));
	else if (text_equal(state, "wanted"))
		text_add(&words, "is being taken");
	else if (text_equal(state, "given_up"))
		text_add(&words, "could not be taken (its history says why)");
	print_field("evidence", text_get(&words));
}

static void print_outputs(const json_t *environment)
{
	const char *name;
	json_t *value;

	json_object_foreach(json_object_get(environment, "outputs"), name, value) {
		const char *text = json_string_value(value);

		if (text && !strchr(text, '\n'))
			print_field(name, text);
		else if (text)
			print_field(name, "(several lines: envctl env NAME --files DIR)");
	}
}

static void print_cost(const json_t *environment)
{
	AUTO(text_release) struct text words = TEXT_EMPTY;

	if (!json_has(environment, "cost"))
		return;
	environment_money(environment, "so_far", &words);
	text_add(&words, " so far, ");
	environment_money(environment, "at_expiry", &words);
	text_add(&words, " at expiry");
	if (json_get_number(json_object_get(environment, "cost"), "debt_per_hour", 0) > 0) {
		text_add(&words, "; DEBT of ");
		environment_money(environment, "debt_per_hour", &words);
		text_add(&words, " an hour until it is proved gone");
	}
	if (json_has(json_object_get(environment, "cost"), "prices_as_of"))
		text_format(
		    &words, "; %sprices as of %s",
		    json_get_bool(json_object_get(environment, "cost"), "example", false)
			? "EXAMPLE "
			: "",
		    json_get_string(json_object_get(environment, "cost"), "prices_as_of", ""));
	print_field("cost", text_get(&words));
}

static void print_map(const char *title, const json_t *map)
{
	AUTO(text_release) struct text words = TEXT_EMPTY;
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)map, name, value) {
		AUTO(free) char *other = json_dumps(value, JSON_ENCODE_ANY);

		text_format(&words, "%s%s=%s", words.length ? " " : "", name,
			    json_is_string(value) ? json_string_value(value) : other);
	}
	print_field(title, text_get(&words));
}

static void print_source(const json_t *source)
{
	const char *ref = json_get_string(source, "ref", NULL);
	AUTO(free)
	char *words =
	    xasprintf("%s at %s%s%.12s", json_get_string(source, "repository", ""), ref ? ref : "",
		      ref ? ", " : "", json_get_string(source, "commit", ""));

	if (json_is_object(source))
		print_field("source", words);
}

static void print_trouble(const json_t *environment)
{
	size_t i;
	json_t *item;

	print_field("message", json_get_string(environment, "message", ""));
	print_field("error", json_get_string(json_object_get(environment, "error"), "message", ""));
	print_field("reason", json_get_string(environment, "reason", ""));
	if (json_get_bool(environment, "quarantined", false))
		print_field("quarantined", "destroying it keeps failing; it is still being tried");
	json_array_foreach(json_object_get(environment, "blocked_by"), i, item) {

		print_field("blocked by", json_string_value(item) ? json_string_value(item) : "");
	}
}

void environment_print(const struct cli *cli, const json_t *environment)
{
	const char *state = json_get_string(environment, "state", "?");

	printf("%s%s%s is %s%s%s\n", terminal_tone(&cli->out, TONE_STRONG),
	       json_get_string(environment, "name", "?"), terminal_plain(&cli->out),
	       terminal_tone(&cli->out, environment_state_tone(state)), state,
	       terminal_plain(&cli->out));
	print_field("id", json_get_string(environment, "id", ""));
	print_field("template", json_get_string(environment, "template", ""));
	print_source(json_object_get(environment, "source"));
	print_field("owner", json_get_string(environment, "owner", ""));
	print_outputs(environment);
	print_expiry(environment);
	print_kept(environment);
	print_field("checks",
		    json_get_string(json_object_get(environment, "checks"), "verdict", ""));
	print_field("target", json_get_string(environment, "target", ""));
	print_map("pins", json_object_get(environment, "pins"));
	print_map("parameters", json_object_get(environment, "parameters"));
	print_map("labels", json_object_get(environment, "labels"));
	print_cost(environment);
	print_trouble(environment);
	print_evidence(environment);
}

/* ---- the end ---- */

void environment_print_proofs(const struct cli *cli, const json_t *environment)
{
	const json_t *proofs = json_object_get(environment, "proofs");
	size_t i;
	json_t *proof;

	printf("%s%s%s is gone (%s)%s\n", terminal_tone(&cli->out, TONE_STRONG),
	       json_get_string(environment, "name", "?"), terminal_plain(&cli->out),
	       json_get_string(environment, "reason", "no reason kept"),
	       json_array_size(proofs) ? "; proofs:" : "");
	json_array_foreach((json_t *)(uintptr_t)proofs, i, proof) {
		const char *kind = json_get_string(proof, "kind", "?");
		bool is_proof = !text_equal(kind, PROOF_ACKNOWLEDGED);

		printf("  %s%-16s%s %s  %s\n",
		       terminal_tone(&cli->out, is_proof ? TONE_GOOD : TONE_WARNING), kind,
		       terminal_plain(&cli->out), json_get_string(proof, "at", ""),
		       proof_words(kind));
	}
	print_cost(environment);
}

/* ---- failing ---- */

/* By the reason that the server gives: whose fault it is decides the exit status. */
static const struct {
	const char *reason;
	enum error_code code;
	const char *slug;
	const char *words;
} failures[] = {
	{ "create_failed", ERR_EXTERNAL, "environment_failed", "failed to build" },
	{ "check_failed", ERR_EXTERNAL, "check_failed", "was built, but its checks failed" },
	{ "check_inconclusive", ERR_EXTERNAL, "check_inconclusive",
	  "was built, but its checks could not judge it" },
	{ "requested", ERR_GONE, "environment_cancelled", "was destroyed by a request" },
	{ "lease_ended", ERR_GONE, "environment_ended", "has ended with its lease" },
	{ "hard_wall", ERR_GONE, "environment_ended", "has reached its last possible moment" },
	{ "queue_timeout", ERR_LIMIT, "queue_timeout", "found no room in time" },
};

/* It is kept, or is being taken right now. */
static bool has_evidence(const json_t *environment)
{
	const char *state =
	    json_get_string(json_object_get(environment, "evidence"), "state", "none");

	return text_equal(state, "taken") || text_equal(state, "wanted");
}

bool environment_failure(struct cli *cli, const json_t *environment, struct error *err)
{
	const char *reason = json_get_string(environment, "reason", "create_failed");
	const char *name = json_get_string(environment, "name", "?");
	const json_t *error = json_object_get(environment, "error");
	const char *cause =
	    json_get_string(error, "message", json_get_string(environment, "message", ""));
	const char *until = json_get_string(json_object_get(environment, "kept"), "until", "");
	size_t i = 0;

	while (i + 1 < ARRAY_SIZE(failures) && !text_equal(failures[i].reason, reason))
		i++;
	if (!text_equal(failures[i].reason, reason))
		i = 0;
	text_clear(&cli->cause);
	text_add(&cli->cause, cause);
	error_set_as(err, failures[i].code, failures[i].slug, "environment \"%s\" %s%s%s", name,
		     failures[i].words, *until ? "; it is kept to be looked at until " : "", until);
	if (*json_get_string(error, "hint", "") && !has_evidence(environment))
		return error_hint(err, "%s", json_get_string(error, "hint", ""));
	if (*json_get_string(error, "hint", ""))
		return error_hint(err, "%s; and what was there: envctl evidence %s",
				  json_get_string(error, "hint", ""), name);
	return error_hint(err, "envctl report %s    or    envctl history %s%s%s", name, name,
			  has_evidence(environment) ? "    or    envctl evidence " : "",
			  has_evidence(environment) ? name : "");
}
