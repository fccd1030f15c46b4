#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/files.h"
#include "base/text.h"

static const struct copy_limits plenty = { .files_max = 100, .bytes_max = 100000 };
static char folder[32];

static int make_folder(void **unused)
{
	(void)unused;
	snprintf(folder, sizeof(folder), "/tmp/test-files-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **unused)
{
	struct error err;

	(void)unused;
	return folder_remove(folder, &err) && !file_exists(folder) ? 0 : -1;
}

/* A path in the test's folder; the latest four stay good. */
static const char *at(const char *name)
{
	static char paths[4][256];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s%s%s", folder, *name ? "/" : "", name);
	return path;
}

static void put(const char *name, const char *content)
{
	struct error err;

	if (!file_write_atomically(at(name), content, strlen(content), 0640, &err))
		fail_msg("%s", err.message);
}

static size_t entries(const char *name)
{
	AUTO(closedir) DIR *dir = opendir(at(name));
	size_t count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	return count - 2;
}

/* ---- files --------------------------------------------------------------------------------- */

static void what_was_written_is_read_back(void **unused)
{
	AUTO(free) char *bytes = NULL;
	struct error err;
	struct stat status;
	size_t length;

	(void)unused;
	assert_true(file_write_atomically(at("f"), "a\0b", 3, 0600, &err));
	assert_true(file_read(at("f"), 3, &bytes, &length, &err));
	assert_int_equal(length, 3);
	assert_memory_equal(bytes, "a\0b", 4);
	assert_int_equal(stat(at("f"), &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
}

static void reading_stops_at_the_bound(void **unused)
{
	char *bytes = NULL;
	struct error err;

	(void)unused;
	put("f", "1234");
	assert_false(file_read(at("f"), 3, &bytes, NULL, &err));
	assert_int_equal(err.code, ERR_LIMIT);
	assert_null(bytes);
	assert_false(file_read("/dev/zero", 100000, &bytes, NULL, &err));
	assert_int_equal(err.code, ERR_LIMIT);
	assert_false(file_read(at("none"), 3, &bytes, NULL, &err));
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_false(file_read(folder, 3, &bytes, NULL, &err));
}

static void writing_replaces_and_leaves_nothing_beside(void **unused)
{
	AUTO(free) char *bytes = NULL;
	struct error err;

	(void)unused;
	put("f", "a long first text");
	put("f", "new");
	assert_true(file_read(at("f"), 100, &bytes, NULL, &err));
	assert_string_equal(bytes, "new");
	assert_int_equal(entries(""), 1);
}

static void a_write_that_fails_leaves_the_old_file_and_nothing_beside(void **unused)
{
	AUTO(free) char *below = path_join(at("f"), "x");
	struct error err;

	(void)unused;
	put("f", "old");
	assert_false(file_write_atomically(below, "x", 1, 0600, &err));
	/* A folder cannot be replaced by a file: the rename fails after everything was written. */
	assert_true(folder_make(at("d/e"), 0700, &err));
	assert_false(file_write_atomically(at("d"), "x", 1, 0600, &err));
	assert_true(file_exists(at("d/e")));
	assert_int_equal(entries(""), 2);
}

/* ---- folders ------------------------------------------------------------------------------- */

static void folders_are_made_with_their_parents(void **unused)
{
	struct error err;
	struct stat status;

	(void)unused;
	assert_true(folder_make(at("a/b//c/"), 0750, &err));
	assert_int_equal(stat(at("a/b/c"), &status), 0);
	assert_true(S_ISDIR(status.st_mode));
	assert_true(folder_make(at("a/b/c"), 0700, &err));
	assert_int_equal(stat(at("a/b/c"), &status), 0);
	assert_int_equal(status.st_mode & 0777, 0750);
	assert_true(folder_make("/", 0700, &err));
}

static void a_file_in_the_way_of_a_folder_is_an_error(void **unused)
{
	struct error err;

	(void)unused;
	put("f", "x");
	assert_false(folder_make(at("f"), 0700, &err));
	assert_non_null(strstr(err.message, "cannot create folder"));
	assert_false(folder_make(at("f/below"), 0700, &err));
	assert_false(folder_make("", 0700, &err));
}

static void removing_takes_everything_but_what_links_point_to(void **unused)
{
	struct error err;

	(void)unused;
	assert_true(folder_make(at("keep"), 0700, &err));
	put("keep/file", "x");
	assert_true(folder_make(at("gone/deep/er"), 0700, &err));
	put("gone/deep/file", "x");
	assert_int_equal(symlink(at("keep"), at("gone/link")), 0);
	assert_int_equal(symlink("nowhere", at("gone/deep/dangling")), 0);
	assert_true(folder_remove(at("gone"), &err));
	assert_false(file_exists(at("gone")));
	assert_true(file_exists(at("keep/file")));
	assert_true(folder_remove(at("gone"), &err));
	assert_int_equal(symlink(at("keep"), at("alone")), 0);
	assert_true(folder_remove(at("alone"), &err));
	assert_true(file_exists(at("keep/file")));
}

static void a_tree_is_copied_with_its_modes(void **unused)
{
	AUTO(free) char *bytes = NULL;
	struct error err;
	struct stat status;

	(void)unused;
	assert_true(folder_make(at("from/sub"), 0700, &err));
	put("from/sub/script", "#!/bin/sh\n");
	assert_int_equal(chmod(at("from/sub/script"), 0755), 0);
	assert_true(folder_copy(at("from"), at("to"), &plenty, &err));
	assert_true(file_read(at("to/sub/script"), 100, &bytes, NULL, &err));
	assert_string_equal(bytes, "#!/bin/sh\n");
	assert_int_equal(stat(at("to/sub/script"), &status), 0);
	assert_int_equal(status.st_mode & 0777, 0755);
	/* Never over something that is there. */
	assert_false(folder_copy(at("from"), at("to"), &plenty, &err));
}

static void links_and_special_files_are_not_copied(void **unused)
{
	char into[SHA256_TEXT_SIZE];
	struct error err;

	(void)unused;
	assert_true(folder_make(at("from"), 0700, &err));
	assert_int_equal(symlink("/etc/passwd", at("from/link")), 0);
	assert_false(folder_copy(at("from"), at("to"), &plenty, &err));
	assert_non_null(strstr(err.message, "from/link\" is a link"));
	assert_false(folder_digest(at("from"), &plenty, into, &err));
	assert_int_equal(unlink(at("from/link")), 0);
	assert_int_equal(mkfifo(at("from/pipe"), 0600), 0);
	assert_false(folder_copy(at("from"), at("to2"), &plenty, &err));
	assert_non_null(strstr(err.message, "from/pipe\" is neither a file nor a folder"));
}

static void a_copy_is_bounded_in_files_folders_and_bytes(void **unused)
{
	static const struct copy_limits few = { .files_max = 2, .bytes_max = 100 };
	static const struct copy_limits small = { .files_max = 10, .bytes_max = 7 };
	struct error err;

	(void)unused;
	assert_true(folder_make(at("two"), 0700, &err));
	put("two/a", "1234");
	put("two/b", "5678");
	assert_true(folder_copy(at("two"), at("fits"), &few, &err));
	assert_false(folder_copy(at("two"), at("x1"), &small, &err));
	assert_int_equal(err.code, ERR_LIMIT);
	put("two/c", "");
	assert_false(folder_copy(at("two"), at("x2"), &few, &err));
	assert_int_equal(err.code, ERR_LIMIT);
	assert_true(folder_make(at("deep/1/2/3"), 0700, &err));
	assert_false(folder_copy(at("deep"), at("x3"), &few, &err));
	assert_int_equal(err.code, ERR_LIMIT);
}

/* ---- digests ------------------------------------------------------------------------------- */

static void digests_are_sha_256(void **unused)
{
	char into[SHA256_TEXT_SIZE];

	(void)unused;
	sha256_text("abc", 3, into);
	assert_string_equal(into,
			    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	sha256_text("", 0, into);
	assert_string_equal(into,
			    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void digest_of(const char *name, char into[SHA256_TEXT_SIZE])
{
	struct error err;

	if (!folder_digest(at(name), &plenty, into, &err))
		fail_msg("%s", err.message);
}

static void a_folder_s_digest_is_its_content(void **unused)
{
	char one[SHA256_TEXT_SIZE], other[SHA256_TEXT_SIZE];
	struct error err;

	(void)unused;
	assert_true(folder_make(at("a/sub"), 0700, &err) && folder_make(at("b/sub"), 0700, &err));
	put("a/x", "1");
	put("a/sub/y", "2");
	put("b/sub/y", "2");
	put("b/x", "1");
	digest_of("a", one);
	digest_of("b", other);
	assert_string_equal(one, other);
	put("b/x", "2");
	digest_of("b", other);
	assert_string_not_equal(one, other);
	/* What moves from one name or file to another changes it, too. */
	put("b/x", "1");
	assert_int_equal(rename(at("b/x"), at("b/z")), 0);
	digest_of("b", other);
	assert_string_not_equal(one, other);
	put("b/x", "12");
	put("b/sub/y", "");
	assert_int_equal(unlink(at("b/z")), 0);
	digest_of("b", other);
	assert_string_not_equal(one, other);
}

/* ---- paths --------------------------------------------------------------------------------- */

static void paths_are_joined_with_one_slash(void **unused)
{
	AUTO(free) char *plain = path_join("/a", "b");
	AUTO(free) char *slash = path_join("/a/", "b");
	AUTO(free) char *root = path_join("/", "b");
	AUTO(free) char *program = path_of_program_folder();

	(void)unused;
	assert_string_equal(plain, "/a/b");
	assert_string_equal(slash, "/a/b");
	assert_string_equal(root, "/b");
	assert_int_equal(program[0], '/');
	assert_true(file_exists(program));
}

static struct folder_look look(void)
{
	struct folder_look seen;
	struct error err;

	if (!folder_look(folder, &plenty, &seen, &err))
		fail_msg("%s", err.message);
	return seen;
}

/* The time of a file, an hour ago: what was changed by content alone would not show. */
static void backdate(const char *name)
{
	const struct timespec hour_ago[2] = { { .tv_sec = time(NULL) - 3600 },
					      { .tv_sec = time(NULL) - 3600 } };

	assert_int_equal(utimensat(AT_FDCWD, at(name), hour_ago, 0), 0);
}

static void a_look_tells_that_something_was_changed(void **unused)
{
	uint64_t first, second;

	(void)unused;
	put("a", "one");
	backdate("a");
	first = look().hash;
	assert_true(look().hash == first);
	put("a", "two"); /* of the same length, and of the same time */
	backdate("a");
	second = look().hash;
	assert_true(second != first);
	assert_int_equal(rename(at("a"), at("b")), 0);
	assert_true(look().hash != second);
}

static void a_look_right_after_a_change_is_not_trusted(void **unused)
{
	(void)unused;
	put("a", "one");
	backdate("a");
	assert_false(look().is_settled);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(what_was_written_is_read_back),
		IN_FOLDER(reading_stops_at_the_bound),
		IN_FOLDER(writing_replaces_and_leaves_nothing_beside),
		IN_FOLDER(a_write_that_fails_leaves_the_old_file_and_nothing_beside),
		IN_FOLDER(folders_are_made_with_their_parents),
		IN_FOLDER(a_file_in_the_way_of_a_folder_is_an_error),
		IN_FOLDER(removing_takes_everything_but_what_links_point_to),
		IN_FOLDER(a_tree_is_copied_with_its_modes),
		IN_FOLDER(links_and_special_files_are_not_copied),
		IN_FOLDER(a_copy_is_bounded_in_files_folders_and_bytes),
		IN_FOLDER(a_look_tells_that_something_was_changed),
		IN_FOLDER(a_look_right_after_a_change_is_not_trusted),
		cmocka_unit_test(digests_are_sha_256),
		IN_FOLDER(a_folder_s_digest_is_its_content),
		cmocka_unit_test(paths_are_joined_with_one_slash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
