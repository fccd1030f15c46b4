#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "settings/source_settings.h"

static bool read_one(const char *text, struct source_settings *source, struct error *err)
{
	AUTO(yaml_free) struct yaml_document *file = NULL;

	assert_true(yaml_parse(text, strlen(text), "envd.yaml", &file, err));
	return source_settings_read(file, file->root, source, err);
}

static void a_short_source_is_not_trusted_and_follows_the_default_branch(void **unused)
{
	struct source_settings source;
	struct error err;

	(void)unused;
	assert_true(read_one("{ name: mara, repository: 'https://h/a' }", &source, &err));
	assert_string_equal(source.name, "mara");
	assert_null(source.ref);
	assert_string_equal(source.path, "");
	assert_string_equal(source.user, "git");
	assert_false(source.is_trusted);
	assert_false(source.with_submodules);
	assert_null(source.submodule_hosts[0]);
	source_settings_release(&source);
}

static void a_whole_source_is_read(void **unused)
{
	struct source_settings source;
	struct error err;

	(void)unused;
	assert_true(read_one("{ name: mara, repository: 'git@h:a', ref: v1, path: t/x, user: me, "
			     "ssh_key_file: /k, known_hosts: /h, trusted: true, submodules: true, "
			     "submodule_hosts: [h, i.example] }",
			     &source, &err));
	assert_string_equal(source.ref, "v1");
	assert_string_equal(source.path, "t/x");
	assert_true(source.is_trusted);
	assert_true(source.with_submodules);
	assert_string_equal(source.submodule_hosts[1], "i.example");
	source_settings_release(&source);
}

static void mistakes_are_named_with_their_place(void **unused)
{
	static const struct {
		const char *text, *part;
	} cases[] = {
		{ "{ name: mara }", "needs \"name\" and \"repository\"" },
		{ "{ name: Mara, repository: 'https://h/a' }", "source name" },
		{ "{ name: m, repository: 'http://h/a' }", "scheme" },
		{ "{ name: m, repository: 'https://me:pw@h/a' }", "token_file" },
		{ "{ name: m, repository: 'git@h:a' }", "\"ssh_key_file\" and \"known_hosts\"" },
		{ "{ name: m, repository: 'https://h/a', token: x }", "unknown key \"token\"" },
		{ "{ name: m, repository: 'https://h/a', token_file: x }", "absolute path" },
		{ "{ name: m, repository: 'file:///a', token_file: /x }", "is for https" },
		{ "{ name: m, repository: 'https://h/a', path: ../x }", "inside the repository" },
		{ "{ name: m, repository: 'https://h/a', path: /x }", "inside the repository" },
		{ "{ name: m, repository: 'https://h/a', ref: 'a b' }", "cannot be a ref" },
		{ "{ name: m, repository: 'https://h/a', submodules: true }",
		  "\"submodule_hosts\"" },
		{ "{ name: m, repository: 'https://h/a', submodule_hosts: ['https://x'] }",
		  "without scheme" },
		{ "{ name: m, repository: 'https://h/a', trusted: maybe }", "trusted" },
		{ "[m]", "must be a map" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct source_settings source;
		struct error err;

		if (read_one(cases[i].text, &source, &err))
			fail_msg("%s was taken", cases[i].text);
		source_settings_release(&source);
		if (!strstr(err.message, cases[i].part) || !strstr(err.message, "envd.yaml:1:"))
			fail_msg("%s: %s", cases[i].text, err.message);
		assert_null(strstr(err.message, "pw"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_short_source_is_not_trusted_and_follows_the_default_branch),
		cmocka_unit_test(a_whole_source_is_read),
		cmocka_unit_test(mistakes_are_named_with_their_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
