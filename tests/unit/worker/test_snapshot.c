#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/files.h"
#include "worker/snapshot.h"

static const struct copy_limits limits = { .files_max = 2000, .bytes_max = 16 << 20 };

struct place {
	char folder[64];
	char *from, *to;
	char digest[SHA256_TEXT_SIZE];
};

static void write_file(const char *folder, const char *name, const char *content)
{
	AUTO(free) char *path = path_join(folder, name);
	struct error err;

	if (!file_write_atomically(path, content, strlen(content), 0644, &err))
		fail_msg("%s", err.message);
}

static int open_place(void **state)
{
	struct place *place = xcalloc(1, sizeof(*place));
	struct error err;

	strcpy(place->folder, "/tmp/envd-snapshot-XXXXXX");
	assert_non_null(mkdtemp(place->folder));
	place->from = path_join(place->folder, "source");
	place->to = path_join(place->folder, "template");
	assert_true(folder_make(place->from, 0755, &err));
	write_file(place->from, "template.yaml", "name: x\n");
	assert_true(folder_digest(place->from, &limits, place->digest, &err));
	*state = place;
	return 0;
}

static int close_place(void **state)
{
	struct place *place = *state;
	struct error err;

	assert_true(folder_remove(place->folder, &err));
	free(place->from);
	free(place->to);
	free(place);
	return 0;
}

static bool take(const struct place *place, struct error *err)
{
	return snapshot_make(&(struct snapshot_request){ place->from, place->to, place->digest },
			     err);
}

static int count_entries(const char *path)
{
	AUTO(closedir) DIR *folder = opendir(path);
	struct dirent *entry;
	int count = 0;

	while (folder && (entry = readdir(folder)))
		count += entry->d_name[0] != '.';
	return count;
}

static void a_snapshot_stays_what_it_was_when_its_source_changes(void **state)
{
	struct place *place = *state;
	AUTO(free) char *copy = path_join(place->to, "template.yaml");
	AUTO(free) char *content = NULL;
	struct error err;

	assert_true(take(place, &err));
	write_file(place->from, "template.yaml", "name: y\n");
	assert_true(take(place, &err));
	assert_true(file_read(copy, 100, &content, NULL, &err));
	assert_string_equal(content, "name: x\n");
}

static void a_source_that_changed_before_is_refused_and_leaves_nothing(void **state)
{
	struct place *place = *state;
	struct error err;

	write_file(place->from, "template.yaml", "name: y\n");
	assert_false(take(place, &err));
	assert_string_equal(err.slug, "template_changed");
	assert_false(file_exists(place->to));
	assert_int_equal(count_entries(place->folder), 1);
}

static void a_snapshot_that_was_tampered_with_is_refused(void **state)
{
	struct place *place = *state;
	struct error err;

	assert_true(take(place, &err));
	write_file(place->to, "more.sh", "rm -rf /\n");
	assert_false(take(place, &err));
	assert_string_equal(err.slug, "template_changed");
}

static void a_link_out_of_the_template_is_refused_by_name(void **state)
{
	struct place *place = *state;
	AUTO(free) char *path = path_join(place->from, "secrets");
	struct error err;

	assert_int_equal(symlink("/etc/shadow", path), 0);
	assert_false(take(place, &err));
	assert_non_null(strstr(err.message, "secrets"));
	assert_false(file_exists(place->to));
}

#define PLACED(test) cmocka_unit_test_setup_teardown(test, open_place, close_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACED(a_snapshot_stays_what_it_was_when_its_source_changes),
		PLACED(a_source_that_changed_before_is_refused_and_leaves_nothing),
		PLACED(a_snapshot_that_was_tampered_with_is_refused),
		PLACED(a_link_out_of_the_template_is_refused_by_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
