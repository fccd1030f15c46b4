#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/cleanup.h"

static void amounts_are_read_as_people_write_them(void **unused)
{
	static const struct {
		const char *text;
		int64_t bytes;
	} cases[] = {
		{ "0", 0 },
		{ "1048576", 1048576 },
		{ "64k", 65536 },
		{ "512m", 536870912 },
		{ "16g", 17179869184 },
		{ "16GB", 17179869184 },
		{ "1T", 1099511627776 },
		{ "5b", 5 },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err;
		int64_t bytes;

		assert_true(bytes_parse(cases[i].text, "memory", &bytes, &err));
		assert_int_equal(bytes, cases[i].bytes);
	}
}

static void anything_else_is_refused_by_name(void **unused)
{
	static const char *const bad[] = {
		"", "g", "-1", "1.5g", "1 g", "1gg", "1bb", "1x", "9000000000000000000", "99999999t"
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct error err;
		int64_t bytes;

		if (bytes_parse(bad[i], "memory", &bytes, &err))
			fail_msg("accepted: %s", bad[i]);
		assert_non_null(strstr(err.message, "memory must be an amount"));
	}
}

static void amounts_are_shown_in_the_unit_that_fits(void **unused)
{
	char text[BYTES_TEXT_SIZE];

	(void)unused;
	assert_string_equal(bytes_format(0, text), "0 B");
	assert_string_equal(bytes_format(536870912, text), "512 MiB");
	assert_string_equal(bytes_format(1610612736, text), "1.5 GiB");
	assert_string_equal(bytes_format((int64_t)3 << 50, text), "3072 TiB");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(amounts_are_read_as_people_write_them),
		cmocka_unit_test(anything_else_is_refused_by_name),
		cmocka_unit_test(amounts_are_shown_in_the_unit_that_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
