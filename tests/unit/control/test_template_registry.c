#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "base/files.h"
#include "base/text.h"
#include "control/template_registry.h"

struct fixture {
	char folder[64];
	struct template_registry *registry;
};

static void put(struct fixture *f, const char *template_name, const char *file, const char *content)
{
	AUTO(free) char *folder = path_join(f->folder, template_name);
	AUTO(free) char *path = path_join(folder, file);
	struct error err;

	assert_true(folder_make(folder, 0755, &err));
	assert_true(file_write_atomically(path, content, strlen(content), 0644, &err));
}

static void put_template(struct fixture *f, const char *name, const char *description)
{
	AUTO(free)
	char *text = xasprintf("apiVersion: envd/v1\nname: %s\ndescription: %s\nengine: external\n"
			       "source: engine\n",
			       name, description);

	put(f, name, "engine", "");
	put(f, name, "template.yaml", text);
}

static int open_fixture(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	snprintf(f->folder, sizeof(f->folder), "/tmp/envd-registry-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	f->registry = template_registry_new((const char *const[]){ f->folder, NULL }, NULL);
	*state = f;
	return 0;
}

static int close_fixture(void **state)
{
	struct fixture *f = *state;
	struct error err;

	template_registry_free(f->registry);
	assert_true(folder_remove(f->folder, &err));
	free(f);
	return 0;
}

static struct template_entry find(struct fixture *f, const char *name)
{
	struct template_entry entry;
	struct error err;

	if (!template_registry_find(f->registry, name, &entry, &err))
		fail_msg("%s", err.message);
	return entry;
}

static void a_change_is_seen_at_the_next_look(void **state)
{
	struct fixture *f = *state;
	AUTO(free) char *digest = NULL;

	put_template(f, "one", "first");
	assert_string_equal(find(f, "one").template->description, "first");
	put_template(f, "one", "other");
	assert_string_equal(find(f, "one").template->description, "other");
	digest = xstrdup(find(f, "one").digest);
	put(f, "one", "engine", "#!/bin/sh");
	assert_string_not_equal(find(f, "one").digest, digest);
}

static void within_a_turn_it_is_as_it_was_at_the_first_question(void **state)
{
	struct fixture *f = *state;

	put_template(f, "one", "first");
	template_registry_begin_turn(f->registry);
	assert_string_equal(find(f, "one").template->description, "first");
	put_template(f, "one", "other");
	assert_string_equal(find(f, "one").template->description, "first");
	template_registry_end_turn(f->registry);
	assert_string_equal(find(f, "one").template->description, "other");
	put_template(f, "one", "third");
	template_registry_begin_turn(f->registry);
	assert_string_equal(find(f, "one").template->description, "third");
}

/* More of them than are remembered. */
static void each_of_many_is_itself(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 40; i++) {
		AUTO(free) char *name = xasprintf("t%d", i);

		put_template(f, name, name);
	}
	for (int i = 0; i < 80; i++) {
		AUTO(free) char *name = xasprintf("t%d", i % 40);

		assert_string_equal(find(f, name).template->description, name);
	}
}

static void one_that_was_broken_is_found_when_it_is_mended(void **state)
{
	struct fixture *f = *state;
	struct template_entry entry;
	struct error err;

	put(f, "one", "template.yaml", "no: template\n");
	assert_false(template_registry_find(f->registry, "one", &entry, &err));
	put_template(f, "one", "mended");
	assert_string_equal(find(f, "one").template->description, "mended");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, open_fixture, close_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_change_is_seen_at_the_next_look),
		TEST(within_a_turn_it_is_as_it_was_at_the_first_question),
		TEST(each_of_many_is_itself),
		TEST(one_that_was_broken_is_found_when_it_is_mended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
