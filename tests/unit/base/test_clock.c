#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/clock.h"

static void times_are_written_in_utc(void **unused)
{
	static const struct {
		int64_t at_ms;
		const char *text, *seconds;
	} cases[] = {
		{ 0, "1970-01-01T00:00:00.000Z", "1970-01-01T00:00:00Z" },
		{ 1764014115123, "2025-11-24T19:55:15.123Z", "2025-11-24T19:55:15Z" },
		{ 951782400000, "2000-02-29T00:00:00.000Z", "2000-02-29T00:00:00Z" },
		{ -1, "1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59Z" },
		{ -62167219200000, "0000-01-01T00:00:00.000Z", "0000-01-01T00:00:00Z" },
		{ 253402300799999, "9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59Z" },
		/* What RFC 3339 cannot write is shown as the nearest that it can. */
		{ INT64_MAX, "9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59Z" },
		{ INT64_MIN, "0000-01-01T00:00:00.000Z", "0000-01-01T00:00:00Z" },
	};
	char into[CLOCK_TEXT_SIZE];

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_string_equal(clock_format(cases[i].at_ms, into), cases[i].text);
		assert_string_equal(clock_format_seconds(cases[i].at_ms, into), cases[i].seconds);
	}
}

static void times_are_read_with_any_offset(void **unused)
{
	static const struct {
		const char *text;
		int64_t at_ms;
	} cases[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2025-11-24T19:55:15.123Z", 1764014115123 },
		{ "2025-11-24T19:55:15.1Z", 1764014115100 },
		{ "2025-11-24T19:55:15.123999Z", 1764014115123 },
		{ "2025-11-24T20:55:15+01:00", 1764014115000 },
		{ "2025-11-24T14:25:15-05:30", 1764014115000 },
		{ "2024-02-29T00:00:00Z", 1709164800000 },
	};
	struct error err;

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t at_ms = -7;

		assert_true(clock_parse(cases[i].text, &at_ms, &err));
		assert_int_equal(at_ms, cases[i].at_ms);
	}
}

static void what_is_no_rfc_3339_time_is_refused(void **unused)
{
	static const char *const wrong[] = {
		"",
		"now",
		"2025-11-24",
		"2025-11-24 19:55:15Z",
		"2025-11-24T19:55:15",
		"2025-11-24T19:55:15z",
		"2025-11-24T19:55Z",
		" 2025-11-24T19:55:15Z",
		"2025-11-24T19:55:15Z ",
		"25-11-24T19:55:15Z",
		"2025-1-24T19:55:15Z",
		"2025-13-01T00:00:00Z",
		"2025-02-29T00:00:00Z",
		"2025-04-31T00:00:00Z",
		"2025-00-10T00:00:00Z",
		"2025-11-24T24:00:00Z",
		"2025-11-24T19:60:15Z",
		"2025-11-24T19:55:60Z",
		"2025-11-24T19:55:15.Z",
		"2025-11-24T19:55:15,5Z",
		"2025-11-24T19:55:15+1:00",
		"2025-11-24T19:55:15+-1:00",
		"2025-11-24T19:55:15+24:00",
		"2025-11-24T19:55:15+0100",
		"2025-11-24T19:55:15+01:60",
		"+2025-11-24T19:55:15Z",
		"2025-11-24T-1:55:15Z",
	};
	struct error err;
	int64_t at_ms = 7;

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		if (clock_parse(wrong[i], &at_ms, &err))
			fail_msg("accepted: %s", wrong[i]);
		assert_int_equal(err.code, ERR_INVALID);
	}
	assert_int_equal(at_ms, 7);
}

static void what_was_written_reads_back(void **unused)
{
	char into[CLOCK_TEXT_SIZE];
	struct error err;

	(void)unused;
	srand(11);
	for (int round = 0; round < 5000; round++) {
		int64_t at_ms = ((int64_t)rand() << 20 | rand()) % 253402300799999, read;

		assert_true(clock_parse(clock_format(at_ms, into), &read, &err));
		assert_int_equal(read, at_ms);
	}
}

static void clocks_of_one_kind_never_go_back(void **unused)
{
	int64_t mono = clock_mono_ms(), boot = clock_boot_ms(), us = clock_mono_us();

	(void)unused;
	for (int i = 0; i < 1000; i++) {
		assert_true(clock_mono_ms() >= mono);
		assert_true(clock_boot_ms() >= boot);
		assert_true(clock_mono_us() >= us);
		us = clock_mono_us();
	}
	assert_true(clock_wall_ms() > 1700000000000);
	assert_true(strlen(clock_boot_id()) == 36 || strlen(clock_boot_id()) == 0);
	assert_string_equal(clock_boot_id(), clock_boot_id());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_written_in_utc),
		cmocka_unit_test(times_are_read_with_any_offset),
		cmocka_unit_test(what_is_no_rfc_3339_time_is_refused),
		cmocka_unit_test(what_was_written_reads_back),
		cmocka_unit_test(clocks_of_one_kind_never_go_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
