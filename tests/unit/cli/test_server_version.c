#include "cli/server_version.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_read.h"
#include "tests/support/cli_session.h"

static void servers_of_the_same_major_version_are_fine(void **state)
{
	static const char *const servers[] = { "0.1.0", "0.9.12", "0.1.0-rc1", "", NULL };
	struct error err;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(servers); i++)
		assert_true(server_version_check("0.1.0", servers[i], "here", &err));
	assert_true(server_version_check("12.0.0", "12.1", "here", &err));
}

static void servers_of_another_one_are_refused_with_both_versions_and_what_to_do(void **state)
{
	struct error err;

	(void)state;
	assert_false(server_version_check("0.1.0", "2.3.4", "unix:/x", &err));
	assert_string_equal(err.slug, "server_incompatible");
	assert_string_equal(err.message, "envctl 0.1.0 cannot talk to envd 2.3.4 at unix:/x: their "
					 "major versions differ");
	assert_non_null(strstr(err.hint, "envctl 2.x"));
	assert_false(server_version_check("10.0.0", "1.0.0", "here", &err));
	assert_false(server_version_check("1.0.0", "one", "here", &err));
	assert_non_null(strstr(err.hint, "is this an envd?"));
	assert_false(server_version_check("0.1.0", "99999999999999999999.1", "here", &err));
}

/* ---- envctl in front of such a server ---- */

static json_t *answers_of(const char *method, const char *path, json_t *body)
{
	return json_pack("{s:s, s:s, s:[{s:i, s:o, s:{s:s}}]}", "method", method, "path", path,
			 "answers", "status", 200, "json", body, "headers", "Envd-Version",
			 "7.2.0");
}

static json_t *server_of_version_7(void)
{
	return json_pack(
	    "[o, o, o, o]",
	    answers_of("GET", "/v1/version", json_pack("{s:s}", "version", "7.2.0")),
	    answers_of("GET", "/v1/environments", json_pack("{s:[], s:n}", "items", "next")),
	    answers_of("POST", "/v1/environments", json_object()),
	    answers_of("DELETE", "/v1/environments/e1", json_object()));
}

static void refuses(const struct fake_server *server, const char *const *arguments)
{
	AUTO(cli_free)
	struct cli_session *session =
	    cli_run(&(struct cli_spec){ .server = server, .arguments = arguments });

	assert_int_equal(cli_exit_status(session), 2);
	if (!strstr(text_get(&session->err), "cannot talk to envd 7.2.0") ||
	    !strstr(text_get(&session->err), "install envctl 7.x"))
		fail_msg("envctl %s said: %s", arguments[0], text_get(&session->err));
}

static void nothing_is_asked_of_a_server_of_another_major_version(void **state)
{
	AUTO(fake_server_stop)
	struct fake_server *server = fake_server_start(server_of_version_7());

	(void)state;
	refuses(server, (const char *const[]){ "list", NULL });
	refuses(server, (const char *const[]){ "create", "small", NULL });
	refuses(server, (const char *const[]){ "destroy", "e1", NULL });
	assert_int_equal(fake_server_count(server, "POST", "/v1/environments"), 0);
	assert_int_equal(fake_server_count(server, "DELETE", "/v1/environments/e1"), 0);
}

static void its_version_can_be_asked_nevertheless(void **state)
{
	AUTO(fake_server_stop)
	struct fake_server *server = fake_server_start(server_of_version_7());
	AUTO(cli_free)
	struct cli_session *session = cli_run(&(struct cli_spec){
	    .server = server, .arguments = (const char *const[]){ "version", NULL } });

	(void)state;
	assert_int_equal(cli_exit_status(session), 0);
	assert_non_null(strstr(text_get(&session->out), "envd   7.2.0"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(servers_of_the_same_major_version_are_fine),
		cmocka_unit_test(
		    servers_of_another_one_are_refused_with_both_versions_and_what_to_do),
		cmocka_unit_test(nothing_is_asked_of_a_server_of_another_major_version),
		cmocka_unit_test(its_version_can_be_asked_nevertheless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
