#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/duration.h"

static void durations_are_read_as_people_write_them(void **unused)
{
	static const struct {
		const char *text;
		int64_t ms;
	} cases[] = {
		{ "90s", 90000 },  { "10m", 600000 },
		{ "2h", 7200000 }, { "1h30m", 5400000 },
		{ "500ms", 500 },  { "3d", 259200000 },
		{ "0s", 0 },       { "1d2h3m4s5ms6us", 93784005 },
		{ "1999us", 1 },   { "3650d", 315360000000 },
		{ "010s", 10000 },
	};
	struct error err;

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t ms = -1;

		assert_true(duration_parse(cases[i].text, "--ttl", &ms, &err));
		assert_int_equal(ms, cases[i].ms);
	}
}

static void microseconds_are_kept_where_asked(void **unused)
{
	struct error err;
	int64_t us;

	(void)unused;
	assert_true(duration_parse_us("1ms500us", "x", &us, &err));
	assert_int_equal(us, 1500);
}

static void anything_else_is_refused_and_shown(void **unused)
{
	static const char *const wrong[] = {
		"",    "90", "-1h", "+1h",  "1.5h", "2 hours", " 2h",
		"2h ", "h",  "2x",  "1m1h", "1h1h", "1h30",    "1hm",
		"ms",  "1H", "1sm", "∞",    "1e3s", "0x1s",    "12345678901234567890s",
		"1h\n"
	};
	struct error err;
	int64_t ms = 7;

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_false(duration_parse(wrong[i], "--ttl", &ms, &err));
		assert_int_equal(err.code, ERR_INVALID);
		assert_non_null(strstr(err.message, "--ttl \""));
		assert_non_null(strstr(err.message, "such as 90s, 10m, 2h or 1h30m"));
	}
	assert_int_equal(ms, 7);
	assert_false(duration_parse("2 hours", "--ttl", &ms, &err));
	assert_string_equal(
	    err.message,
	    "--ttl \"2 hours\" is not a duration (expected a number and a unit, such as "
	    "90s, 10m, 2h or 1h30m)");
}

static void more_than_ten_years_is_refused(void **unused)
{
	static const char *const wrong[] = { "3651d", "3650d1us", "9223372036854775807d",
					     "9999999999999999999us" };
	struct error err;
	int64_t ms = 7;

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_false(duration_parse(wrong[i], "--ttl", &ms, &err));
	assert_false(duration_parse("111111111111h\xCF}", "--ttl", &ms, &err));
	assert_string_equal(err.message, "--ttl \"111111111111h?}\" is longer than 10 years");
	assert_false(duration_parse("3651d", "--ttl", &ms, &err));
	assert_string_equal(err.message, "--ttl \"3651d\" is longer than 10 years");
}

static void durations_are_written_with_two_units_at_most(void **unused)
{
	static const struct {
		int64_t ms;
		const char *text;
	} cases[] = {
		{ 0, "0ms" },
		{ 350, "350ms" },
		{ 1000, "1s" },
		{ 4200, "4.2s" },
		{ 59999, "59.9s" },
		{ 60000, "1m" },
		{ 125000, "2m05s" },
		{ 5400000, "1h30m" },
		{ 3661000, "1h01m" },
		{ 86400000, "1d" },
		{ 90000000, "1d01h" },
		{ -4200, "-4.2s" },
		{ INT64_MAX, "106751991167d07h" },
		{ INT64_MIN, "-106751991167d07h" },
	};
	char into[DURATION_TEXT_SIZE];

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(duration_format(cases[i].ms, into), cases[i].text);
}

static void what_was_written_from_whole_units_reads_back(void **unused)
{
	char into[DURATION_TEXT_SIZE];
	struct error err;
	int64_t ms;

	(void)unused;
	srand(3);
	for (int round = 0; round < 2000; round++) {
		int64_t minutes = (int64_t)60000 * (rand() % 1440);

		assert_true(duration_parse(duration_format(minutes, into), "x", &ms, &err));
		assert_int_equal(ms, minutes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_are_read_as_people_write_them),
		cmocka_unit_test(microseconds_are_kept_where_asked),
		cmocka_unit_test(anything_else_is_refused_and_shown),
		cmocka_unit_test(more_than_ten_years_is_refused),
		cmocka_unit_test(durations_are_written_with_two_units_at_most),
		cmocka_unit_test(what_was_written_from_whole_units_reads_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
