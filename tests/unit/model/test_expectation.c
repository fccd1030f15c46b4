#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "model/expectation.h"

#define NOW_S 1700000000

/* A world in which every subject has one value. */
static struct observed look(void *arg, const char *subject)
{
	static const struct {
		const char *subject;
		const char *text;
	} texts[] = {
		{ "body", "<p>balance: $1,234.50</p>\n<p>$---</p>" },
		{ "header.location", "https://bank/home" },
		{ "json.count", "7" },
		{ "json.name", "Alice" },
		{ "captured.balance", "1,259.50" },
		{ "json.age", "90s" },
	};

	if (arg && strcmp(subject, "body") == 0)
		return observed_text(arg);
	if (strcmp(subject, "status") == 0)
		return observed_number(200);
	if (strcmp(subject, "duration") == 0)
		return observed_duration(12300);
	if (strcmp(subject, "json.ok") == 0)
		return observed_boolean(true);
	if (strcmp(subject, "jwt.token.exp") == 0)
		return observed_number(NOW_S + 3600);
	if (strcmp(subject, "cookie.token") == 0) {
		struct observed secret = observed_text("hunter2hunter2");

		secret.is_secret = true;
		return secret;
	}
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (strcmp(texts[i].subject, subject) == 0)
			return observed_text(texts[i].text);
	return observed_nothing("it is not there");
}

static char *name_value(void *arg, const char *name)
{
	(void)arg;
	if (strcmp(name, "balance") == 0)
		return xstrdup("1,234.50");
	if (strcmp(name, "who") == 0)
		return xstrdup("Alice");
	return NULL;
}

struct row {
	const char *text;
	bool is_met;
	const char *saw; /* NULL: whatever */
};

static void check_rows(const struct row *rows, size_t count)
{
	const struct observer observer = { .look = look,
					   .name_value = name_value,
					   .now_ms = (int64_t)NOW_S * 1000 };

	for (size_t i = 0; i < count; i++) {
		AUTO(expectation_free) struct expectation *that = NULL;
		struct judgement judgement;
		struct error err;

		if (!expectation_parse(rows[i].text, CHECK_HTTP, &that, &err))
			fail_msg("%s", err.message);
		expectation_judge(that, &observer, &judgement);
		if (judgement.is_met != rows[i].is_met)
			fail_msg("%s: %s (saw %s)", rows[i].text,
				 judgement.is_met ? "met" : "not met", judgement.saw);
		if (rows[i].saw && strcmp(judgement.saw, rows[i].saw) != 0)
			fail_msg("%s: saw \"%s\" instead of \"%s\"", rows[i].text, judgement.saw,
				 rows[i].saw);
	}
}

static void each_operator_is_met_and_not_met(void **unused)
{
	static const struct row rows[] = {
		{ "status == 200", true, "200" },
		{ "status == 302", false, "200" },
		{ "status != 200", false, "200" },
		{ "status != 404", true, "200" },
		{ "status < 300", true, "200" },
		{ "status < 200", false, "200" },
		{ "status <= 200", true, "200" },
		{ "status > 200", false, "200" },
		{ "status >= 200", true, "200" },
		{ "status>=200", true, "200" },
		{ "header.location ~ '/home$'", true, "'https://bank/home'" },
		{ "header.location ~ '^/home'", false, "'https://bank/home'" },
		{ "header.location !~ 'login'", true, NULL },
		{ "header.location !~ 'bank'", false, NULL },
		{ "header.location contains 'bank'", true, NULL },
		{ "header.location contains 'Bank'", false, NULL },
		{ "header.location !contains 'login'", true, NULL },
		{ "header.location exists", true, NULL },
		{ "header.location !exists", false, NULL },
		{ "header.server exists", false, "nothing (it is not there)" },
		{ "header.server !exists", true, NULL },
		{ "json.ok", true, "true" },
		{ "json.ok == true", true, "true" },
		{ "json.ok == false", false, "true" },
		{ "json.ok != false", true, "true" },
		{ "duration < 20ms", true, "12.3ms" },
		{ "duration < 12ms", false, "12.3ms" },
		{ "json.age < 2m", true, NULL },
		{ "json.age > 2m", false, NULL },
		{ "json.name < 5s", false, "'Alice', which is no length of time" },
	};

	(void)unused;
	check_rows(rows, ARRAY_SIZE(rows));
}

static void what_is_not_there_meets_nothing_but_absence(void **unused)
{
	static const struct row rows[] = {
		{ "header.server == 'x'", false, NULL },
		{ "header.server != 'x'", false, NULL },
		{ "header.server !~ 'x'", false, NULL },
		{ "header.server !contains 'x'", false, NULL },
		{ "json.missing < 5", false, NULL },
		{ "json.missing", false, NULL },
	};

	(void)unused;
	check_rows(rows, ARRAY_SIZE(rows));
}

static void numbers_are_compared_as_numbers_and_text_as_text(void **unused)
{
	static const struct row rows[] = {
		{ "json.count == 7", true, NULL },
		{ "json.count == 7.00", true, NULL },
		{ "json.count == '7.00'", false, NULL },
		{ "json.count > 10", false, NULL },
		{ "json.name == 7", false, "'Alice', which is not a number" },
		{ "json.name > 7", false, "'Alice', which is not a number" },
		{ "json.name != 7", true, NULL },
		{ "json.ok > 1", false, "true, which has no order" },
		{ "captured.balance == ${balance} + 25.00", true, "'1,259.50', wanted 1259.50" },
		{ "captured.balance == ${balance} + 25", true, NULL },
		{ "captured.balance == ${balance} - 25.00", false, "'1,259.50', wanted 1209.50" },
		{ "captured.balance > captured.balance", true, "'1,259.50', wanted 1,234.50" },
		{ "json.name == ${who}", true, "'Alice', wanted Alice" },
		{ "json.name == 'x${who}'", false, NULL },
		{ "json.name == ${nobody}", false, "nothing was captured as \"nobody\"" },
		{ "json.count == ${who} + 1", false, "\"who\" is not a number" },
		{ "jwt.token.exp > now", true, NULL },
		{ "jwt.token.exp > now + 59m", true, NULL },
		{ "jwt.token.exp > now + 61m", false, NULL },
		{ "jwt.token.exp <= now - 1s", false, NULL },
	};

	(void)unused;
	check_rows(rows, ARRAY_SIZE(rows));
}

static void secrets_are_told_by_their_length(void **unused)
{
	static const struct row rows[] = {
		{ "cookie.token == 'x'", false, "a value of 14 characters (not shown)" },
		{ "body !contains '$---'", false, "'<p>balance: $1,234.50</p> <p>$---</p>'" },
	};

	(void)unused;
	check_rows(rows, ARRAY_SIZE(rows));
}

static void long_text_is_told_around_what_should_not_be_there(void **unused)
{
	AUTO(expectation_free) struct expectation *that = NULL;
	AUTO(free) char *page = xcalloc(3001, 1);
	const struct observer observer = { .look = look, .name_value = name_value, .arg = page };
	struct judgement judgement;
	struct error err;

	(void)unused;
	memset(page, 'a', 3000);
	memcpy(page + 1500, "$---", 4);
	assert_true(expectation_parse("body !~ '[$]-+'", CHECK_HTTP, &that, &err));
	expectation_judge(that, &observer, &judgement);
	assert_false(judgement.is_met);
	assert_non_null(strstr(judgement.saw, "aaa$---aaa"));
	assert_non_null(strstr(judgement.saw, "(3000 bytes)"));
}

struct refusal {
	const char *text;
	enum check_kind kind;
	const char *message;
	const char *hint;
};

static void nonsense_is_refused_with_its_place(void **unused)
{
	static const struct refusal rows[] = {
		{ "", CHECK_HTTP, "character 1: expected a subject", "" },
		{ "statsu == 200", CHECK_HTTP,
		  "\"statsu\" is nothing that a step of kind http sees",
		  "did you mean \"status\"?" },
		{ "headers.location exists", CHECK_HTTP, "\"headers.location\" is nothing",
		  "did you mean \"header.NAME\"?" },
		{ "header. exists", CHECK_HTTP, "\"header.\" is nothing", NULL },
		{ "status == 200", CHECK_EXEC,
		  "\"status\" is nothing that a step of kind exec sees", NULL },
		{ "status = 200", CHECK_HTTP, "character 8: expected one of == !=", "" },
		{ "status", CHECK_HTTP, "status is a number: say what it should be", "" },
		{ "status ==", CHECK_HTTP, "character 10: a value is missing", "" },
		{ "status == 'OK'", CHECK_HTTP, "character 11: status is compared with a number",
		  "" },
		{ "status == 200 OK", CHECK_HTTP, "character 15: \"OK\" is too much", "" },
		{ "status contains '2'", CHECK_HTTP,
		  "status is a number, which cannot be asked that", "" },
		{ "duration < 300", CHECK_HTTP,
		  "duration is compared with a duration with a unit, such as 300ms", "" },
		{ "duration == 300ms", CHECK_HTTP, "duration is a length of time, which cannot",
		  "" },
		{ "body ~ '['", CHECK_HTTP, "character 8: regular expression '['", "" },
		{ "body ~ '\\d+'", CHECK_HTTP, "\"\\d\" is not POSIX (write [0-9])", "" },
		{ "body ~ 5", CHECK_HTTP, "expected a regular expression in single quotes", "" },
		{ "body contains 5", CHECK_HTTP, "expected 'text' in single quotes", "" },
		{ "body contains 'x", CHECK_HTTP, "the quote ' is not closed", "" },
		{ "body < 'x'", CHECK_HTTP, "only numbers and durations have an order", "" },
		{ "body == '${x'", CHECK_HTTP, "is not ${name}", "" },
		{ "body == tomorrow", CHECK_HTTP, "\"tomorrow\" is no value", "" },
		{ "body exists 5", CHECK_HTTP, "\"5\" is too much", "" },
		{ "body == 'x' + 1", CHECK_HTTP, "nothing can be added to this value", "" },
		{ "tls.san == 'x'", CHECK_TLS, "tls.san is a list, which cannot be asked that",
		  "" },
		{ "connected == 1", CHECK_TCP, "connected is compared with true or false", "" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct expectation *that = NULL;
		struct error err;

		if (expectation_parse(rows[i].text, rows[i].kind, &that, &err))
			fail_msg("\"%s\" was taken", rows[i].text);
		if (!strstr(err.message, rows[i].message))
			fail_msg("\"%s\": \"%s\" does not contain \"%s\"", rows[i].text,
				 err.message, rows[i].message);
		assert_int_equal(err.code, ERR_INVALID);
		assert_string_equal(err.slug, "expectation_invalid");
		if (rows[i].hint)
			assert_string_equal(err.hint, rows[i].hint);
	}
}

static void quotes_are_doubled_and_references_are_told(void **unused)
{
	AUTO(expectation_free) struct expectation *that = NULL;
	struct error err;

	(void)unused;
	assert_true(
	    expectation_parse("body contains 'it''s ${a} and ${b}'", CHECK_HTTP, &that, &err));
	assert_string_equal(expectation_subject(that), "body");
	assert_string_equal(expectation_reference(that, 0), "a");
	assert_string_equal(expectation_reference(that, 1), "b");
	assert_null(expectation_reference(that, 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_operator_is_met_and_not_met),
		cmocka_unit_test(what_is_not_there_meets_nothing_but_absence),
		cmocka_unit_test(numbers_are_compared_as_numbers_and_text_as_text),
		cmocka_unit_test(secrets_are_told_by_their_length),
		cmocka_unit_test(long_text_is_told_around_what_should_not_be_there),
		cmocka_unit_test(nonsense_is_refused_with_its_place),
		cmocka_unit_test(quotes_are_doubled_and_references_are_told),
	};

	return cmocka_run_group_tests_name("expectation", tests, NULL, NULL);
}
