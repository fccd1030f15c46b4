#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "model/decimal.h"

static void numbers_and_money_are_read_exactly(void **unused)
{
	static const struct {
		const char *text;
		const char *same;
	} rows[] = {
		{ "12", "12.0" },
		{ "-3.5", "-3.50" },
		{ "$1,234.50", "1234.5" },
		{ " -$5\n", "-5" },
		{ "+7", "7" },
		{ "1,234,567", "1234567" },
		{ "0.1", "0.100000000" },
		{ "1.0000000000", "1" },
		{ "\xE2\x82\xAC"
		  "9.99",
		  "9.99" },
		{ "1700000000", "1,700,000,000" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct decimal a, b;

		assert_true(decimal_read(rows[i].text, &a));
		assert_true(decimal_read(rows[i].same, &b));
		assert_int_equal(decimal_compare(a, b), 0);
	}
}

static void what_is_not_one_number_is_refused(void **unused)
{
	static const char *const texts[] = { "",        " ",        "abc",   "1,2",
					     "12,34.5", "1234,567", ",123",  "1,23,456",
					     "1.",      ".5",       "1.2.3", "1e5",
					     "$---",    "--1",      "1 2",   "1.0000000001" };

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct decimal ignored;

		if (decimal_read(texts[i], &ignored))
			fail_msg("\"%s\" was taken for a number", texts[i]);
	}
}

static void a_tenth_and_two_tenths_are_three_tenths(void **unused)
{
	struct decimal a, b, sum;

	(void)unused;
	assert_true(decimal_read("0.1", &a));
	assert_true(decimal_read("0.2", &b));
	assert_true(decimal_read("0.3", &sum));
	assert_true(decimal_add(&a, b));
	assert_int_equal(decimal_compare(a, sum), 0);
}

static void numbers_are_written_as_people_do(void **unused)
{
	static const struct {
		const char *text;
		int digits_min;
		const char *written;
	} rows[] = { { "1284.5", 2, "1284.50" }, { "0", 0, "0" },     { "0", 2, "0.00" },
		     { "-0.05", 0, "-0.05" },    { "100", 0, "100" }, { "1.25", 1, "1.25" } };

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char into[DECIMAL_TEXT_SIZE];
		struct decimal number;

		assert_true(decimal_read(rows[i].text, &number));
		assert_string_equal(decimal_format(number, rows[i].digits_min, into),
				    rows[i].written);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_and_money_are_read_exactly),
		cmocka_unit_test(what_is_not_one_number_is_refused),
		cmocka_unit_test(a_tenth_and_two_tenths_are_three_tenths),
		cmocka_unit_test(numbers_are_written_as_people_do),
	};

	return cmocka_run_group_tests_name("decimal", tests, NULL, NULL);
}
