#include "model/money.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "model/month.h"

static void amounts_are_read_digit_by_digit(void **unused)
{
	static const struct {
		const char *text;
		int64_t microcents;
	} cases[] = {
		{ "0", 0 },
		{ "0.1", 10000000 },
		{ "0.0928", 9280000 },
		{ "0.00000001", 1 },
		{ "12", 1200000000 },
		{ "1000000000", 100000000000000000 },
		{ "1000000000.00000000", 100000000000000000 },
		{ "007.50", 750000000 },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t microcents;

		if (!money_parse(cases[i].text, 1000000000, &microcents))
			fail_msg("\"%s\" was refused", cases[i].text);
		assert_int_equal(microcents, cases[i].microcents);
	}
}

static void what_is_no_amount_is_refused_and_nothing_is_written(void **unused)
{
	static const char *const wrong[] = { "",
					     "-1",
					     "-0",
					     "+1",
					     " 1",
					     "1 ",
					     "1.",
					     ".5",
					     "1,5",
					     "1e3",
					     "0x10",
					     "5%",
					     "%d",
					     "1%n",
					     "$5",
					     "0.000000001",
					     "1..2",
					     "1.2.3",
					     "NaN",
					     "inf",
					     "1000000001",
					     "1000000000.00000001",
					     "99999999999999999999999999" };

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		int64_t microcents = 42;

		if (money_parse(wrong[i], 1000000000, &microcents))
			fail_msg("\"%s\" was taken", wrong[i]);
		assert_int_equal(microcents, 42);
	}
}

static void people_read_two_digits_and_four_of_little(void **unused)
{
	static const struct {
		int64_t microcents;
		const char *shown, *exact;
	} cases[] = {
		{ 0, "0.00", "0" },
		{ 1, "0.0000", "0.00000001" },
		{ 5000, "0.0001", "0.00005" },
		{ 4999, "0.0000", "0.00004999" },
		{ 9280000, "0.0928", "0.0928" },
		{ 9999999, "0.1000", "0.09999999" },
		{ 10000000, "0.10", "0.1" },
		{ 10500000, "0.11", "0.105" },
		{ 10499999, "0.10", "0.10499999" },
		{ 99500000, "1.00", "0.995" },
		{ -150000000, "-1.50", "-1.5" },
		{ INT64_MAX, "92233720368.55", "92233720368.54775807" },
		{ INT64_MIN, "-92233720368.55", "-92233720368.54775808" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[MONEY_TEXT_SIZE];

		assert_string_equal(money_format(cases[i].microcents, text), cases[i].shown);
		assert_string_equal(money_exact(cases[i].microcents, text), cases[i].exact);
	}
}

static void a_saving_is_never_made_larger_than_it_is(void **unused)
{
	(void)unused;
	assert_int_equal(money_saving_percent(100, 62), 38);
	assert_int_equal(money_saving_percent(1000, 621), 37); /* 37.9 */
	assert_int_equal(money_saving_percent(1000, 991), 0);
	assert_int_equal(money_saving_percent(100, 0), 100);
	assert_int_equal(money_saving_percent(100, 100), 0);
	assert_int_equal(money_saving_percent(100, 200), 0);
	assert_int_equal(money_saving_percent(0, 0), 0);
	assert_int_equal(money_saving_percent(INT64_MAX, 1), 99);
	assert_int_equal(money_add(INT64_MAX, 1), INT64_MAX);
	assert_int_equal(money_add(2, 3), 5);
}

static void every_month_begins_where_the_one_before_ends(void **unused)
{
	struct month month = { 1970, 1 };
	int64_t begin = 0;

	(void)unused;
	while (month.year < 2101) {
		struct month next = month_after(month);
		int64_t days = (month_begin_ms(next) - begin) / 86400000;

		assert_int_equal(month_begin_ms(month), begin);
		assert_true(days >= 28 && days <= 31);
		assert_int_equal(month_of(begin).number, month.number);
		assert_int_equal(month_of(begin).year, month.year);
		begin = month_begin_ms(next);
		assert_int_equal(month_of(begin - 1).number, month.number);
		assert_int_equal(month_of(begin - 1).year, month.year);
		month = next;
	}
	/* date -u -d 2024-03-01 +%s: behind the leap day */
	assert_int_equal(month_begin_ms((struct month){ 2024, 3 }), 1709251200000);
	assert_int_equal(month_begin_ms((struct month){ 2100, 3 }), 4107542400000);
}

static void a_month_is_written_as_it_is_read(void **unused)
{
	static const char *const wrong[] = { "",        "2026",    "2026-13",    "2026-00",
					     "2026-1",  "26-11",   "2026/11",    "2026-1%",
					     "1999-12", "2100-01", "2026-11-01", "-026-11",
					     "2026--1" };
	struct month month;
	char text[MONTH_TEXT_SIZE];
	struct error err;

	(void)unused;
	assert_true(month_parse("2026-11", &month, &err));
	assert_int_equal(month.year, 2026);
	assert_int_equal(month.number, 11);
	assert_string_equal(month_format(month, text), "2026-11");
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		if (month_parse(wrong[i], &month, &err))
			fail_msg("\"%s\" was taken", wrong[i]);
		assert_string_equal(err.slug, "month_invalid");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(amounts_are_read_digit_by_digit),
		cmocka_unit_test(what_is_no_amount_is_refused_and_nothing_is_written),
		cmocka_unit_test(people_read_two_digits_and_four_of_little),
		cmocka_unit_test(a_saving_is_never_made_larger_than_it_is),
		cmocka_unit_test(every_month_begins_where_the_one_before_ends),
		cmocka_unit_test(a_month_is_written_as_it_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
