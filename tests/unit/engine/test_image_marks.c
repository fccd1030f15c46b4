#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "engine/container/image_marks.h"

#define INSTANCE "01234567-89ab-4cde-8f01-23456789abcd"
#define PREFIX "localhost/envd-pulled/01234567-89ab/"

static void a_mark_tells_what_was_pulled(void **unused)
{
	static const struct {
		const char *reference;
		const char *mark;
		const char *pulled;
	} cases[] = {
		{ "nginx", PREFIX "docker.io/library/nginx:latest",
		  "docker.io/library/nginx:latest" },
		{ "127.0.0.1:5000/a/b:1", PREFIX "127.0.0.1__5000/a/b:1", "127.0.0.1:5000/a/b:1" },
		{ "r.example/b__c:1", PREFIX "r.example/b__c:1", "r.example/b__c:1" },
		{ "r.example:1/b@sha256:ab", PREFIX "r.example__1/b:sha256-ab",
		  "r.example:1/b@sha256:ab" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(free) char *name = NULL;
		AUTO(free) char *tag = NULL;
		AUTO(free) char *mark = NULL;
		AUTO(free) char *pulled = NULL;

		image_mark_make(INSTANCE, cases[i].reference, &name, &tag);
		mark = xasprintf("%s:%s", name, tag);
		assert_string_equal(mark, cases[i].mark);
		assert_true(image_mark_read(INSTANCE, mark, &pulled));
		assert_string_equal(pulled, cases[i].pulled);
	}
}

static void names_of_others_are_no_marks(void **unused)
{
	static const char *const others[] = {
		"nginx:1",
		"localhost/envd-pulled/ffffffff-89ab/docker.io/library/nginx:1",
		"localhost/envd-build/01234567-89abc:1",
		"localhost/envd-build/01234567-89ab",
		PREFIX "nothing",
		"r.example/localhost/envd-build/01234567-89ab:1",
	};
	AUTO(free) char *pulled = NULL;

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		if (image_mark_read(INSTANCE, others[i], &pulled))
			fail_msg("taken for ours: %s", others[i]);
		assert_null(pulled);
	}
	assert_true(image_mark_read(INSTANCE, "localhost/envd-build/01234567-89ab:h", &pulled));
	assert_null(pulled);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mark_tells_what_was_pulled),
		cmocka_unit_test(names_of_others_are_no_marks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
