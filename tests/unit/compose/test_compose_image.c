/*
 * `image:`, `build:`, `pull_policy:` and `platform:` of a service.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "compose/compose.h"

static bool parse(const char *service, struct compose_file **file, struct error *err)
{
	AUTO(free) char *text = xasprintf("services:\n  web: { %s }\n", service);

	return compose_parse(text, strlen(text), "compose.yaml", NULL, file, err);
}

static struct compose_file *must_parse(const char *service)
{
	struct compose_file *file = NULL;
	struct error err;

	if (!parse(service, &file, &err))
		fail_msg("%s: %s", service, err.message);
	return file;
}

static void a_build_is_a_folder_or_a_map(void **unused)
{
	AUTO(compose_free) struct compose_file *brief = must_parse("build: ./web");
	AUTO(compose_free)
	struct compose_file *whole = must_parse(
	    "build: { context: web, dockerfile: D, args: [A=1], labels: { l: x }, target: t, "
	    "network: none, no_cache: true, pull: true }, image: own:1");
	const struct compose_build *build = brief->services[0].build;

	(void)unused;
	assert_null(brief->services[0].image);
	assert_string_equal(build->context, "./web");
	assert_string_equal(build->dockerfile, "Dockerfile");
	build = whole->services[0].build;
	assert_string_equal(build->context, "web");
	assert_string_equal(build->dockerfile, "D");
	assert_string_equal(build->args.items[0].value, "1");
	assert_string_equal(build->labels.items[0].name, "l");
	assert_string_equal(build->target, "t");
	assert_string_equal(build->network, "none");
	assert_true(build->no_cache && build->pull);
	assert_string_equal(whole->services[0].image, "own:1");
}

static void every_pull_policy_has_its_meaning(void **unused)
{
	static const struct {
		const char *name;
		enum compose_pull pull;
	} cases[] = {
		{ "always", COMPOSE_PULL_ALWAYS },
		{ "missing", COMPOSE_PULL_MISSING },
		{ "if_not_present", COMPOSE_PULL_MISSING },
		{ "never", COMPOSE_PULL_NEVER },
		{ "build", COMPOSE_PULL_BUILD },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(free)
		char *text = xasprintf("image: a, build: ., pull_policy: %s", cases[i].name);
		AUTO(compose_free) struct compose_file *file = must_parse(text);

		assert_int_equal(file->services[0].pull, cases[i].pull);
	}
}

static void what_is_wrong_is_named(void **unused)
{
	static const struct {
		const char *service;
		const char *part;
	} cases[] = {
		{ "command: [x]", "\"image\" is missing" },
		{ "image: a, pull_policy: daily", "\"pull_policy\" must be always, missing" },
		{ "image: a, pull_policy: build", "needs a \"build\"" },
		{ "image: a, platform: arm64", "\"platform\" must be linux/ARCHITECTURE" },
		{ "image: a, platform: windows/amd64", "got \"windows/amd64\"" },
		{ "build: 'https://x.example/r.git'", "only a folder of the template" },
		{ "build: { context: ., secrets: [a] }", "secrets" },
		{ "build: { network: bridge }", "\"build.network\" must be default, none or host" },
		{ "build: { dockerfile: a, dockerfile_inline: b }", "exclude each other" },
		{ "build: { dockerfile: Containerfile.in }", "ends with .in" },
		{ "build: { labels: { envd-build: x } }", "reserved" },
		{ "build: { target: 'a b' }", "must name a stage" },
		{ "build: [a]", "\"build\"" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct compose_file *file = NULL;
		struct error err;

		if (parse(cases[i].service, &file, &err))
			fail_msg("accepted: %s", cases[i].service);
		if (!strstr(err.message, cases[i].part))
			fail_msg("\"%s\" is not in: %s", cases[i].part, err.message);
		assert_non_null(strstr(err.message, "service \"web\""));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_build_is_a_folder_or_a_map),
		cmocka_unit_test(every_pull_policy_has_its_meaning),
		cmocka_unit_test(what_is_wrong_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
