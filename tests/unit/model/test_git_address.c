#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/text.h"
#include "model/git_address.h"
#include "model/git_modules.h"

static void addresses_are_read_in_their_four_forms(void **unused)
{
	static const struct {
		const char *text;
		enum git_scheme scheme;
		const char *host;
		int port;
		const char *user;
	} cases[] = {
		{ "https://Git.Example/a/b.git", GIT_SCHEME_HTTPS, "git.example", 443, NULL },
		{ "https://git.example:8443/a", GIT_SCHEME_HTTPS, "git.example", 8443, NULL },
		{ "ssh://git@git.example/a/b", GIT_SCHEME_SSH, "git.example", 22, "git" },
		{ "ssh://git.example:2222/~me/b", GIT_SCHEME_SSH, "git.example", 2222, NULL },
		{ "git@git.example:a/b.git", GIT_SCHEME_SSH, "git.example", 22, "git" },
		{ "file:///srv/git/a.git", GIT_SCHEME_FILE, "", 0, NULL },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(git_address_release) struct git_address address = { .url = NULL };
		struct error err;

		if (!git_address_parse(cases[i].text, &address, &err))
			fail_msg("%s: %s", cases[i].text, err.message);
		assert_int_equal(address.scheme, cases[i].scheme);
		assert_string_equal(address.host, cases[i].host);
		assert_int_equal(address.port, cases[i].port);
		assert_true(text_equal(address.user, cases[i].user));
		assert_string_equal(address.url, cases[i].text);
	}
}

static void strange_addresses_are_refused_and_secrets_not_repeated(void **unused)
{
	static const char *const wrong[] = {
		"",
		"http://git.example/a",
		"git://git.example/a",
		"ext::sh -c x",
		"/srv/git",
		"../a",
		"https://user:canary@git.example/a",
		"https://canary@git.example/a",
		"ssh://git:canary@git.example/a",
		"ssh://-oProxyCommand=x/a",
		"ssh://git@-x/a",
		"git@git.example:-x",
		"git@git.example:a/-x",
		"https://git.example",
		"https://git.example/",
		"https://git.example/a?x=1",
		"https://git.example/a#x",
		"https://git.example/a b",
		"https://git.example/a'b",
		"https://git.example/a;b",
		"https://git.example/a\nb",
		"https://git.example/../a",
		"https://git.example:0/a",
		"https://git.example:99999/a",
		"https://[::1]/a",
		"file://host/a",
		"file:///a/../../b",
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct git_address address;
		struct error err;

		if (git_address_parse(wrong[i], &address, &err))
			fail_msg("%s was taken", wrong[i]);
		assert_string_equal(err.slug, "address_invalid");
		assert_int_equal(err.code, ERR_INVALID);
		assert_null(strstr(err.message, "canary"));
	}
}

static void relative_addresses_stay_on_their_host(void **unused)
{
	static const struct {
		const char *base, *relative, *joined;
	} cases[] = {
		{ "https://h/a/b.git", "../c.git", "https://h/a/c.git" },
		{ "https://h/a/b.git", "../../x/c", "https://h/x/c" },
		{ "https://h/a/b.git/", "./c", "https://h/a/b.git/c" },
		{ "git@h:a/b", "../c", "git@h:a/c" },
		{ "git@h:b", "../c", "git@h:c" },
		{ "https://h/a", "https://other/c", "https://other/c" },
		{ "https://h/a/b.git", "../../../c", NULL },
		{ "git@h:b", "../../c", NULL },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(git_address_release) struct git_address base = { .url = NULL };
		AUTO(free) char *url = NULL;
		struct error err;

		assert_true(git_address_parse(cases[i].base, &base, &err));
		if (git_address_join(&base, cases[i].relative, &url, &err)) {
			if (!text_equal(url, cases[i].joined))
				fail_msg("%s + %s is %s", cases[i].base, cases[i].relative, url);
		} else {
			assert_null(cases[i].joined);
		}
	}
}

static void refs_follow_the_rules_of_git(void **unused)
{
	static const char *const right[] = {
		"main", "v1.2", "feature/x", "refs/pull/12/head", "0123456789abcdef", "ü"
	};
	static const char *const wrong[] = { "",    "-x",   "a..b", "a b",      "a~1",    "a^",
					     "a:b", "a?",   "a*",   "[a",       "a\\b",   "a@{1}",
					     "@",   "a/",   "/a",   "a//b",     "a.lock", "a/.b",
					     "a.",  "a\nb", "\x7f", "x.lock/y", "\xff" };
	struct error err;

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(right); i++)
		assert_true(git_ref_check(right[i], &err));
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		if (git_ref_check(wrong[i], &err))
			fail_msg("%s was taken", wrong[i]);
		assert_string_equal(err.slug, "ref_invalid");
	}
	assert_true(git_ref_is_commit("abcd"));
	assert_false(git_ref_is_commit("abc"));
	assert_false(git_ref_is_commit("ABCD"));
	assert_false(git_ref_is_commit("beefy"));
}

static void submodules_are_read_by_their_folder(void **unused)
{
	static const char text[] = "# a comment\n[submodule \"one\"]\r\n\tpath = lib/one\r\n"
				   "\turl = ../one.git\n\tbranch = main\n"
				   "[submodule \"two\"]\n\turl=https://h/two\n\tpath=two\n";
	AUTO(git_modules_free) struct git_modules *modules = NULL;
	struct error err;

	(void)unused;
	assert_true(git_modules_parse(text, strlen(text), &modules, &err));
	assert_string_equal(git_modules_url(modules, "lib/one"), "../one.git");
	assert_string_equal(git_modules_url(modules, "two"), "https://h/two");
	assert_null(git_modules_url(modules, "three"));
}

static void what_is_no_list_of_submodules_is_refused(void **unused)
{
	static const char *const wrong[] = { "path = x\n", "[include]\n\tpath = /etc/passwd\n",
					     "[submodule \"x\"]\n\turl = \"a\\\n",
					     "[submodule \"x\"]\nnonsense\n",
					     "[submodule \"x\"]\n\turl = a # b\n" };

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct git_modules *modules;
		struct error err;

		if (git_modules_parse(wrong[i], strlen(wrong[i]), &modules, &err))
			fail_msg("%s was taken", wrong[i]);
		assert_string_equal(err.slug, "submodules_invalid");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_read_in_their_four_forms),
		cmocka_unit_test(strange_addresses_are_refused_and_secrets_not_repeated),
		cmocka_unit_test(relative_addresses_stay_on_their_host),
		cmocka_unit_test(refs_follow_the_rules_of_git),
		cmocka_unit_test(submodules_are_read_by_their_folder),
		cmocka_unit_test(what_is_no_list_of_submodules_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
