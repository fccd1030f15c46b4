/*
 * What of a folder goes to a build, and what a Dockerfile says before it is built.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/files.h"
#include "base/json_read.h"
#include "engine/container/build_context.h"
#include "engine/container/dockerfile.h"
#include "engine/container/ignore_rules.h"

/* As Docker's own tests of its patterns have them, by meaning. */
static void rules_fit_as_dockers_do(void **unused)
{
	static const struct {
		const char *rules;
		const char *path;
		bool fits;
	} cases[] = {
		{ "a", "a", true },
		{ "a", "a/b", true },
		{ "a", "b/a", false },
		{ "/a/", "a/b", true },
		{ "./a", "a", true },
		{ "*.log", "x.log", true },
		{ "*.log", "d/x.log", false },
		{ "*/*.log", "d/x.log", true },
		{ "**/*.log", "x.log", true },
		{ "**/*.log", "a/b/x.log", true },
		{ "a/**", "a/b/c", true },
		{ "a/**/c", "a/c", true },
		{ "a/**/c", "a/b/d/c", true },
		{ "**", "anything/at/all", true },
		{ "?.c", "a.c", true },
		{ "?.c", "ab.c", false },
		{ "a?b", "a/b", false },
		{ "[a-c].c", "b.c", true },
		{ "[^a-c].c", "b.c", false },
		{ "[^a-c].c", "d.c", true },
		{ "\\*", "*", true },
		{ "\\*", "x", false },
		{ "# a\na", "a", true },
		{ "#a", "#a", false },
		{ "*\n!keep", "keep", false },
		{ "*\n!keep", "other", true },
		{ "*\n!keep\nkeep", "keep", true },
		{ "d\n!d/keep", "d/keep", false },
		{ "d\n!d/keep", "d/x", true },
		{ "a\r\nb\r\n", "b", true },
		{ "", "a", false },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(ignore_rules_free)
		struct ignore_rules *rules = ignore_rules_new(cases[i].rules);

		if (ignore_rules_fit(rules, cases[i].path) != cases[i].fits)
			fail_msg("\"%s\" and \"%s\"", cases[i].rules, cases[i].path);
	}
}

static void a_pattern_made_to_take_for_ever_does_not(void **unused)
{
	AUTO(ignore_rules_free)
	struct ignore_rules *rules = ignore_rules_new("**a**a**a**a**a**a**a**a**a**a**b\n");

	(void)unused;
	assert_false(
	    ignore_rules_fit(rules, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
}

static char folder[64];

static int make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/envd-context-XXXXXX");
	return mkdtemp(folder) ? 0 : 1;
}

static int remove_folder(void **state)
{
	struct error err;

	(void)state;
	return folder_remove(folder, &err) ? 0 : 1;
}

static void write_at(const char *name, const char *text)
{
	AUTO(free) char *path = path_join(folder, name);
	AUTO(free) char *parent = xstrndup(path, (size_t)(strrchr(path, '/') - path));
	struct error err;

	assert_true(folder_make(parent, 0755, &err));
	assert_true(file_write_atomically(path, text, strlen(text), 0644, &err));
}

/* Names in the archive: of every header block, by its magic. */
static bool holds(const struct text *tar, const char *name)
{
	for (size_t at = 0; at + 512 <= tar->length; at += 512)
		if (memcmp(tar->bytes + at + 257, "ustar", 5) == 0 &&
		    strcmp(tar->bytes + at, name) == 0)
			return true;
	return false;
}

static void what_is_ignored_stays_behind_and_the_dockerfile_does_not(void **unused)
{
	AUTO(text_release) struct text tar = TEXT_EMPTY;
	AUTO(text_release) struct text again = TEXT_EMPTY;
	struct error err;

	(void)unused;
	write_at(".dockerignore", "*\n!keep\n");
	write_at("keep/a", "1");
	write_at("drop/a", "1");
	write_at("docker/Dockerfile", "FROM scratch\n");
	write_at("docker/other", "1");
	assert_true(build_context_read(folder, "docker/Dockerfile", &tar, &err));
	assert_true(holds(&tar, "keep/a"));
	assert_true(holds(&tar, "docker/Dockerfile"));
	assert_true(holds(&tar, ".dockerignore"));
	assert_false(holds(&tar, "drop/a"));
	assert_false(holds(&tar, "docker/other"));
	assert_true(build_context_read(folder, "docker/Dockerfile", &again, &err));
	assert_int_equal(tar.length, again.length);
	assert_memory_equal(tar.bytes, again.bytes, tar.length);
}

static void special_files_are_named(void **unused)
{
	AUTO(text_release) struct text tar = TEXT_EMPTY;
	AUTO(free) char *path = path_join(folder, "pipe");
	struct error err;

	(void)unused;
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_false(build_context_read(folder, NULL, &tar, &err));
	assert_string_equal(err.slug, "build_context");
	assert_non_null(strstr(err.message, "\"pipe\" is a special file"));
}

static void base_images_are_found(void **unused)
{
	AUTO(json_decref)
	json_t *bases =
	    dockerfile_bases("# FROM no\nARG V=1\nfrom --platform=linux/amd64 a/b:1 AS one\n"
			     "FROM one\n  FROM r.example/c AS two\nFROM $V\nFROM scratch\n"
			     "COPY --from=x /a /b\nFROM a/b:1\n");
	AUTO(free) char *text = json_to_text(bases);

	(void)unused;
	assert_string_equal(text, "[\"a/b:1\",\"r.example/c\"]");
}

static void what_reaches_out_needs_trust(void **unused)
{
	static const char *const bad[] = {
		"FROM a\nADD http://x/ /x\n",
		"FROM a\n\tadd x /x\n",
		"FROM $A\n",
		"FROM \\\na\n",
		"FROM a\nADD\\\n http://x/ /x\n",
		"# escape=`\nFROM a\n",
		"FROM a\nONBUILD ADD x /\n",
	};
	struct error err;

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (dockerfile_check_untrusted(bad[i], &err))
			fail_msg("accepted: %s", bad[i]);
		assert_string_equal(err.slug, "template_not_trusted");
	}
	assert_true(
	    dockerfile_check_untrusted("# syntax=x\nFROM a AS b\nRUN echo $A \\\n b\nCOPY . /\n"
				       "ENV ADDRESS=1\n",
				       &err));
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_fit_as_dockers_do),
		cmocka_unit_test(a_pattern_made_to_take_for_ever_does_not),
		WITH_FOLDER(what_is_ignored_stays_behind_and_the_dockerfile_does_not),
		WITH_FOLDER(special_files_are_named),
		cmocka_unit_test(base_images_are_found),
		cmocka_unit_test(what_reaches_out_needs_trust),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
