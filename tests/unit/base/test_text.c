#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/text.h"

static void a_text_grows_and_always_ends_with_nul(void **unused)
{
	AUTO(text_release) struct text text = TEXT_EMPTY;
	AUTO(free) char *taken = NULL;
	AUTO(free) char *empty = NULL;

	(void)unused;
	assert_string_equal(text_get(&text), "");
	for (int i = 0; i < 1000; i++)
		text_format(&text, "%d,", i % 10);
	text_add_char(&text, 'x');
	text_add_bytes(&text, "yz!", 2);
	text_add(&text, "");
	assert_int_equal(text.length, 2003);
	assert_int_equal(strlen(text_get(&text)), 2003);
	assert_string_equal(text_get(&text) + 2000, "xyz");
	text_clear(&text);
	assert_string_equal(text_get(&text), "");
	text_add(&text, "again");
	taken = text_take(&text);
	assert_string_equal(taken, "again");
	empty = text_take(&text);
	assert_string_equal(empty, "");
}

static void beginnings_and_ends_are_recognised(void **unused)
{
	(void)unused;
	assert_true(text_starts_with("abc", "ab"));
	assert_true(text_starts_with("abc", ""));
	assert_false(text_starts_with("ab", "abc"));
	assert_true(text_ends_with("abc", "bc"));
	assert_false(text_ends_with("bc", "abc"));
	assert_true(text_equal(NULL, NULL));
	assert_false(text_equal(NULL, ""));
	assert_true(text_equal("a", "a"));
}

static void distances_count_single_mistakes(void **unused)
{
	static const struct {
		const char *a, *b;
		unsigned distance;
	} cases[] = {
		{ "", "", 0 },           { "a", "", 1 },
		{ "nginx", "nginx", 0 }, { "nginx", "ngnix", 1 },
		{ "abc", "abd", 1 },     { "abc", "abcd", 1 },
		{ "abcd", "bcd", 1 },    { "kitten", "sitting", 3 },
		{ "ab", "ba", 1 },       { "ca", "abc", 3 },
	};
	char longest[66];

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(text_distance(cases[i].a, cases[i].b), cases[i].distance);
		assert_int_equal(text_distance(cases[i].b, cases[i].a), cases[i].distance);
	}
	memset(longest, 'x', 65);
	longest[65] = '\0';
	assert_int_equal(text_distance(longest, longest), 64);
}

static void only_a_near_candidate_is_suggested(void **unused)
{
	static const char *const names[] = { "nginx", "postgresql", "bank", "db", NULL };
	static const char *const none[] = { NULL };

	(void)unused;
	assert_string_equal(text_nearest("ngnix", names), "nginx");
	assert_string_equal(text_nearest("postgressql", names), "postgresql");
	assert_string_equal(text_nearest("bnk", names), "bank");
	assert_string_equal(text_nearest("bd", names), "db");
	assert_null(text_nearest("xx", names));
	assert_null(text_nearest("elephant", names));
	assert_null(text_nearest("nginx", none));
}

static void lists_are_joined(void **unused)
{
	static const char *const three[] = { "a", "b", "c", NULL };
	AUTO(free) char *joined = text_join(three, ", ");
	AUTO(free) char *nothing = text_join(three + 3, ", ");

	(void)unused;
	assert_string_equal(joined, "a, b, c");
	assert_string_equal(nothing, "");
}

static void only_plain_decimal_numbers_are_numbers(void **unused)
{
	static const char *const wrong[] = { "",
					     "-1",
					     "+1",
					     " 1",
					     "1 ",
					     "0x1",
					     "1.0",
					     "9223372036854775808",
					     "99999999999999999999999" };
	int64_t value = 7;

	(void)unused;
	assert_true(text_to_int64("9223372036854775807", &value));
	assert_int_equal(value, INT64_MAX);
	assert_true(text_to_int64("007", &value));
	assert_int_equal(value, 7);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_false(text_to_int64(wrong[i], &value));
	assert_int_equal(value, 7);
}

static void utf8_is_judged_as_rfc_3629_does(void **unused)
{
	static const char *const good[] = { "",
					    "abc",
					    "é",
					    "\xED\x9F\xBF",
					    "\xEE\x80\x80",
					    "\xF0\x90\x80\x80",
					    "\xF4\x8F\xBF\xBF" };
	static const char *const bad[] = { "\x80",
					   "\xC0\x80",
					   "\xC1\xBF",
					   "\xE0\x9F\xBF",
					   "\xED\xA0\x80",
					   "\xF0\x8F\xBF\xBF",
					   "\xF4\x90\x80\x80",
					   "\xF5\x80\x80\x80",
					   "\xC3",
					   "\xE2\x82",
					   "a\xFF",
					   "\xE2\x28\xA1" };

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(text_is_utf8(good[i], strlen(good[i])));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(text_is_utf8(bad[i], strlen(bad[i])));
	assert_false(text_is_utf8("a\0b", 3));
}

static void what_is_shown_is_printable_and_whole(void **unused)
{
	static const struct {
		const char *text, *shown;
	} cases[] = {
		{ "plain", "plain" },         { "a\tb", "a\tb" },
		{ "a\nb\x1b[0m", "a?b?[0m" }, { "\x7f", "?" },
		{ "123456789", "123456789" }, { "1234567890", "123456..." },
		{ "caf\xC3\xA9", "café" },    { "12345é789", "12345..." },
		{ "bad\xFF\xC3", "bad??" },   { "\xE2\x82", "??" },
	};
	char into[10];

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(text_printable(cases[i].text, into, sizeof(into)),
				    cases[i].shown);
}

/* Whatever the bytes and the room. */
static void what_is_shown_is_always_utf8_and_fits(void **unused)
{
	(void)unused;
	srand(7);
	for (int round = 0; round < 20000; round++) {
		char text[32], into[40];
		size_t length = (size_t)rand() % 31, size = 1 + (size_t)rand() % 39;

		for (size_t i = 0; i < length; i++)
			text[i] = (char)(1 + rand() % 255);
		text[length] = '\0';
		memset(into, 'Z', sizeof(into));
		text_printable(text, into, size);
		assert_true(strlen(into) < size);
		assert_true(text_is_utf8(into, strlen(into)));
	}
}

static void what_is_not_utf8_is_replaced_and_half_a_character_cut_off(void **unused)
{
	static const struct {
		const char *text, *whole;
	} cases[] = {
		{ "", "" },
		{ "abc", "abc" },
		{ "a\nb\tc", "a\nb\tc" },
		{ "é", "é" },
		{ "a\xC3", "a" },
		{ "a\xE2\x82", "a" },
		{ "a\xE2\x82\xAC", "a€" },
		{ "a\xF0\x9F\x98", "a" },
		{ "\xF0\x9F\x98\x80", "\xF0\x9F\x98\x80" },
		{ "a\xFFz", "a?z" },
		{ "\x80\x80", "??" },
		{ "\xC3(", "?(" },
		{ "\xE2\x82z", "??z" },
		{ "\xC1", "?" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[16];

		snprintf(text, sizeof(text), "%s", cases[i].text);
		text_make_utf8(text);
		assert_string_equal(text, cases[i].whole);
	}
}

static void the_result_is_utf8_whatever_the_bytes(void **unused)
{
	(void)unused;
	srand(9);
	for (int round = 0; round < 20000; round++) {
		char text[24];
		size_t length = (size_t)rand() % 23;

		for (size_t i = 0; i < length; i++)
			text[i] = (char)(1 + rand() % 255);
		text[length] = '\0';
		text_make_utf8(text);
		assert_true(text_is_utf8(text, strlen(text)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_grows_and_always_ends_with_nul),
		cmocka_unit_test(beginnings_and_ends_are_recognised),
		cmocka_unit_test(distances_count_single_mistakes),
		cmocka_unit_test(only_a_near_candidate_is_suggested),
		cmocka_unit_test(lists_are_joined),
		cmocka_unit_test(only_plain_decimal_numbers_are_numbers),
		cmocka_unit_test(utf8_is_judged_as_rfc_3629_does),
		cmocka_unit_test(what_is_shown_is_printable_and_whole),
		cmocka_unit_test(what_is_shown_is_always_utf8_and_fits),
		cmocka_unit_test(what_is_not_utf8_is_replaced_and_half_a_character_cut_off),
		cmocka_unit_test(the_result_is_utf8_whatever_the_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
