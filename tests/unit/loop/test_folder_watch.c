/* Several folders, one inotify instance. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/files.h"
#include "loop/folder_watch.h"

struct seen {
	char folder[64];
	struct folder_watch *watch, **ends; /* which one its callback ends */
	int count;
};

static void on_change(void *arg)
{
	struct seen *seen = arg;

	seen->count++;
	if (seen->ends) {
		folder_watch_free(*seen->ends);
		*seen->ends = NULL;
	}
}

static void watch(struct folder_watches *set, struct seen *seen)
{
	strcpy(seen->folder, "/tmp/envd-watch-XXXXXX");
	assert_non_null(mkdtemp(seen->folder));
	seen->watch = folder_watch_new(set, seen->folder, on_change, seen);
}

static void end(struct seen *seen)
{
	struct error err;

	folder_watch_free(seen->watch);
	assert_true(folder_remove(seen->folder, &err));
}

static void write_into(const struct seen *seen, const char *name)
{
	AUTO(free) char *path = path_join(seen->folder, name);
	struct error err;

	assert_true(file_replace(path, "x", 1, 0600, &err));
}

static void each_hears_of_its_own_folder_once_a_turn(void **unused)
{
	struct loop *loop = loop_new();
	struct folder_watches *set = folder_watches_new(loop);
	struct seen one = { .count = 0 }, two = { .count = 0 };

	(void)unused;
	watch(set, &one);
	watch(set, &two);
	write_into(&one, "a");
	write_into(&one, "b");
	while (!one.count)
		loop_turn(loop);
	assert_int_equal(one.count, 1);
	assert_int_equal(two.count, 0);
	write_into(&two, "a");
	while (!two.count)
		loop_turn(loop);
	assert_int_equal(one.count, 1);
	end(&one);
	end(&two);
	folder_watches_free(set);
	loop_free(loop);
}

static void who_is_ended_by_another_hears_nothing(void **unused)
{
	struct loop *loop = loop_new();
	struct folder_watches *set = folder_watches_new(loop);
	struct seen one = { .count = 0 }, two = { .count = 0 };

	(void)unused;
	watch(set, &one);
	watch(set, &two);
	one.ends = &two.watch;
	two.ends = &one.watch;
	write_into(&one, "a");
	write_into(&two, "a");
	while (!one.count && !two.count)
		loop_turn(loop);
	assert_int_equal(one.count + two.count, 1);
	end(&one);
	end(&two);
	folder_watches_free(set);
	loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_hears_of_its_own_folder_once_a_turn),
		cmocka_unit_test(who_is_ended_by_another_hears_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
