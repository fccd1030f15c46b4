#include "control/price_shelf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/files.h"
#include "base/text.h"
#include "model/month.h"

struct fixture {
	char folder[64];
	struct option_list folders;
	struct price_shelf *shelf;
};

static int open_fixture(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	snprintf(f->folder, sizeof(f->folder), "/tmp/envd-prices-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	option_list_add(&f->folders, f->folder);
	*state = f;
	return 0;
}

static int close_fixture(void **state)
{
	struct fixture *f = *state;
	struct error err;

	price_shelf_free(f->shelf);
	option_list_release(&f->folders);
	assert_true(folder_remove(f->folder, &err));
	free(f);
	return 0;
}

static void put(const struct fixture *f, const char *name, const char *day, const char *price)
{
	AUTO(free) char *path = path_join(f->folder, name);
	AUTO(free)
	char *text = xasprintf(
	    "apiVersion: envd/v1\nkind: PriceBook\nname: b\nprovider: aws\nregion: eu\n"
	    "currency: USD\nas_of: %s\nsource: s\nprices: { a: { unit: hour, price: %s } }\n",
	    day, price);
	struct error err;

	assert_true(file_write_atomically(path, text, strlen(text), 0600, &err));
}

static int64_t price_of_a(struct fixture *f)
{
	const struct price_book *book = price_books_find(
	    price_shelf_books(f->shelf), "aws", "eu", month_begin_ms((struct month){ 2026, 12 }));

	return book ? price_book_row(book, "a")->high_microcents : -1;
}

static void a_book_that_comes_or_changes_counts_from_the_next_look(void **state)
{
	struct fixture *f = *state;
	struct error err;

	put(f, "one.yaml", "2026-10-01", "1");
	put(f, "notes.txt", "nothing", "of this");
	assert_true(price_shelf_open(&f->folders, &f->shelf, &err));
	assert_int_equal(price_of_a(f), MICROCENTS_PER_UNIT);
	put(f, "one.yaml", "2026-10-01", "2");
	assert_int_equal(price_of_a(f), 2 * MICROCENTS_PER_UNIT);
	put(f, "two.yaml", "2026-11-01", "3");
	assert_int_equal(price_of_a(f), 3 * MICROCENTS_PER_UNIT);
}

static void a_mistake_that_is_made_later_leaves_the_books_as_they_were(void **state)
{
	struct fixture *f = *state;
	struct error err;

	put(f, "one.yaml", "2026-10-01", "1");
	assert_true(price_shelf_open(&f->folders, &f->shelf, &err));
	assert_null(price_shelf_problem(f->shelf));
	put(f, "one.yaml", "2026-10-01", "-2");
	assert_int_equal(price_of_a(f), MICROCENTS_PER_UNIT);
	assert_non_null(strstr(price_shelf_problem(f->shelf), "one.yaml:9:"));
	put(f, "one.yaml", "2026-10-01", "2");
	assert_int_equal(price_of_a(f), 2 * MICROCENTS_PER_UNIT);
	assert_null(price_shelf_problem(f->shelf));
}

static void a_mistake_at_the_start_ends_it(void **state)
{
	struct fixture *f = *state;
	struct error err;

	put(f, "one.yaml", "yesterday", "1");
	assert_false(price_shelf_open(&f->folders, &f->shelf, &err));
	assert_non_null(strstr(err.message, "one.yaml:7:"));
	put(f, "one.yaml", "2026-10-01", "1");
	put(f, "two.yaml", "2026-10-01", "1");
	assert_false(price_shelf_open(&f->folders, &f->shelf, &err));
	assert_non_null(strstr(err.message, "has prices of aws eu as of 2026-10-01 already"));
	option_list_add(&f->folders, "/nonexistent/prices");
	assert_false(price_shelf_open(&f->folders, &f->shelf, &err));
	assert_non_null(strstr(err.message, "/nonexistent/prices"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)
	const struct CMUnitTest tests[] = {
		TEST(a_book_that_comes_or_changes_counts_from_the_next_look),
		TEST(a_mistake_that_is_made_later_leaves_the_books_as_they_were),
		TEST(a_mistake_at_the_start_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
