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
#include "source/source_patch.h"

#define HEAD "diff --git a/sub/file b/sub/file\n--- a/sub/file\n+++ b/sub/file\n"

struct bench {
	char folder[64];
	char *file, *scratch;
};

static int open_bench(void **state)
{
	struct bench *bench = xcalloc(1, sizeof(*bench));
	struct error err;
	AUTO(free) char *sub = NULL;

	snprintf(bench->folder, sizeof(bench->folder), "/tmp/envd-patch-XXXXXX");
	assert_non_null(mkdtemp(bench->folder));
	sub = path_join(bench->folder, "tree/sub");
	bench->file = path_join(sub, "file");
	bench->scratch = path_join(bench->folder, "scratch");
	assert_true(folder_make(sub, 0700, &err));
	assert_true(file_replace(bench->file, "one\ntwo\nthree\n", 14, 0600, &err));
	*state = bench;
	return 0;
}

static int close_bench(void **state)
{
	struct bench *bench = *state;
	struct error err;

	assert_true(folder_remove(bench->folder, &err));
	free(bench->file);
	free(bench->scratch);
	free(bench);
	return 0;
}

static bool apply(struct bench *bench, const char *patch, struct error *err)
{
	AUTO(free) char *tree = path_join(bench->folder, "tree");

	return source_patch(patch, strlen(patch), tree, bench->scratch, err);
}

static void must_hold(struct bench *bench, const char *expected)
{
	AUTO(free) char *bytes = NULL;
	struct error err;

	assert_true(file_read(bench->file, 1000, &bytes, NULL, &err));
	assert_string_equal(bytes, expected);
	assert_false(file_exists(bench->scratch));
}

static void a_patch_changes_the_files_and_leaves_nothing_beside_them(void **state)
{
	struct error err;

	if (!apply(*state, HEAD "@@ -1,3 +1,3 @@\n one\n-two\n+zwei\n three\n", &err))
		fail_msg("%s", err.message);
	must_hold(*state, "one\nzwei\nthree\n");
}

static void a_patch_for_other_files_is_refused_and_changes_nothing(void **state)
{
	struct error err;

	assert_false(apply(*state, HEAD "@@ -1,3 +1,3 @@\n one\n-deux\n+zwei\n three\n", &err));
	assert_string_equal(err.slug, "patch_failed");
	must_hold(*state, "one\ntwo\nthree\n");
}

static void what_is_no_patch_is_refused(void **state)
{
	struct error err;

	assert_false(apply(*state, "sed -i s/two/zwei/ file\n", &err));
	assert_string_equal(err.slug, "patch_invalid");
	assert_int_equal(err.code, ERR_INVALID);
	must_hold(*state, "one\ntwo\nthree\n");
}

static void a_patch_cannot_leave_the_folder(void **state)
{
	struct bench *bench = *state;
	AUTO(free) char *outside = path_join(bench->folder, "outside");
	struct error err;

	assert_false(apply(bench,
			   "diff --git a/../outside b/../outside\nnew file mode 100644\n"
			   "--- /dev/null\n+++ b/../outside\n@@ -0,0 +1 @@\n+x\n",
			   &err));
	assert_false(file_exists(outside));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_patch_changes_the_files_and_leaves_nothing_beside_them, open_bench,
		    close_bench),
		cmocka_unit_test_setup_teardown(
		    a_patch_for_other_files_is_refused_and_changes_nothing, open_bench,
		    close_bench),
		cmocka_unit_test_setup_teardown(what_is_no_patch_is_refused, open_bench,
						close_bench),
		cmocka_unit_test_setup_teardown(a_patch_cannot_leave_the_folder, open_bench,
						close_bench),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
