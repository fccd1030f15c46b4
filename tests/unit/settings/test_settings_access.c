/* Who may reach it and how much they may use: the settings for that. */
#include "settings/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "base/files.h"

static const struct settings_usage usage = { "envd", "about", NULL };

/* Ends with NULL. */
static bool read_line(struct settings *settings, struct error *err, const char *const *argv)
{
	struct option_list arguments = OPTION_LIST_EMPTY;
	int argc = 0;
	bool done;

	while (argv[argc])
		argc++;
	done =
	    settings_read(settings, &usage, argc, (char *const *)(uintptr_t)argv, &arguments, err);
	option_list_release(&arguments);
	return done;
}

#define READ(...) read_line(&settings, &err, (const char *const[]){ "envd", __VA_ARGS__, NULL })

static void tcp_stands_beside_the_unix_socket(void **unused)
{
	struct settings settings;
	struct error err;

	(void)unused;
	assert_true(READ("--listen", "10.0.0.1:8443", "--listen=unix:/tmp/a", "--listen",
			 "[::1]:8443", "--tls-certificate=c", "--tls-key=k"));
	assert_string_equal(settings.unix_socket, "/tmp/a");
	assert_int_equal(settings.tcp.count, 2);
	assert_string_equal(settings.tcp.items[0], "10.0.0.1:8443");
	assert_string_equal(settings.tcp.items[1], "[::1]:8443");
	settings_release(&settings);
	assert_true(READ("--plain-tcp", "127.0.0.1:8080"));
	assert_non_null(settings.unix_socket); /* the default: always there */
	assert_int_equal(settings.tcp.count, 0);
	settings_release(&settings);
}

static void tcp_without_tls_is_refused_with_the_way_out(void **unused)
{
	struct settings settings;
	struct error err;

	(void)unused;
	assert_false(READ("--listen", "127.0.0.1:8443"));
	assert_non_null(strstr(err.message, "--tls-certificate"));
	assert_non_null(strstr(err.hint, "--plain-tcp"));
	assert_false(READ("--listen=127.0.0.1:8443", "--tls-certificate=c"));
	assert_false(READ("--listen=127.0.0.1:8443", "--tls-key=c"));
	assert_false(READ("--tls-client-ca=c"));
}

static void a_token_may_live_for_ninety_days_at_most(void **unused)
{
	struct settings settings;
	struct error err;

	(void)unused;
	assert_true(READ("--token-lifetime=90d"));
	settings_release(&settings);
	assert_false(READ("--token-lifetime=91d"));
	assert_false(READ("--token-lifetime=1s"));
}

/* ---- projects ---- */

static bool read_projects(const char *yaml, struct settings *settings, struct error *err)
{
	char path[] = "/tmp/envd-settings-XXXXXX";
	int fd = mkstemp(path);
	AUTO(free) char *option = xasprintf("--config=%s", path);
	const char *const argv[] = { "envd", option, NULL };
	bool done;

	assert_true(write(fd, yaml, strlen(yaml)) == (ssize_t)strlen(yaml));
	close(fd);
	done = read_line(settings, err, argv);
	unlink(path);
	return done;
}

static void a_project_has_the_quotas_that_the_file_gives_it(void **unused)
{
	const struct quota *quota;
	struct settings settings;
	struct error err;

	(void)unused;
	assert_true(read_projects("projects:\n"
				  "  - name: web\n"
				  "    environments: 5\n"
				  "    lease: 4h\n"
				  "    memory: 8GiB\n"
				  "    creates_per_hour: 60\n"
				  "    cost_per_hour: 2.50\n"
				  "  - name: free\n",
				  &settings, &err));
	assert_true(project_find(&settings.projects, "web", &quota, &err));
	assert_int_equal(quota->environments, 5);
	assert_int_equal(quota->lease_ms, 4 * 3600000);
	assert_int_equal(quota->memory_bytes, INT64_C(8) << 30);
	assert_int_equal(quota->creates_per_hour, 60);
	assert_int_equal(quota->microcents_per_hour, 250000000);
	assert_true(project_find(&settings.projects, "free", &quota, &err));
	assert_memory_equal(quota, &quota_unlimited, sizeof(*quota));
	/* Always there, and may be given quotas as well. */
	assert_true(project_find(&settings.projects, "default", &quota, &err));
	assert_memory_equal(quota, &quota_unlimited, sizeof(*quota));
	assert_false(project_find(&settings.projects, "wbe", &quota, &err));
	assert_string_equal(err.slug, "project_unknown");
	assert_non_null(strstr(err.hint, "default, web, free"));
	settings_release(&settings);
}

static void a_mistake_in_a_project_is_told_with_its_place(void **unused)
{
	static const struct {
		const char *yaml, *words;
	} cases[] = {
		{ "projects: 5\n", "must be a list" },
		{ "projects:\n  - 5\n", "must be a map" },
		{ "projects:\n  - environments: 5\n", "name" },
		{ "projects:\n  - name: Web\n", "Web" },
		{ "projects:\n  - { name: a }\n  - { name: a }\n", "two projects" },
		{ "projects:\n  - { name: a, environment: 5 }\n", "environment" },
		{ "projects:\n  - { name: a, environments: -1 }\n", "negative" },
		{ "projects:\n  - { name: a, environments: many }\n", "environments" },
		{ "projects:\n  - { name: a, lease: 4 }\n", "lease" },
		{ "projects:\n  - { name: a, memory: lots }\n", "memory" },
		{ "projects:\n  - { name: a, memory: [1] }\n", "memory" },
		{ "projects:\n  - { name: a, cost_per_hour: cheap }\n", "cost_per_hour" },
		{ "projects:\n  - { name: a, cost_per_hour: -1 }\n", "cost_per_hour" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct settings settings;
		struct error err;

		if (read_projects(cases[i].yaml, &settings, &err))
			fail_msg("case %zu was accepted", i);
		if (!strstr(err.message, cases[i].words) || !strstr(err.message, "/tmp/envd-set"))
			fail_msg("case %zu: %s", i, err.message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcp_stands_beside_the_unix_socket),
		cmocka_unit_test(tcp_without_tls_is_refused_with_the_way_out),
		cmocka_unit_test(a_token_may_live_for_ninety_days_at_most),
		cmocka_unit_test(a_project_has_the_quotas_that_the_file_gives_it),
		cmocka_unit_test(a_mistake_in_a_project_is_told_with_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
