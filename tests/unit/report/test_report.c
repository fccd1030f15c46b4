#include "report/report.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/files.h"
#include "base/json_read.h"
#include "base/text.h"

/* Run from the repository's folder. GOLDEN_WRITE=1 writes what is expected anew: look at the diff.
 */
#define FIXTURES "tests/fixtures/report"

static const char *const inputs[] = { "gone", "build_failed", "checks_failed", "almost_empty" };

static const struct {
	const char *format, *ending, *content_type;
} formats[] = {
	{ "markdown", "md", "text/markdown; charset=utf-8" },
	{ "junit", "xml", "application/xml" },
	{ "text", "txt", "text/plain; charset=utf-8" },
	{ "json", "json", "application/json" },
};

static json_t *input(const char *name)
{
	AUTO(free) char *path = xasprintf(FIXTURES "/%s.input.json", name);
	json_t *report;
	struct error err;

	if (!json_read_file(path, 1024 * 1024, &report, &err))
		fail_msg("%s", err.message);
	return report;
}

static char *render(const char *format, const json_t *report)
{
	const char *content_type;
	char *text;
	struct error err;

	if (!report_render(format, report, &text, &content_type, &err))
		fail_msg("%s", err.message);
	return text;
}

static void compare(const char *name, const char *ending, const char *text)
{
	AUTO(free) char *path = xasprintf(FIXTURES "/%s.%s", name, ending);
	AUTO(free) char *golden = NULL;
	struct error err;

	if (getenv("GOLDEN_WRITE"))
		assert_true(file_write_atomically(path, text, strlen(text), 0644, &err));
	if (!file_read(path, 1024 * 1024, &golden, NULL, &err))
		fail_msg("%s", err.message);
	assert_string_equal(text, golden);
}

static void every_format_renders_what_it_always_did(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(inputs); i++) {
		AUTO(json_decref) json_t *report = input(inputs[i]);

		for (size_t f = 0; f < ARRAY_SIZE(formats); f++) {
			AUTO(free) char *text = render(formats[f].format, report);

			compare(inputs[i], formats[f].ending, text);
		}
	}
}

static void json_is_the_document_itself(void **unused)
{
	AUTO(json_decref) json_t *report = input("gone");
	AUTO(free) char *text = render("json", report);
	AUTO(json_decref) json_t *again = NULL;
	struct error err;

	(void)unused;
	assert_true(json_parse(text, strlen(text), "report", &again, &err));
	assert_true(json_equal(report, again));
}

static void nothing_but_text_reaches_xml_and_terminal(void **unused)
{
	static const char *const kinds[] = { "junit", "text", "markdown" };
	AUTO(json_decref) json_t *report = input("build_failed");

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		AUTO(free) char *text = render(kinds[i], report);

		for (const char *at = text; *at; at++)
			assert_true((unsigned char)*at >= 0x20 || *at == '\n' || *at == '\t');
		assert_true(text_is_utf8(text, strlen(text)));
	}
}

static size_t count_of(const char *text, const char *part)
{
	size_t count = 0;

	for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
		count++;
	return count;
}

static void a_bad_product_is_a_failure_and_broken_machinery_an_error(void **unused)
{
	AUTO(json_decref) json_t *checks = input("checks_failed");
	AUTO(json_decref) json_t *build = input("build_failed");
	AUTO(free) char *product = render("junit", checks);
	AUTO(free) char *machinery = render("junit", build);

	(void)unused;
	/* A check and a threshold; not the threshold that only warns. */
	assert_int_equal(count_of(product, "<failure "), 2);
	/* A check that could not be made, a sick generator and its three thresholds. */
	assert_int_equal(count_of(product, "<error "), 5);
	assert_int_equal(count_of(machinery, "<failure "), 0);
	assert_int_equal(count_of(machinery, "<error "), 3);
}

static void junit_names_stay_the_same_from_run_to_run(void **unused)
{
	AUTO(json_decref) json_t *one = input("gone");
	AUTO(json_decref) json_t *other = input("gone");
	json_t *environment = json_object_get(other, "environment");

	(void)unused;
	json_object_set_new(environment, "id", json_string("00000000-0000-4000-8000-000000000000"));
	json_object_set_new(environment, "name", json_string("another"));
	json_object_set_new(environment, "created_at", json_string("2027-01-01T00:00:00.000Z"));

	AUTO(free) char *first = render("junit", one);
	AUTO(free) char *second = render("junit", other);
	const char *a = first, *b = second;

	while ((a = strstr(a, "<testcase")) && (b = strstr(b, "<testcase"))) {
		size_t length = strcspn(a, ">");

		assert_int_equal(length, strcspn(b, ">"));
		assert_memory_equal(a, b, length);
		a += length;
		b += length;
	}
	assert_null(strstr(b, "<testcase"));
}

/* The schema is the subset itself: see tests/fixtures/report/junit.xsd. */
static void junit_keeps_to_the_subset_that_all_readers_know(void **unused)
{
	(void)unused;
	if (system("command -v xmllint >/dev/null") != 0) {
		print_message("xmllint is not here (libxml2-utils)\n");
		skip();
	}
	for (size_t i = 0; i < ARRAY_SIZE(inputs); i++) {
		AUTO(json_decref) json_t *report = input(inputs[i]);
		AUTO(free) char *text = render("junit", report);
		FILE *xmllint =
		    popen("xmllint --noout --schema " FIXTURES "/junit.xsd - 2>&1", "w");

		assert_non_null(xmllint);
		assert_int_equal(fwrite(text, 1, strlen(text), xmllint), strlen(text));
		assert_int_equal(pclose(xmllint), 0);
	}
}

static void every_suite_has_a_case(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(inputs); i++) {
		AUTO(json_decref) json_t *report = input(inputs[i]);
		AUTO(free) char *text = render("junit", report);

		assert_true(count_of(text, "<testsuite ") >= 1);
		assert_int_equal(count_of(text, "tests=\"0\""), 0);
	}
}

static void what_a_person_took_on_is_not_called_proved(void **unused)
{
	AUTO(json_decref) json_t *report = input("gone");

	(void)unused;
	json_object_set_new(
	    report, "proofs",
	    json_pack("[{s:s, s:s}]", "kind", "acknowledged", "at", "2026-11-24T20:10:16.000Z"));

	AUTO(free) char *text = render("text", report);
	AUTO(free) char *junit = render("junit", report);

	assert_non_null(strstr(text, "pr-812: destroyed, not proved gone\n"));
	assert_non_null(strstr(text, "not proved: a person has taken on what may be left"));
	assert_int_equal(count_of(junit, "<error "), 1);
}

static void an_unknown_format_is_refused_by_name(void **unused)
{
	AUTO(json_decref) json_t *report = json_object();
	const char *content_type;
	char *text;
	struct error err;

	(void)unused;
	assert_false(report_render("markdwn", report, &text, &content_type, &err));
	assert_int_equal(err.code, ERR_INVALID);
	assert_string_equal(err.slug, "unknown_format");
	assert_string_equal(err.hint, "did you mean markdown?");
}

static void an_empty_document_renders_in_every_format(void **unused)
{
	AUTO(json_decref) json_t *report = json_object();

	(void)unused;
	for (size_t f = 0; f < ARRAY_SIZE(formats); f++) {
		AUTO(free) char *text = render(formats[f].format, report);

		assert_true(*text != '\0');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_format_renders_what_it_always_did),
		cmocka_unit_test(json_is_the_document_itself),
		cmocka_unit_test(nothing_but_text_reaches_xml_and_terminal),
		cmocka_unit_test(a_bad_product_is_a_failure_and_broken_machinery_an_error),
		cmocka_unit_test(junit_names_stay_the_same_from_run_to_run),
		cmocka_unit_test(junit_keeps_to_the_subset_that_all_readers_know),
		cmocka_unit_test(every_suite_has_a_case),
		cmocka_unit_test(what_a_person_took_on_is_not_called_proved),
		cmocka_unit_test(an_unknown_format_is_refused_by_name),
		cmocka_unit_test(an_empty_document_renders_in_every_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
