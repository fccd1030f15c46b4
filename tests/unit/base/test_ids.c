#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/ids.h"

static void new_ids_are_valid_and_differ(void **unused)
{
	struct env_id a = env_id_new(), b = env_id_new();
	struct job_id job = job_id_new();

	(void)unused;
	assert_true(id_is_valid(a.text));
	assert_true(id_is_valid(job.text));
	assert_string_not_equal(a.text, b.text);
	assert_int_equal(a.text[14], '4');
	assert_string_equal(env_id_from(a.text).text, a.text);
	assert_string_equal(job_id_from(job.text).text, job.text);
}

static void only_lower_case_uuids_are_ids(void **unused)
{
	static const char *const wrong[] = { "",
					     "x",
					     "0b0e7a3c",
					     "0b0e7a3c-3c1e-4d5f-8a9b-0123456789a",
					     "0b0e7a3c-3c1e-4d5f-8a9b-0123456789abc",
					     "0B0E7A3C-3C1E-4D5F-8A9B-0123456789AB",
					     "0b0e7a3c+3c1e-4d5f-8a9b-0123456789ab",
					     "0b0e7a3c-3c1e-4d5f-8a9b-0123456789ag",
					     "0b0e7a3c-3c1e-4d5f-8a9b_0123456789ab" };

	(void)unused;
	assert_true(id_is_valid("0b0e7a3c-3c1e-4d5f-8a9b-0123456789ab"));
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_false(id_is_valid(wrong[i]));
}

static void names_are_short_lower_case_words(void **unused)
{
	static const char *const right[] = { "a", "web-1",
					     "a234567890123456789012345678901234567890" };
	static const char *const wrong[] = { "",
					     "1a",
					     "-a",
					     "A",
					     "a_b",
					     "a b",
					     "a.b",
					     "a/b",
					     "é",
					     "a\n",
					     "a23456789012345678901234567890123456789012" };
	struct error err;

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(right); i++)
		assert_true(name_check(right[i], "environment name", &err));
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_false(name_check(wrong[i], "environment name", &err));
		assert_int_equal(err.code, ERR_INVALID);
		assert_non_null(strstr(err.message, "environment name \""));
	}
	assert_false(name_check("A", "environment name", &err));
	assert_string_equal(
	    err.message,
	    "environment name \"A\" must be 1 to 40 of a-z, 0-9 and \"-\" and start with a "
	    "letter");
}

/* An environment is found by either, so a name must not be able to be another one's id. */
static void a_name_cannot_have_the_form_of_an_id(void **unused)
{
	struct error err;

	(void)unused;
	assert_false(name_check("ab0e7a3c-3c1e-4d5f-8a9b-0123456789ab", "environment name", &err));
	assert_non_null(strstr(err.message, "must not have the form of an id"));
	assert_true(name_check("ab0e7a3c-3c1e-4d5f-8a9b-0123456789a", "environment name", &err));
}

static void random_digits_fill_exactly_what_was_asked(void **unused)
{
	char into[20], other[20];

	(void)unused;
	memset(into, 'Z', sizeof(into));
	random_hex(into, 16);
	random_hex(other, 16);
	assert_int_equal(strlen(into), 16);
	assert_int_equal(strspn(into, "0123456789abcdef"), 16);
	assert_int_equal(into[17], 'Z');
	assert_string_not_equal(into, other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_ids_are_valid_and_differ),
		cmocka_unit_test(only_lower_case_uuids_are_ids),
		cmocka_unit_test(names_are_short_lower_case_words),
		cmocka_unit_test(a_name_cannot_have_the_form_of_an_id),
		cmocka_unit_test(random_digits_fill_exactly_what_was_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
