#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/line_reader.h"

struct heard {
	struct text all; /* "line|" for each, "line+|" for one that was cut */
};

static void hear(void *arg, const char *line, size_t length, bool was_cut)
{
	struct heard *heard = arg;

	assert_int_equal(strlen(line), length);
	text_format(&heard->all, "%s%s|", line, was_cut ? "+" : "");
}

static char *lines_of(const char *const *pieces, size_t line_bytes_max)
{
	struct heard heard = { TEXT_EMPTY };
	struct line_reader reader = { .line_bytes_max = line_bytes_max,
				      .on_line = hear,
				      .arg = &heard };

	for (; *pieces; pieces++)
		line_reader_feed(&reader, *pieces, strlen(*pieces));
	line_reader_finish(&reader);
	line_reader_release(&reader);
	return text_take(&heard.all);
}

static void lines_are_the_same_however_the_bytes_arrive(void **state)
{
	static const char whole[] = "one\ntwo\n\nthree\nrest";

	(void)state;
	for (size_t cut = 1; cut < sizeof(whole) - 1; cut++) {
		AUTO(free) char *first = xstrndup(whole, cut);
		const char *const pieces[] = { first, whole + cut, NULL };
		AUTO(free) char *lines = lines_of(pieces, 100);

		assert_string_equal(lines, "one|two||three|rest|");
	}
}

static void what_is_too_long_is_cut_and_marked_and_the_next_line_is_whole(void **state)
{
	const char *const pieces[] = { "abcdefg", "hij\nok\nabcdef\n", NULL };
	AUTO(free) char *lines = lines_of(pieces, 5);

	(void)state;
	assert_string_equal(lines, "abcde+|ok|abcde+|");
}

static void nothing_is_no_line(void **state)
{
	const char *const pieces[] = { "one\n", NULL };
	AUTO(free) char *lines = lines_of(pieces, 5);

	(void)state;
	assert_string_equal(lines, "one|");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_the_same_however_the_bytes_arrive),
		cmocka_unit_test(what_is_too_long_is_cut_and_marked_and_the_next_line_is_whole),
		cmocka_unit_test(nothing_is_no_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
