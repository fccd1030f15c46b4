/* The version of a CLI is asked for once, as long as its file stays the same. */
#include "engine/pulumi/cli_version.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/files.h"

struct fixture {
	char folder[64];
	char *program;
	int64_t later_ms; /* when a program of now was not changed lately */
};

static int open_fixture(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	strcpy(f->folder, "/tmp/envd-version-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	f->program = path_join(f->folder, "pulumi");
	f->later_ms = clock_wall_ms() + 5000;
	*state = f;
	return 0;
}

static int close_fixture(void **state)
{
	struct fixture *f = *state;
	struct error err;

	assert_true(folder_remove(f->folder, &err));
	free(f->program);
	free(f);
	return 0;
}

static void write_program(const char *path, const char *bytes)
{
	struct error err;

	assert_true(file_replace(path, bytes, strlen(bytes), 0755, &err));
}

static bool is_known_as(struct fixture *f, const char *program, const char *version)
{
	AUTO(free) char *known = cli_version_known(f->folder, program);

	return known && strcmp(known, version) == 0;
}

static bool is_known(struct fixture *f, const char *program)
{
	AUTO(free) char *known = cli_version_known(f->folder, program);

	return known != NULL;
}

static void what_it_said_is_known_while_its_file_is_the_same(void **state)
{
	struct fixture *f = *state;

	write_program(f->program, "\177ELF one");
	assert_false(is_known(f, f->program));
	cli_version_note(f->folder, f->program, "3.1.0", f->later_ms);
	assert_true(is_known_as(f, f->program, "3.1.0"));
	write_program(f->program, "\177ELF two");
	assert_false(is_known(f, f->program));
}

static void a_file_that_changed_while_it_was_asked_is_asked_again(void **state)
{
	struct fixture *f = *state;

	write_program(f->program, "\177ELF one");
	cli_version_note(f->folder, f->program, "3.1.0", clock_wall_ms());
	assert_false(is_known(f, f->program));
}

/* As those of version managers, which run what they are told to at the moment. */
static void a_script_and_a_link_to_another_program_are_asked_each_time(void **state)
{
	struct fixture *f = *state;
	AUTO(free) char *manager = path_join(f->folder, "manager");

	write_program(f->program, "#!/bin/sh\nexec pulumi \"$@\"\n");
	cli_version_note(f->folder, f->program, "3.1.0", f->later_ms);
	assert_false(is_known(f, f->program));
	assert_int_equal(unlink(f->program), 0);
	write_program(manager, "\177ELF manager");
	assert_int_equal(symlink(manager, f->program), 0);
	cli_version_note(f->folder, f->program, "3.1.0", f->later_ms);
	assert_false(is_known(f, f->program));
}

#define with(test) cmocka_unit_test_setup_teardown(test, open_fixture, close_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with(what_it_said_is_known_while_its_file_is_the_same),
		with(a_file_that_changed_while_it_was_asked_is_asked_again),
		with(a_script_and_a_link_to_another_program_are_asked_each_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
