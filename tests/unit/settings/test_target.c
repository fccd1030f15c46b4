#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/files.h"
#include "settings/settings.h"

/* Settings out of a file with one target; its keys are given. */
static bool read_target(const char *keys, struct settings *settings, struct error *err)
{
	char path[] = "/tmp/envd-settings-XXXXXX";
	int fd = mkstemp(path);
	AUTO(free)
	char *text = xasprintf("targets:\n  - { name: t, engine: container, %s }\n", keys);
	AUTO(free) char *config = xasprintf("--config=%s", path);
	char *const argv[] = { config, config, NULL };
	AUTO(option_list_release) struct option_list arguments = OPTION_LIST_EMPTY;
	bool is_good;

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	is_good =
	    settings_read(settings, &(struct settings_usage){ .program = "envd", .about = "" }, 2,
			  argv, &arguments, err);
	unlink(path);
	return is_good;
}

static void a_remote_target_has_certificates_and_an_address(void **unused)
{
	struct settings settings;
	struct error err;
	const struct target *target;

	(void)unused;
	if (!read_target(
		"socket: 'tcp://10.0.0.5:2376', certificates: /c, publish_address: 0.0.0.0, "
		"advertised: runner.example",
		&settings, &err))
		fail_msg("%s", err.message);
	target = settings_target_named(&settings, "t");
	assert_string_equal(target->socket, "tcp://10.0.0.5:2376");
	assert_string_equal(target->certificates, "/c");
	assert_string_equal(target->advertised, "runner.example");
	settings_release(&settings);
	assert_true(read_target("socket: 'tcp://127.0.0.1:2375'", &settings, &err));
	settings_release(&settings);
}

static void what_makes_no_sense_for_a_target_is_named(void **unused)
{
	static const struct {
		const char *keys;
		const char *part;
	} cases[] = {
		{ "socket: 'tcp://10.0.0.5:2375', publish_address: 10.0.0.5",
		  "needs \"certificates\"" },
		{ "socket: 'tcp://10.0.0.5:2376', certificates: /c",
		  "\"publish_address\" must be an address of the runtime's machine" },
		{ "socket: 'tcp://10.0.0.5', certificates: /c", "must be tcp://HOST:PORT" },
		{ "socket: 'tcp://:2376', certificates: /c", "must be tcp://HOST:PORT" },
		{ "socket: 'tcp://h:99999', certificates: /c", "must be tcp://HOST:PORT" },
		{ "socket: 'tcp://h:1/x', certificates: /c", "must be tcp://HOST:PORT" },
		{ "socket: /run/x.sock, certificates: /c", "\"certificates\" need a \"socket\"" },
		{ "socket: /run/x.sock, publish_address: 0.0.0.0", "\"advertised\" must say" },
		{ "socket: /run/x.sock, publish_address: '::'", "\"advertised\" must say" },
		{ "socket: /run/x.sock, publish_address: runner", "must be an IP address" },
		{ "socket: /run/x.sock, advertised: 'http://x'", "must be a host's name" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct settings settings;
		struct error err;

		if (read_target(cases[i].keys, &settings, &err))
			fail_msg("accepted: %s", cases[i].keys);
		assert_int_equal(err.code, ERR_INVALID);
		if (!strstr(err.message, cases[i].part) || !strstr(err.message, "target \"t\""))
			fail_msg("\"%s\" is not in: %s", cases[i].part, err.message);
	}
}

static void dockers_own_variables_are_honoured(void **unused)
{
	struct settings settings;
	struct error err;

	(void)unused;
	setenv("DOCKER_HOST", "tcp://127.0.0.1:2376", 1);
	setenv("DOCKER_TLS_VERIFY", "1", 1);
	setenv("DOCKER_CERT_PATH", "/certs", 1);
	assert_true(read_target("environments: 3", &settings, &err));
	assert_string_equal(settings_target_named(&settings, "t")->socket, "tcp://127.0.0.1:2376");
	assert_string_equal(settings_target_named(&settings, "t")->certificates, "/certs");
	settings_release(&settings);
	unsetenv("DOCKER_TLS_VERIFY");
	assert_true(read_target("environments: 3", &settings, &err));
	assert_null(settings_target_named(&settings, "t")->certificates);
	settings_release(&settings);
	unsetenv("DOCKER_HOST");
	unsetenv("DOCKER_CERT_PATH");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_remote_target_has_certificates_and_an_address),
		cmocka_unit_test(what_makes_no_sense_for_a_target_is_named),
		cmocka_unit_test(dockers_own_variables_are_honoured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
