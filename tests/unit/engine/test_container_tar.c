#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/files.h"
#include "engine/container/container_tar.h"

static struct text tar_of(const struct tar_file *file)
{
	struct text tar = TEXT_EMPTY;
	struct error err;

	assert_true(tar_add_file(&tar, file, &err));
	tar_end(&tar);
	return tar;
}

static void a_file_comes_out_as_it_went_in(void **unused)
{
	char bytes[1500];
	const char *found;
	size_t length;
	struct error err;

	(void)unused;
	memset(bytes, 'x', sizeof(bytes));
	for (size_t size = 0; size <= sizeof(bytes); size += 250) {
		struct text tar =
		    tar_of(&(struct tar_file){ .name = "a", .bytes = bytes, .length = size });

		assert_int_equal(tar.length % 512, 0);
		assert_true(tar_first_file(tar.bytes, tar.length, &found, &length, &err));
		assert_int_equal(length, size);
		assert_memory_equal(found, bytes, size);
		text_release(&tar);
	}
}

static void the_systems_own_tar_reads_it(void **unused)
{
	char folder[] = "/tmp/envd-tar-XXXXXX";
	AUTO(free) char *path = NULL;
	AUTO(free) char *command = NULL;
	struct text tar = TEXT_EMPTY;
	struct error err;

	(void)unused;
	assert_non_null(mkdtemp(folder));
	path = xasprintf("%s/t.tar", folder);
	assert_true(tar_add_folder(&tar, "etc", &err));
	assert_true(tar_add_file(&tar,
				 &(struct tar_file){ .name = "etc/app.conf",
						     .bytes = "hello",
						     .length = 5,
						     .mode = 0640,
						     .uid = 12,
						     .gid = 34 },
				 &err));
	tar_end(&tar);
	assert_true(file_write_atomically(path, tar.bytes, tar.length, 0600, &err));
	command = xasprintf("tar --numeric-owner -tvf %s >%s/list && "
			    "grep -q '^drwxr-xr-x 0/0 .* etc$' %s/list && "
			    "grep -q '^-rw-r----- 12/34 .* 5 .* etc/app.conf$' %s/list",
			    path, folder, folder, folder);
	assert_int_equal(system(command), 0);
	text_release(&tar);
	assert_true(folder_remove(folder, &err));
}

static void a_long_path_is_cut_at_a_slash(void **unused)
{
	char name[240];
	struct text tar = TEXT_EMPTY;
	struct error err;

	(void)unused;
	memset(name, 'd', sizeof(name));
	name[120] = '/';
	name[200] = '\0';
	assert_true(tar_add_file(&tar, &(struct tar_file){ .name = name }, &err));
	assert_int_equal(strlen(tar.bytes), 79);
	name[120] = 'd';
	assert_false(tar_add_file(&tar, &(struct tar_file){ .name = name }, &err));
	assert_int_equal(err.code, ERR_INVALID);
	text_release(&tar);
}

static void a_folder_before_the_file_is_passed_over(void **unused)
{
	struct text tar = TEXT_EMPTY;
	const char *found;
	size_t length;
	struct error err;

	(void)unused;
	assert_true(tar_add_folder(&tar, "a", &err));
	assert_true(tar_add_file(
	    &tar, &(struct tar_file){ .name = "a/b", .bytes = "xy", .length = 2 }, &err));
	tar_end(&tar);
	assert_true(tar_first_file(tar.bytes, tar.length, &found, &length, &err));
	assert_int_equal(length, 2);
	assert_memory_equal(found, "xy", 2);
	text_release(&tar);
}

static void an_archive_that_is_cut_short_is_refused(void **unused)
{
	struct text tar = tar_of(&(struct tar_file){ .name = "a", .bytes = "hello", .length = 5 });
	const char *found;
	size_t length;
	struct error err;

	(void)unused;
	for (size_t cut = 0; cut < 512 + 5; cut += 3) {
		AUTO(free) char *part = xcalloc(cut + 1, 1);

		memcpy(part, tar.bytes, cut);
		assert_false(tar_first_file(part, cut, &found, &length, &err));
		assert_int_equal(err.code, ERR_EXTERNAL);
	}
	text_release(&tar);
}

static void a_size_that_lies_is_refused(void **unused)
{
	struct text tar = tar_of(&(struct tar_file){ .name = "a", .bytes = "hello", .length = 5 });
	const char *found;
	size_t length;
	struct error err;

	(void)unused;
	memcpy(tar.bytes + 124, "77777777777", 11);
	assert_false(tar_first_file(tar.bytes, tar.length, &found, &length, &err));
	text_release(&tar);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_comes_out_as_it_went_in),
		cmocka_unit_test(the_systems_own_tar_reads_it),
		cmocka_unit_test(a_long_path_is_cut_at_a_slash),
		cmocka_unit_test(a_folder_before_the_file_is_passed_over),
		cmocka_unit_test(an_archive_that_is_cut_short_is_refused),
		cmocka_unit_test(a_size_that_lies_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
