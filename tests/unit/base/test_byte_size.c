#include "base/byte_size.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void sizes_are_read_as_people_write_them(void **unused)
{
	static const struct {
		const char *text;
		int64_t bytes;
	} cases[] = {
		{ "1k", 1024 },
		{ "512MiB", INT64_C(512) << 20 },
		{ "512m", INT64_C(512) << 20 },
		{ "2GiB", INT64_C(2) << 30 },
		{ "2Gi", INT64_C(2) << 30 },
		{ "0m", 0 },
		{ "1024TiB", INT64_C(1) << 50 },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err;
		int64_t bytes;

		if (!byte_size_parse(cases[i].text, "memory", &bytes, &err))
			fail_msg("%s", err.message);
		assert_int_equal(bytes, cases[i].bytes);
	}
}

static void what_is_no_size_is_refused_by_name(void **unused)
{
	static const char *const wrong[] = { "",     "5",       "m",
					     "-1m",  "1.5GiB",  "1 GiB",
					     "1GB?", "1025TiB", "99999999999999999999k" };

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct error err;
		int64_t bytes;

		if (byte_size_parse(wrong[i], "memory", &bytes, &err))
			fail_msg("\"%s\" was taken", wrong[i]);
		assert_int_equal(err.code, ERR_INVALID);
		assert_non_null(strstr(err.message, "memory"));
	}
}

static void sizes_are_shown_in_the_unit_that_fits(void **unused)
{
	char text[BYTE_SIZE_TEXT];

	(void)unused;
	assert_string_equal(byte_size_format(0, text), "0 B");
	assert_string_equal(byte_size_format(536870912, text), "512 MiB");
	assert_string_equal(byte_size_format(1610612736, text), "1.5 GiB");
	assert_string_equal(byte_size_format((int64_t)3 << 50, text), "3072 TiB");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_are_read_as_people_write_them),
		cmocka_unit_test(what_is_no_size_is_refused_by_name),
		cmocka_unit_test(sizes_are_shown_in_the_unit_that_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
