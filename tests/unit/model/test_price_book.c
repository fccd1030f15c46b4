#include "model/price_book.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/files.h"
#include "base/text.h"
#include "model/month.h"

#define HEAD                                                                                       \
	"apiVersion: envd/v1\nkind: PriceBook\nname: aws\nprovider: aws\nregion: us-east-1\n"      \
	"currency: USD\nas_of: 2026-11-01\nsource: a list\n"

static struct price_book *parse(const char *text)
{
	struct price_book *book;
	struct error err;

	if (!price_book_parse(text, strlen(text), "aws.yaml", &book, &err))
		fail_msg("%s", err.message);
	return book;
}

static void a_book_says_what_things_cost_where_and_since_when(void **unused)
{
	AUTO(price_book_free)
	struct price_book *book =
	    parse(HEAD "example: true\nprices:\n  t2.large: { unit: hour, price: 0.0928 }\n"
		       "  eks: { unit: hour, low: 0.10, high: 0.60, note: old ones cost more }\n"
		       "  gp2: { unit: GiB-month, price: '0.10' }\n");
	const struct price_row *eks = price_book_row(book, "eks");

	(void)unused;
	assert_string_equal(book->provider, "aws");
	assert_string_equal(book->as_of, "2026-11-01");
	assert_int_equal(book->as_of_ms, month_begin_ms((struct month){ 2026, 11 }));
	assert_true(book->is_example);
	assert_int_equal(book->row_count, 3);
	assert_int_equal(price_book_row(book, "t2.large")->low_microcents, 9280000);
	assert_int_equal(price_book_row(book, "t2.large")->high_microcents, 9280000);
	assert_int_equal(eks->low_microcents, 10000000);
	assert_int_equal(eks->high_microcents, 60000000);
	assert_string_equal(eks->note, "old ones cost more");
	assert_int_equal(price_book_row(book, "gp2")->unit, PRICE_GIB_MONTH);
	assert_null(price_book_row(book, "t2.huge"));
}

static void a_mistake_is_named_with_its_file_its_line_and_its_key(void **unused)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ HEAD "prices: { a: { unit: hour, price: -1 } }\n",
		  "aws.yaml:9:35: \"price\" of \"a\" must be an amount" },
		{ HEAD "prices: { a: { unit: hour, price: 5% } }\n", "(got \"5%\")" },
		{ HEAD "prices: { a: { unit: hour, price: '%s%n' } }\n", "(got \"%s%n\")" },
		{ HEAD "prices: { a: { unit: hour, price: 1000001 } }\n", "at most 1000000" },
		{ HEAD "prices: { a: { unit: hour, price: 0.123456789 } }\n", "eight digits" },
		{ HEAD "prices: { a: { unit: hour, price: 1e2 } }\n", "(got \"1e2\")" },
		{ HEAD "prices: { a: { unit: hour } }\n", "\"a\" must have either \"price\" or" },
		{ HEAD "prices: { a: { unit: hour, low: 1 } }\n", "\"a\" must have either" },
		{ HEAD "prices: { a: { unit: hour, price: 1, high: 2 } }\n", "\"a\" must have" },
		{ HEAD "prices: { a: { unit: hour, low: 2, high: 1 } }\n",
		  "\"low\" of \"a\" is more than its \"high\"" },
		{ HEAD "prices: { a: { unit: hours, price: 1 } }\n",
		  "\"unit\" of \"a\" must be hour, month, GiB-hour or GiB-month (got \"hours\")" },
		{ HEAD "prices: { a: { unit: hour, prise: 1 } }\n", "unknown key \"prise\"" },
		{ HEAD "prices: { a: 1 }\n", "\"a\" must be a map" },
		{ HEAD "prices: { 'a b': { unit: hour, price: 1 } }\n", "\"a b\" must be" },
		{ HEAD "prices: {}\n", "\"prices\" must be a map of 1 to 2000 prices" },
		{ HEAD, "\"prices\" must be a map" },
		{ HEAD "prices: { a: { unit: hour, price: 1 } }\nregio: x\n",
		  "unknown key \"regio\"" },
		{ "apiVersion: envd/v1\nkind: PriceBook\n", "\"name\"" },
		{ "apiVersion: envd/v2\nkind: PriceBook\n", "apiVersion \"envd/v2\" is not known" },
		{ "apiVersion: envd/v1\nkind: Book\n", "kind \"Book\" is not known" },
		{ "[]\n", "a price book must be a map" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct price_book *book;
		struct error err;

		if (price_book_parse(cases[i].text, strlen(cases[i].text), "aws.yaml", &book, &err))
			fail_msg("case %zu was taken", i);
		if (!strstr(err.message, cases[i].message) || !strstr(err.message, "aws.yaml:"))
			fail_msg("case %zu: %s", i, err.message);
		assert_int_equal(err.code, ERR_INVALID);
	}
}

static void a_book_has_a_day_that_there_was(void **unused)
{
	static const char *const wrong[] = { "2026-02-29", "2026-13-01", "2026-11-31",
					     "2026-11-00", "2026-11",    "today",
					     "26-11-01",   "2026-11-1%", "2026-11-01T00:00:00Z" };

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		AUTO(free)
		char *text =
		    xasprintf("apiVersion: envd/v1\nkind: PriceBook\nname: a\nprovider: a\n"
			      "region: r\ncurrency: USD\nas_of: '%s'\nsource: s\n"
			      "prices: { a: { unit: hour, price: 1 } }\n",
			      wrong[i]);
		struct price_book *book;
		struct error err;

		if (price_book_parse(text, strlen(text), "a.yaml", &book, &err))
			fail_msg("\"%s\" was taken", wrong[i]);
		assert_non_null(strstr(err.message, "\"as_of\" must be the day"));
	}
}

static struct price_book *dated(const char *region, const char *day)
{
	AUTO(free)
	char *text = xasprintf(
	    "apiVersion: envd/v1\nkind: PriceBook\nname: b\nprovider: aws\nregion: %s\n"
	    "currency: USD\nas_of: %s\nsource: s\nprices: { a: { unit: hour, price: 1 } }\n",
	    region, day);

	return parse(text);
}

static void the_newest_book_that_is_not_of_a_later_day_counts(void **unused)
{
	struct price_books books = { NULL, 0 };
	int64_t november = month_begin_ms((struct month){ 2026, 11 });
	struct error err;

	(void)unused;
	assert_true(price_books_add(&books, dated("eu", "2026-09-01"), &err));
	assert_true(price_books_add(&books, dated("eu", "2026-12-24"), &err));
	assert_true(price_books_add(&books, dated("eu", "2026-10-01"), &err));
	assert_true(price_books_add(&books, dated("us", "2026-10-31"), &err));
	assert_string_equal(price_books_find(&books, "aws", "eu", november)->as_of, "2026-10-01");
	assert_string_equal(
	    price_books_find(&books, "aws", "eu", november + 90 * PRICE_DAY_MS)->as_of,
	    "2026-12-24");
	assert_null(price_books_find(&books, "aws", "eu", november - 90 * PRICE_DAY_MS));
	assert_null(price_books_find(&books, "do", "eu", november));
	assert_false(price_books_add(&books, dated("eu", "2026-10-01"), &err));
	assert_non_null(strstr(err.message, "as of 2026-10-01 already"));
	price_books_release(&books);
}

static void every_book_that_is_shipped_can_be_read_and_says_that_it_is_an_example(void **unused)
{
	static const char *const shipped[] = { "templates/prices/aws-us-east-1.yaml",
					       "templates/prices/digitalocean-sfo3.yaml",
					       "templates/prices/linode-us-central.yaml" };

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(shipped); i++) {
		AUTO(price_book_free) struct price_book *book = NULL;
		AUTO(free) char *bytes = NULL;
		struct error err;

		assert_true(file_read(shipped[i], PRICE_BOOK_BYTES_MAX, &bytes, NULL, &err));
		book = parse(bytes);
		assert_true(book->is_example);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_book_says_what_things_cost_where_and_since_when),
		cmocka_unit_test(a_mistake_is_named_with_its_file_its_line_and_its_key),
		cmocka_unit_test(a_book_has_a_day_that_there_was),
		cmocka_unit_test(the_newest_book_that_is_not_of_a_later_day_counts),
		cmocka_unit_test(
		    every_book_that_is_shipped_can_be_read_and_says_that_it_is_an_example),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
