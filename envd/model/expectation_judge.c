#include <inttypes.h>
#include <string.h>

#include "base/duration.h"
#include "base/text.h"
#include "model/expectation_parts.h"
#include "model/pattern.h"
#include "model/placeholder.h"

#define EXCERPT_BYTES 100

/* The right-hand side with its names filled in. */
struct wanted {
	char *text;            /* NULL: there is none */
	struct decimal number; /* if is_number */
	bool is_number;
	bool is_computed; /* worth telling, because the sentence does not show it */
};

static void auto_wanted_release(struct wanted *wanted)
{
	free(wanted->text);
}

/* ---- telling what was seen ----------------------------------------------------------------- */

static void tell_duration(int64_t us, char *into, size_t size)
{
	char text[DURATION_TEXT_SIZE];

	if (us > -1000 && us < 1000)
		snprintf(into, size, "%" PRId64 "us", us);
	else if (us > -10000000 && us < 10000000)
		snprintf(into, size, "%.1fms", (double)us / 1000);
	else
		snprintf(into, size, "%s", duration_format(us / 1000, text));
}

/* Where to look in a long text: around the first match of what should not be there, or its start.
 */
static size_t excerpt_start(const struct expectation *that, const struct observed *seen,
			    const struct wanted *wanted)
{
	regmatch_t match[1];
	const char *found;
	size_t at = 0;

	if (that->operation == OPERATION_NOT_MATCHES &&
	    pattern_matches(&that->regex, seen->text, seen->length, match, 1))
		at = (size_t)match[0].rm_so;
	else if (that->operation == OPERATION_NOT_CONTAINS && wanted->text) {
		found = memmem(seen->text, seen->length, wanted->text, strlen(wanted->text));
		at = found ? (size_t)(found - seen->text) : 0;
	}
	return at > EXCERPT_BYTES / 2 ? at - EXCERPT_BYTES / 2 : 0;
}

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xC0) == 0x80;
}

/* Secrets are hidden in the whole text: an excerpt might begin or end inside of one. */
static char *hidden(const struct observer *observer, const struct observed *seen)
{
	char *copy = xcalloc(seen->length + 1, 1);

	for (size_t i = 0; i < seen->length; i++)
		copy[i] = seen->text[i] ? seen->text[i] : '?';
	if (observer->hide_secrets)
		observer->hide_secrets(observer->arg, copy);
	return copy;
}

static void tell_text(const struct expectation *that, const struct observer *observer,
		      const struct observed *seen, const struct wanted *wanted, char *into,
		      size_t size)
{
	size_t start = excerpt_start(that, seen, wanted);
	size_t length = seen->length - start;
	char shown[EXCERPT_BYTES + 1];
	AUTO(free) char *text = hidden(observer, seen);
	AUTO(free) char *excerpt = NULL;

	/* Not in the middle of a character. */
	while (start > 0 && length > 0 && is_continuation(seen->text[start])) {
		start++;
		length--;
	}
	if (length > EXCERPT_BYTES)
		length = EXCERPT_BYTES;
	while (length > 0 && start + length < seen->length &&
	       is_continuation(seen->text[start + length]))
		length--;
	excerpt = xstrndup(text + start, length);
	for (char *at = excerpt; *at; at++)
		if (*at == '\n' || *at == '\r')
			*at = ' ';
	if (!text_is_utf8(excerpt, length))
		snprintf(into, size, "%zu bytes that are no text", seen->length);
	else if (length == seen->length)
		snprintf(into, size, "'%s'", text_printable(excerpt, shown, sizeof(shown)));
	else
		snprintf(into, size, "%s'%s%s' (%zu bytes)", start ? "..." : "",
			 text_printable(excerpt, shown, sizeof(shown)),
			 start + length < seen->length ? "..." : "", seen->length);
}

static void tell_list(const struct observed *seen, char *into, size_t size)
{
	snprintf(into, size, "%s", seen->length ? seen->text : "an empty list");
	for (char *at = into; *at; at++)
		if (*at == '\n')
			*at = at[1] ? ' ' : '\0';
}

static void tell(const struct expectation *that, const struct observer *observer,
		 const struct observed *seen, const struct wanted *wanted, char *into, size_t size)
{
	if (seen->kind == OBSERVED_NOTHING)
		snprintf(into, size, "nothing");
	else if (seen->is_secret)
		snprintf(into, size, "a value of %zu characters (not shown)", seen->length);
	else if (seen->kind == OBSERVED_BOOLEAN)
		snprintf(into, size, "%s", seen->is_true ? "true" : "false");
	else if (seen->kind == OBSERVED_DURATION)
		tell_duration(seen->us, into, size);
	else if (seen->kind == OBSERVED_NUMBER)
		snprintf(into, size, "%s", seen->text);
	else if (seen->kind == OBSERVED_LIST)
		tell_list(seen, into, size);
	else
		tell_text(that, observer, seen, wanted, into, size);
}

static void add_saw(struct judgement *judgement, const char *format, ...) PRINTF_LIKE(2, 3);

static void add_saw(struct judgement *judgement, const char *format, ...)
{
	size_t used = strlen(judgement->saw);
	va_list args;

	va_start(args, format);
	vsnprintf(judgement->saw + used, sizeof(judgement->saw) - used, format, args);
	va_end(args);
}

/* ---- the right-hand side ------------------------------------------------------------------- */

static void set_number(struct wanted *wanted, struct decimal number, bool is_money)
{
	char text[DECIMAL_TEXT_SIZE];

	wanted->number = number;
	wanted->is_number = true;
	wanted->text = xstrdup(decimal_format(number, is_money ? 2 : 0, text));
}

static bool fill_text(const struct expectation *that, const struct observer *observer,
		      struct wanted *wanted, struct judgement *judgement)
{
	struct error why;

	/* A regular expression was compiled already, and holds no names. */
	if (that->has_regex || placeholder_fill(that->value.text, observer->name_value,
						observer->arg, &wanted->text, &why))
		return true;
	add_saw(judgement, "%s", why.message);
	return false;
}

/* The offset, if there is one, makes the number that is compared. */
static bool finish_number(const struct expectation *that, struct decimal number,
			  struct wanted *wanted, struct judgement *judgement)
{
	wanted->is_computed = wanted->is_computed || that->value.has_offset;
	if (that->value.has_offset && !decimal_add(&number, that->value.offset)) {
		add_saw(judgement, "the number is out of range");
		return false;
	}
	set_number(wanted, number, that->value.kind == VALUE_NAME);
	return true;
}

static bool find_named(const struct expectation *that, const struct observer *observer,
		       struct wanted *wanted, struct judgement *judgement)
{
	AUTO(free) char *text = observer->name_value(observer->arg, that->value.text);
	struct decimal number;

	wanted->is_computed = true;
	if (!text) {
		add_saw(judgement, "nothing was captured as \"%s\"", that->value.text);
		return false;
	}
	if (decimal_read(text, &number)) {
		if (!finish_number(that, number, wanted, judgement))
			return false;
	} else if (that->value.has_offset) {
		add_saw(judgement, "\"%s\" is not a number", that->value.text);
		return false;
	}
	/* Text that was captured is compared as it was, where no number is asked for. */
	if (!that->value.has_offset) {
		free(wanted->text);
		wanted->text = TAKE(text);
	}
	return true;
}

/* False when a name has no value, or is no number where one is needed; says so. */
static bool find_wanted(const struct expectation *that, const struct observer *observer,
			struct wanted *wanted, struct judgement *judgement)
{
	switch (that->value.kind) {
	case VALUE_TEXT:
		return fill_text(that, observer, wanted, judgement);
	case VALUE_NAME:
		return find_named(that, observer, wanted, judgement);
	case VALUE_NUMBER:
		return finish_number(that, that->value.number, wanted, judgement);
	case VALUE_NOW:
		return finish_number(that, decimal_from_int64(observer->now_ms / 1000), wanted,
				     judgement);
	default:
		return true;
	}
}

/* ---- comparing ----------------------------------------------------------------------------- */

static bool holds(enum operation operation, int order)
{
	switch (operation) {
	case OPERATION_EQUAL:
		return order == 0;
	case OPERATION_NOT_EQUAL:
		return order != 0;
	case OPERATION_LESS:
		return order < 0;
	case OPERATION_LESS_EQUAL:
		return order <= 0;
	case OPERATION_GREATER:
		return order > 0;
	default:
		return order >= 0;
	}
}

static int compare_us(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

/* Either side may be text that was captured or received: "1500us", "2s". */
static bool read_duration(const char *text, int64_t *us, struct judgement *judgement)
{
	struct error ignored; /* it would repeat the text, which may be a secret */

	if (duration_parse_us(text, "it", us, &ignored))
		return true;
	add_saw(judgement, ", which is no length of time");
	return false;
}

static bool judge_duration(const struct expectation *that, const struct observed *seen,
			   const struct wanted *wanted, struct judgement *judgement)
{
	AUTO(free) char *text = observed_to_text(seen);
	int64_t seen_us = seen->us, us = that->value.us;

	if (seen->kind != OBSERVED_DURATION && !read_duration(text, &seen_us, judgement))
		return false;
	if (that->value.kind != VALUE_DURATION && !read_duration(wanted->text, &us, judgement))
		return false;
	return holds(that->operation, compare_us(seen_us, us));
}

/* Only == and != make sense of true and false. */
static bool judge_boolean(const struct expectation *that, const struct observed *seen,
			  const struct wanted *wanted, struct judgement *judgement)
{
	AUTO(free) char *text = observed_to_text(seen);
	const char *expected = wanted->text ? wanted->text : that->value.is_true ? "true" : "false";

	if (that->operation != OPERATION_EQUAL && that->operation != OPERATION_NOT_EQUAL) {
		add_saw(judgement, ", which has no order");
		return false;
	}
	return holds(that->operation, strcmp(text, expected) != 0);
}

static bool judge_number(const struct expectation *that, const struct observed *seen,
			 const struct wanted *wanted, struct judgement *judgement)
{
	struct decimal number;

	if (seen->length < DECIMAL_TEXT_SIZE * 2 && decimal_read(seen->text, &number))
		return holds(that->operation, decimal_compare(number, wanted->number));
	add_saw(judgement, ", which is not a number");
	return that->operation == OPERATION_NOT_EQUAL;
}

static bool judge_order(const struct expectation *that, const struct observed *seen,
			const struct wanted *wanted, struct judgement *judgement)
{
	bool has_order =
	    that->operation != OPERATION_EQUAL && that->operation != OPERATION_NOT_EQUAL;
	bool is_equal;

	if (seen->kind == OBSERVED_DURATION || that->value.kind == VALUE_DURATION)
		return judge_duration(that, seen, wanted, judgement);
	if (seen->kind == OBSERVED_BOOLEAN || that->value.kind == VALUE_BOOLEAN)
		return judge_boolean(that, seen, wanted, judgement);
	is_equal = wanted->text && seen->length == strlen(wanted->text) &&
		   memcmp(seen->text, wanted->text, seen->length) == 0;
	if (!has_order && (is_equal || !wanted->is_number))
		return holds(that->operation, !is_equal);
	if (!wanted->is_number) {
		add_saw(judgement, ", and \"%s\" is not a number", that->value.text);
		return false;
	}
	return judge_number(that, seen, wanted, judgement);
}

static bool list_contains(const struct observed *seen, const char *item)
{
	size_t length = strlen(item);

	for (const char *at = seen->text; *at;) {
		size_t line = strcspn(at, "\n");

		if (line == length && strncmp(at, item, length) == 0)
			return true;
		at += line + (at[line] == '\n');
	}
	return false;
}

static bool list_matches(const struct observed *seen, const regex_t *regex)
{
	for (const char *at = seen->text; *at;) {
		size_t line = strcspn(at, "\n");

		if (pattern_matches(regex, at, line, NULL, 0))
			return true;
		at += line + (at[line] == '\n');
	}
	return false;
}

static bool contains(const struct observed *seen, const char *part)
{
	if (seen->kind == OBSERVED_LIST)
		return list_contains(seen, part);
	return memmem(seen->text, seen->length, part, strlen(part)) != NULL;
}

static bool matches(const struct observed *seen, const regex_t *regex)
{
	if (seen->kind == OBSERVED_LIST)
		return list_matches(seen, regex);
	return pattern_matches(regex, seen->text, seen->length, NULL, 0);
}

static bool judge_seen(const struct expectation *that, const struct observed *seen,
		       const struct wanted *wanted, struct judgement *judgement)
{
	AUTO(observed_release) struct observed as_text = { .kind = OBSERVED_NOTHING };

	/* A boolean or a duration of a json or cookie subject, asked as if it were text. */
	if (!seen->text && that->operation >= OPERATION_MATCHES) {
		AUTO(free) char *text = observed_to_text(seen);

		as_text = observed_text(text);
		seen = &as_text;
	}
	switch (that->operation) {
	case OPERATION_EXISTS:
		return true;
	case OPERATION_NOT_EXISTS:
		return false;
	case OPERATION_MATCHES:
		return matches(seen, &that->regex);
	case OPERATION_NOT_MATCHES:
		return !matches(seen, &that->regex);
	case OPERATION_CONTAINS:
		return contains(seen, wanted->text);
	case OPERATION_NOT_CONTAINS:
		return !contains(seen, wanted->text);
	default:
		return judge_order(that, seen, wanted, judgement);
	}
}

void expectation_judge(const struct expectation *that, const struct observer *observer,
		       struct judgement *judgement)
{
	AUTO(observed_release)
	struct observed seen = observer->look(observer->arg, that->subject);
	AUTO(wanted_release) struct wanted wanted = { 0 };
	struct judgement remark = { 0 };

	*judgement = (struct judgement){ 0 };
	if (!find_wanted(that, observer, &wanted, judgement))
		return;
	if (seen.kind == OBSERVED_NOTHING)
		judgement->is_met = that->operation == OPERATION_NOT_EXISTS;
	else
		judgement->is_met = judge_seen(that, &seen, &wanted, &remark);
	if (judgement->is_met && observer->tells_only_what_fails)
		return;
	tell(that, observer, &seen, &wanted, judgement->saw, sizeof(judgement->saw));
	if (seen.note)
		add_saw(judgement, " (%s)", seen.note);
	add_saw(judgement, "%s", remark.saw);
	if (wanted.is_computed && wanted.text && observer->hide_secrets)
		observer->hide_secrets(observer->arg, wanted.text);
	if (wanted.is_computed && wanted.text)
		add_saw(judgement, ", wanted %.60s", wanted.text);
}
