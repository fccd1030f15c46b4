#include "settings/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/files.h"

static bool reads(const char *argument, struct error *err)
{
	AUTO(option_list_release) struct option_list arguments = OPTION_LIST_EMPTY;
	const struct settings_usage usage = { "envd", "", NULL };
	char *copy = xstrdup(argument), *argv[] = { (char *)(uintptr_t)"envd", copy };
	struct settings settings;
	bool is_fine = settings_read(&settings, &usage, 2, argv, &arguments, err);

	if (is_fine)
		settings_release(&settings);
	free(copy);
	return is_fine;
}

static void numbers_at_their_bounds_are_taken(void **state)
{
	static const char *const fine[] = {
		"--connections=1",          "--connections=65536",
		"--connections-per-peer=1", "--streams=1",
		"--streams=65536",          "--connections-per-peer=65536",
		"--request-deadline=10m",   "--request-deadline=500ms",
	};
	struct error err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fine); i++)
		if (!reads(fine[i], &err))
			fail_msg("%s: %s", fine[i], err.message);
}

static void numbers_beyond_their_bounds_are_refused_by_name(void **state)
{
	static const char *const refused[] = {
		"--connections=0",
		"--connections=65537",
		"--connections-per-peer=0",
		"--connections-per-peer=65537",
		"--streams=0",
		"--streams=65537",
		"--request-deadline=499ms",
		"--request-deadline=601s",
	};
	struct error err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		size_t name = strcspn(refused[i], "=");

		if (reads(refused[i], &err))
			fail_msg("%s was taken", refused[i]);
		assert_int_equal(err.code, ERR_INVALID);
		assert_memory_equal(err.message, refused[i], name);
	}
}

static void relative_folders_are_meant_from_where_we_were_started(void **state)
{
	AUTO(option_list_release) struct option_list arguments = OPTION_LIST_EMPTY;
	const struct settings_usage usage = { "envd", "", NULL };
	char given[] = "--data=some/where", templates[] = "--templates=some/where",
	     more[] = "--templates=/srv/templates";
	char *argv[] = { (char *)(uintptr_t)"envd", given, templates, more };
	AUTO(free) char *here = getcwd(NULL, 0);
	AUTO(free) char *expected = path_join(here, "some/where");
	struct settings settings;
	struct error err;

	(void)state;
	assert_true(settings_read(&settings, &usage, ARRAY_SIZE(argv), argv, &arguments, &err));
	assert_string_equal(settings.data, expected);
	assert_string_equal(settings.templates.items[0], expected);
	assert_string_equal(settings.templates.items[1], "/srv/templates");
	settings_release(&settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(relative_folders_are_meant_from_where_we_were_started),
		cmocka_unit_test(numbers_at_their_bounds_are_taken),
		cmocka_unit_test(numbers_beyond_their_bounds_are_refused_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
