#include "model/expectation.h"

#include <string.h>

#include "base/duration.h"
#include "base/text.h"
#include "model/expectation_parts.h"
#include "model/pattern.h"
#include "model/placeholder.h"

/* A position in the sentence, for errors that point. */
struct cursor {
	const char *text;
	const char *at;
};

/* ---- subjects ------------------------------------------------------------------------------ */

enum subject_type { TYPE_ANY, TYPE_TEXT, TYPE_NUMBER, TYPE_BOOLEAN, TYPE_DURATION, TYPE_LIST };

#define OF(kind) (1u << (kind))
#define OF_ALL (~0u)

/* A name that ends with "." stands for a family: header.location, json.items[0].id. */
// clang-format off
static const struct subject {
	unsigned kinds;
	const char *name;
	enum subject_type type;
} subjects[] = {
	{ OF(CHECK_HTTP),       "status",         TYPE_NUMBER },
	{ OF(CHECK_HTTP),       "body",           TYPE_TEXT },
	{ OF(CHECK_HTTP),       "size",           TYPE_NUMBER },
	{ OF(CHECK_HTTP),       "url",            TYPE_TEXT },
	{ OF(CHECK_HTTP),       "redirects",      TYPE_NUMBER },
	{ OF(CHECK_HTTP),       "http.version",   TYPE_NUMBER },
	{ OF(CHECK_HTTP),       "header.",        TYPE_TEXT },
	{ OF(CHECK_HTTP),       "cookie.",        TYPE_ANY },
	{ OF(CHECK_HTTP),       "jar.",           TYPE_TEXT },
	{ OF(CHECK_HTTP),       "jwt.",           TYPE_ANY },
	{ OF(CHECK_HTTP),       "json.",          TYPE_ANY },
	{ OF(CHECK_TLS),        "tls.version",    TYPE_NUMBER },
	{ OF(CHECK_TLS),        "tls.expires_in", TYPE_DURATION },
	{ OF(CHECK_TLS),        "tls.san",        TYPE_LIST },
	{ OF(CHECK_TLS),        "tls.subject",    TYPE_TEXT },
	{ OF(CHECK_TLS),        "tls.issuer",     TYPE_TEXT },
	{ OF(CHECK_TCP),        "connected",      TYPE_BOOLEAN },
	{ OF(CHECK_DNS),        "dns.count",      TYPE_NUMBER },
	{ OF(CHECK_DNS),        "dns.addresses",  TYPE_LIST },
	{ OF(CHECK_PROMETHEUS), "ready",          TYPE_BOOLEAN },
	{ OF(CHECK_PROMETHEUS), "targets.up",     TYPE_NUMBER },
	{ OF(CHECK_PROMETHEUS), "targets.down",   TYPE_NUMBER },
	{ OF(CHECK_PROMETHEUS), "targets.total",  TYPE_NUMBER },
	{ OF(CHECK_PROMETHEUS), "query.count",    TYPE_NUMBER },
	{ OF(CHECK_PROMETHEUS), "query.value",    TYPE_NUMBER },
	{ OF(CHECK_PROMETHEUS), "query.min",      TYPE_NUMBER },
	{ OF(CHECK_PROMETHEUS), "query.max",      TYPE_NUMBER },
	{ OF(CHECK_EXEC),       "exit",           TYPE_NUMBER },
	{ OF(CHECK_EXEC),       "output",         TYPE_TEXT },
	{ OF(CHECK_KUBE),       "workloads.total",   TYPE_NUMBER },
	{ OF(CHECK_KUBE),       "workloads.ready",   TYPE_NUMBER },
	{ OF(CHECK_KUBE),       "workloads.unready", TYPE_NUMBER },
	{ OF(CHECK_KUBE),       "pods.restarted",    TYPE_NUMBER },
	{ OF_ALL,               "duration",       TYPE_DURATION },
	{ OF_ALL,               "captured.",      TYPE_ANY },
};
// clang-format on

const char *check_kind_name(enum check_kind kind)
{
	static const char *const names[] = {
#define X(constant, name) [constant] = name,
		CHECK_KINDS(X)
#undef X
	};

	return names[kind];
}

static const struct subject *find_subject(const char *name, enum check_kind kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(subjects); i++) {
		const char *known = subjects[i].name;

		if (!(subjects[i].kinds & OF(kind)))
			continue;
		if (text_ends_with(known, ".")
			? text_starts_with(name, known) && name[strlen(known)]
			: strcmp(known, name) == 0)
			return &subjects[i];
	}
	return NULL;
}

/* The nearest subject of this kind; families are compared by their first word alone. */
static const char *nearest_subject(const char *name, enum check_kind kind)
{
	const char *known[ARRAY_SIZE(subjects) + 1];
	AUTO(free) char *family = xstrndup(name, strcspn(name, ".") + (strchr(name, '.') != NULL));
	const char *nearest;
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(subjects); i++)
		if (subjects[i].kinds & OF(kind))
			known[count++] = subjects[i].name;
	known[count] = NULL;
	nearest = text_nearest(name, known);
	return nearest ? nearest : text_nearest(family, known);
}

static bool refuse_subject(const char *name, enum check_kind kind, struct error *err)
{
	const char *nearest = nearest_subject(name, kind);
	const char *form = nearest && text_ends_with(nearest, ".") ? "NAME" : "";

	error_set_as(err, ERR_INVALID, "expectation_invalid",
		     "\"%.60s\" is nothing that a step of kind %s sees", name,
		     check_kind_name(kind));
	return nearest ? error_hint(err, "did you mean \"%s%s\"?", nearest, form) : false;
}

bool expectation_check_subject(const char *subject, enum check_kind kind, struct error *err)
{
	return find_subject(subject, kind) ? true : refuse_subject(subject, kind, err);
}

/* ---- reading: helpers ---------------------------------------------------------------------- */

static bool refuse(const struct cursor *cursor, struct error *err, const char *format, ...)
    PRINTF_LIKE(3, 4);

static bool refuse(const struct cursor *cursor, struct error *err, const char *format, ...)
{
	char what[256];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	return error_set_as(err, ERR_INVALID, "expectation_invalid",
			    "\"%.150s\", character %td: %s", cursor->text,
			    cursor->at - cursor->text + 1, what);
}

static void skip_blanks(struct cursor *cursor)
{
	cursor->at += strspn(cursor->at, " \t");
}

static void add_reference(void *arg, const char *name)
{
	struct expectation *that = arg;

	that->references = xrealloc(that->references, that->reference_count + 1, sizeof(char *));
	that->references[that->reference_count++] = xstrdup(name);
}

/* ---- reading: operators -------------------------------------------------------------------- */

/* Longer ones before their beginnings. */
// clang-format off
static const struct {
	const char *text;
	enum operation operation;
} operators[] = {
	{ "==",        OPERATION_EQUAL },
	{ "!=",        OPERATION_NOT_EQUAL },
	{ "<=",        OPERATION_LESS_EQUAL },
	{ "<",         OPERATION_LESS },
	{ ">=",        OPERATION_GREATER_EQUAL },
	{ ">",         OPERATION_GREATER },
	{ "!~",        OPERATION_NOT_MATCHES },
	{ "~",         OPERATION_MATCHES },
	{ "!contains", OPERATION_NOT_CONTAINS },
	{ "contains",  OPERATION_CONTAINS },
	{ "!exists",   OPERATION_NOT_EXISTS },
	{ "exists",    OPERATION_EXISTS },
};
// clang-format on

static bool read_operator(struct cursor *cursor, enum operation *operation, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(operators); i++) {
		if (!text_starts_with(cursor->at, operators[i].text))
			continue;
		cursor->at += strlen(operators[i].text);
		*operation = operators[i].operation;
		return true;
	}
	return refuse(cursor, err,
		      "expected one of == != < <= > >= ~ !~ contains !contains exists !exists");
}

/* ---- reading: values ----------------------------------------------------------------------- */

/* 'text', in which '' is one quote. */
static bool read_quoted(struct cursor *cursor, struct expectation *that, struct error *err)
{
	AUTO(text_release) struct text text = TEXT_EMPTY;
	const char *at = cursor->at + 1;

	for (;; at++) {
		if (!*at)
			return refuse(cursor, err, "the quote ' is not closed");
		if (*at == '\'' && *++at != '\'')
			break;
		text_add_char(&text, *at);
	}
	cursor->at = at;
	that->value.kind = VALUE_TEXT;
	that->value.text = text_take(&text);
	return true;
}

static bool read_name(struct cursor *cursor, struct expectation *that, struct error *err)
{
	bool in_braces = text_starts_with(cursor->at, "${");
	const char *name = cursor->at + strlen(in_braces ? "${" : "captured.");
	size_t length = placeholder_name_length(name);
	AUTO(free) char *reference = NULL;

	if (!length || length > PLACEHOLDER_NAME_MAX || (in_braces && name[length] != '}'))
		return refuse(cursor, err, "expected ${name} or captured.name");
	that->value.kind = VALUE_NAME;
	that->value.text = xstrndup(name, length);
	reference =
	    xstrndup(in_braces ? name : cursor->at, length + (in_braces ? 0 : strlen("captured.")));
	add_reference(that, reference);
	cursor->at = name + length + (in_braces ? 1 : 0);
	return true;
}

/* A number or a duration. */
static bool read_amount(struct cursor *cursor, enum value_kind *kind, struct decimal *number,
			int64_t *us, struct error *err)
{
	size_t length = strcspn(cursor->at, " \t");
	AUTO(free) char *word = xstrndup(cursor->at, length);
	struct error ignored; /* what is neither is told in our own words */

	if (decimal_read(word, number))
		*kind = VALUE_NUMBER;
	else if (duration_parse_us(word, "value", us, &ignored))
		*kind = VALUE_DURATION;
	else
		return refuse(cursor, err,
			      "\"%.40s\" is no value (a number, a duration such as 30ms, 'text' in "
			      "single quotes, true, false, now, ${name} or captured.name)",
			      word);
	cursor->at += length;
	return true;
}

static bool read_word(struct cursor *cursor, const char *word)
{
	size_t length = strlen(word);

	if (strncmp(cursor->at, word, length) != 0 || !strchr(" \t", cursor->at[length]))
		return false;
	cursor->at += length;
	return true;
}

static bool read_value(struct cursor *cursor, struct expectation *that, struct error *err)
{
	if (*cursor->at == '\'')
		return read_quoted(cursor, that, err);
	if (text_starts_with(cursor->at, "${") || text_starts_with(cursor->at, "captured."))
		return read_name(cursor, that, err);
	if (read_word(cursor, "now")) {
		that->value.kind = VALUE_NOW;
		return true;
	}
	that->value.is_true = read_word(cursor, "true");
	if (that->value.is_true || read_word(cursor, "false")) {
		that->value.kind = VALUE_BOOLEAN;
		return true;
	}
	return read_amount(cursor, &that->value.kind, &that->value.number, &that->value.us, err);
}

/* "+ 25.00", "- 1h" */
static bool read_offset(struct cursor *cursor, struct expectation *that, struct error *err)
{
	bool is_minus = *cursor->at == '-';
	enum value_kind kind;
	struct decimal number;
	int64_t us;

	if (*cursor->at != '+' && *cursor->at != '-')
		return refuse(cursor, err, "\"%.40s\" is too much", cursor->at);
	if (that->value.kind != VALUE_NUMBER && that->value.kind != VALUE_NOW &&
	    that->value.kind != VALUE_NAME)
		return refuse(cursor, err, "nothing can be added to this value");
	cursor->at++;
	skip_blanks(cursor);
	if (!read_amount(cursor, &kind, &number, &us, err))
		return false;
	if (kind == VALUE_DURATION) /* seconds, as Unix times have */
		number.billionths = (__int128)us * 1000;
	if (is_minus)
		number.billionths = -number.billionths;
	that->value.has_offset = true;
	that->value.offset = number;
	return true;
}

/* ---- reading: does it make sense? ---------------------------------------------------------- */

#define ORDER                                                                                      \
	(OF(OPERATION_LESS) | OF(OPERATION_LESS_EQUAL) | OF(OPERATION_GREATER) |                   \
	 OF(OPERATION_GREATER_EQUAL))
#define EQUALITY (OF(OPERATION_EQUAL) | OF(OPERATION_NOT_EQUAL))
#define PATTERNS (OF(OPERATION_MATCHES) | OF(OPERATION_NOT_MATCHES))
#define PARTS (OF(OPERATION_CONTAINS) | OF(OPERATION_NOT_CONTAINS))
#define PRESENCE (OF(OPERATION_EXISTS) | OF(OPERATION_NOT_EXISTS))

/* What may be asked of a type, and what it may be compared with. */
// clang-format off
static const struct {
	const char *name;
	unsigned operations;
	unsigned values;
	const char *expected;
} types[] = {
	[TYPE_ANY]      = { "any", OF_ALL, OF_ALL, "" },
	[TYPE_TEXT]     = { "text", OF_ALL, OF_ALL & ~OF(VALUE_DURATION), "'text' or a number" },
	[TYPE_NUMBER]   = { "a number", ORDER | EQUALITY | PRESENCE,
			    OF(VALUE_NUMBER) | OF(VALUE_NOW) | OF(VALUE_NAME), "a number" },
	[TYPE_BOOLEAN]  = { "true or false", EQUALITY | PRESENCE,
			    OF(VALUE_BOOLEAN) | OF(VALUE_NAME), "true or false" },
	[TYPE_DURATION] = { "a length of time", ORDER | PRESENCE,
			    OF(VALUE_DURATION) | OF(VALUE_NAME), "a duration with a unit, such as 300ms" },
	[TYPE_LIST]     = { "a list", PARTS | PATTERNS | PRESENCE,
			    OF(VALUE_TEXT) | OF(VALUE_NAME), "'text'" },
};
// clang-format on

static bool check_operation(struct cursor *cursor, const struct subject *subject,
			    enum operation operation, struct error *err)
{
	if (types[subject->type].operations & OF(operation))
		return true;
	return refuse(cursor, err, "%s is %s, which cannot be asked that", subject->name,
		      types[subject->type].name);
}

static bool check_value(struct cursor *cursor, const struct subject *subject,
			const struct expectation *that, struct error *err)
{
	unsigned operation = OF(that->operation);

	if (!(types[subject->type].values & OF(that->value.kind)))
		return refuse(cursor, err, "%s is compared with %s", subject->name,
			      types[subject->type].expected);
	if ((operation & PATTERNS) && that->value.kind != VALUE_TEXT)
		return refuse(cursor, err, "expected a regular expression in single quotes");
	if ((operation & PARTS) && that->value.kind != VALUE_TEXT && that->value.kind != VALUE_NAME)
		return refuse(cursor, err, "expected 'text' in single quotes");
	if ((operation & ORDER) &&
	    (that->value.kind == VALUE_TEXT || that->value.kind == VALUE_BOOLEAN))
		return refuse(cursor, err, "only numbers and durations have an order");
	return true;
}

static bool finish_text(struct cursor *cursor, struct expectation *that, struct error *err)
{
	struct error why;

	if (that->value.kind != VALUE_TEXT)
		return true;
	if (!(OF(that->operation) & PATTERNS))
		return placeholder_names(that->value.text, add_reference, that, &why) ||
		       refuse(cursor, err, "%s", why.message);
	that->has_regex = pattern_compile(that->value.text, &that->regex, &why);
	return that->has_regex || refuse(cursor, err, "%s", why.message);
}

/* ---- reading: the whole -------------------------------------------------------------------- */

static bool read_comparison(struct cursor *cursor, const struct subject *subject,
			    struct expectation *that, struct error *err)
{
	struct cursor start = *cursor;

	if (!read_operator(cursor, &that->operation, err) ||
	    !check_operation(&start, subject, that->operation, err))
		return false;
	skip_blanks(cursor);
	if (OF(that->operation) & PRESENCE)
		return !*cursor->at || refuse(cursor, err, "\"%.40s\" is too much", cursor->at);
	if (!*cursor->at)
		return refuse(cursor, err, "a value is missing");
	start = *cursor;
	if (!read_value(cursor, that, err))
		return false;
	skip_blanks(cursor);
	if (*cursor->at && !read_offset(cursor, that, err))
		return false;
	skip_blanks(cursor);
	if (*cursor->at)
		return refuse(cursor, err, "\"%.40s\" is too much", cursor->at);
	return check_value(&start, subject, that, err) && finish_text(&start, that, err);
}

static bool read_sentence(struct cursor *cursor, enum check_kind kind, struct expectation *that,
			  struct error *err)
{
	const struct subject *subject;
	size_t length;

	skip_blanks(cursor);
	length = strcspn(cursor->at, " \t<>=!~");
	if (!length)
		return refuse(cursor, err, "expected a subject, such as \"status\" or \"body\"");
	that->subject = xstrndup(cursor->at, length);
	subject = find_subject(that->subject, kind);
	if (!subject) {
		refuse_subject(that->subject, kind, err);
		return error_wrap(err, "\"%.150s\", character %td", cursor->text,
				  cursor->at - cursor->text + 1);
	}
	if (text_starts_with(that->subject, "captured."))
		add_reference(that, that->subject);
	cursor->at += length;
	skip_blanks(cursor);
	if (*cursor->at)
		return read_comparison(cursor, subject, that, err);
	if (subject->type != TYPE_BOOLEAN && subject->type != TYPE_ANY)
		return refuse(cursor, err, "%s is %s: say what it should be", that->subject,
			      types[subject->type].name);
	that->operation = OPERATION_EQUAL;
	that->value.kind = VALUE_BOOLEAN;
	that->value.is_true = true;
	return true;
}

bool expectation_parse(const char *text, enum check_kind kind, struct expectation **expectation,
		       struct error *err)
{
	AUTO(expectation_free) struct expectation *that = NULL;
	struct cursor cursor = { text, text };

	if (strlen(text) > EXPECTATION_TEXT_MAX)
		return error_set_as(err, ERR_INVALID, "expectation_invalid",
				    "expectation is longer than %d characters",
				    EXPECTATION_TEXT_MAX);
	that = xcalloc(1, sizeof(*that));
	that->text = xstrdup(text);
	if (!read_sentence(&cursor, kind, that, err))
		return false;
	*expectation = TAKE(that);
	return true;
}

void expectation_free(struct expectation *expectation)
{
	if (!expectation)
		return;
	for (size_t i = 0; i < expectation->reference_count; i++)
		free(expectation->references[i]);
	free(expectation->references);
	if (expectation->has_regex)
		regfree(&expectation->regex);
	free(expectation->value.text);
	free(expectation->subject);
	free(expectation->text);
	free(expectation);
}

const char *expectation_text(const struct expectation *expectation)
{
	return expectation->text;
}

const char *expectation_subject(const struct expectation *expectation)
{
	return expectation->subject;
}

const char *expectation_reference(const struct expectation *expectation, size_t index)
{
	return index < expectation->reference_count ? expectation->references[index] : NULL;
}
