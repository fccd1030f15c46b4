#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <errno.h>
#include <cmocka.h>

#include "base/error.h"
#include "base/text.h"

static void setting_an_error_fails_and_names_it(void **unused)
{
	struct error err;

	(void)unused;
	assert_false(error_set(&err, ERR_NOT_FOUND, "environment \"%s\" is not there", "e1"));
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_string_equal(err.slug, "not_found");
	assert_string_equal(err.message, "environment \"e1\" is not there");
	assert_string_equal(err.hint, "");
	assert_false(error_set_as(&err, ERR_GONE, "lease_ended", "too late"));
	assert_string_equal(err.slug, "lease_ended");
}

static void a_new_error_forgets_the_old_hint(void **unused)
{
	struct error err;

	(void)unused;
	error_set(&err, ERR_INVALID, "one");
	assert_false(error_hint(&err, "try %d", 2));
	assert_string_equal(err.hint, "try 2");
	error_set(&err, ERR_INVALID, "two");
	assert_string_equal(err.hint, "");
}

static void wrapping_keeps_code_slug_and_hint(void **unused)
{
	struct error err;

	(void)unused;
	error_set_as(&err, ERR_GONE, "lease_ended", "the lease has ended");
	error_hint(&err, "ask for a new one");
	assert_false(error_wrap(&err, "environment %s", "e1"));
	assert_string_equal(err.message, "environment e1: the lease has ended");
	assert_string_equal(err.slug, "lease_ended");
	assert_int_equal(err.code, ERR_GONE);
	assert_string_equal(err.hint, "ask for a new one");
}

static void errno_becomes_what_the_caller_can_do(void **unused)
{
	static const struct {
		int errno_value;
		enum error_code code;
	} cases[] = {
		{ ENOENT, ERR_NOT_FOUND },   { EACCES, ERR_DENIED },
		{ ENOSPC, ERR_UNAVAILABLE }, { EMFILE, ERR_UNAVAILABLE },
		{ ETIMEDOUT, ERR_TIMEOUT },  { ECONNREFUSED, ERR_EXTERNAL },
		{ EIO, ERR_INTERNAL },
	};
	struct error err;

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_false(
		    error_set_errno(&err, cases[i].errno_value, "cannot open \"%s\"", "f"));
		assert_int_equal(err.code, cases[i].code);
		assert_string_equal(err.slug, error_code_name(cases[i].code));
	}
	error_set_errno(&err, ENOENT, "cannot open \"f\"");
	assert_string_equal(err.message, "cannot open \"f\": No such file or directory");
}

static void long_messages_are_cut_at_a_whole_character(void **unused)
{
	struct error err;
	char text[1024] = "";

	(void)unused;
	for (int shift = 0; shift < 4; shift++) {
		memset(text, 'x', (size_t)shift);
		for (size_t i = (size_t)shift; i + 3 < sizeof(text); i += 3)
			memcpy(text + i, "€", 4);
		error_set(&err, ERR_INVALID, "%s", text);
		assert_true(strlen(err.message) > sizeof(err.message) - 5);
		assert_true(text_is_utf8(err.message, strlen(err.message)));
		error_wrap(&err, "context %s", text);
		assert_true(text_is_utf8(err.message, strlen(err.message)));
		error_hint(&err, "%s", text);
		assert_true(text_is_utf8(err.hint, strlen(err.hint)));
		error_set_errno(&err, ENOENT, "%s", text);
		assert_true(text_is_utf8(err.message, strlen(err.message)));
	}
}

static void only_what_may_go_away_is_transient(void **unused)
{
	struct error err;

	(void)unused;
	for (int code = ERR_NONE; code <= ERR_INTERNAL; code++) {
		bool expected = code == ERR_UNAVAILABLE || code == ERR_TIMEOUT ||
				code == ERR_EXTERNAL || code == ERR_INTERNAL;

		error_set(&err, (enum error_code)code, "x");
		assert_int_equal(error_is_transient(&err), expected);
	}
}

static void every_code_has_a_name_that_leads_back(void **unused)
{
	(void)unused;
	for (int code = ERR_NONE; code <= ERR_INTERNAL; code++)
		assert_int_equal(error_code_from_name(error_code_name((enum error_code)code)),
				 code);
	assert_int_equal(error_code_from_name("no such code"), ERR_INTERNAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(setting_an_error_fails_and_names_it),
		cmocka_unit_test(a_new_error_forgets_the_old_hint),
		cmocka_unit_test(wrapping_keeps_code_slug_and_hint),
		cmocka_unit_test(errno_becomes_what_the_caller_can_do),
		cmocka_unit_test(long_messages_are_cut_at_a_whole_character),
		cmocka_unit_test(only_what_may_go_away_is_transient),
		cmocka_unit_test(every_code_has_a_name_that_leads_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
