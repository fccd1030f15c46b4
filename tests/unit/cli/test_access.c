/* How envctl shows who it is: where a token may come from, and where it never goes. */
#include "cli/command.h"

#include <setjmp.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/files.h"
#include "cli/exit_status.h"
#include "tests/support/cli_session.h"

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define TOKEN "envd_0123abcd_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static json_t *version_route(void)
{
	return json_pack("[{s:s, s:s, s:[{s:i, s:{s:s}}]}]", "method", "GET", "path", "/v1/version",
			 "answers", "status", 200, "json", "version", "0.1.0");
}

static struct cli_session *run(const struct fake_server *server, const char *const *arguments,
			       const char *const *variables)
{
	return cli_run(
	    &(struct cli_spec){ .server = server, .arguments = arguments, .variables = variables });
}

static void assert_no_token(const struct cli_session *session)
{
	assert_null(strstr(text_get(&session->out), TOKEN + 14));
	assert_null(strstr(text_get(&session->err), TOKEN + 14));
}

static void assert_says(const struct cli_session *session, const char *words)
{
	if (!strstr(text_get(&session->err), words))
		fail_msg("\"%s\" is not in: %s", words, text_get(&session->err));
}

/* What stands on the command line wins, before the command as well as behind it. */
static void a_server_before_the_command_wins_over_the_variable(void **unused)
{
	AUTO(fake_server_stop) struct fake_server *server = fake_server_start(version_route());
	AUTO(free) char *real = xasprintf("unix:%s", server->socket);
	AUTO(cli_free)
	struct cli_session *before =
	    run(server, WORDS("--server", real, "version"), WORDS("ENVCTL_SERVER=unix:/nowhere"));
	AUTO(cli_free)
	struct cli_session *behind =
	    run(server, WORDS("version", "--server", real), WORDS("ENVCTL_SERVER=unix:/nowhere"));

	(void)unused;
	assert_int_equal(cli_exit_status(before), EXIT_DONE);
	assert_int_equal(cli_exit_status(behind), EXIT_DONE);
	assert_int_equal(fake_server_count(server, "GET", "/v1/version"), 2);
}

static void a_token_is_not_sent_in_clear_to_another_machine(void **unused)
{
	AUTO(cli_free)
	struct cli_session *session = run(NULL, WORDS("--server", "http://192.0.2.1:80", "list"),
					  WORDS("ENVCTL_TOKEN=" TOKEN));

	(void)unused;
	assert_int_equal(cli_exit_status(session), EXIT_NOT_ALLOWED);
	assert_says(session, "token_in_clear");
	assert_no_token(session);
}

static void what_is_no_token_is_refused_without_showing_it(void **unused)
{
	AUTO(cli_free)
	struct cli_session *session =
	    run(NULL, WORDS("list"), WORDS("ENVCTL_TOKEN=not " TOKEN " at all"));

	(void)unused;
	assert_int_equal(cli_exit_status(session), EXIT_USAGE);
	assert_says(session, "token_malformed");
	assert_no_token(session);
}

static void a_token_file_that_others_may_read_is_refused(void **unused)
{
	char path[] = "/tmp/envctl-token-XXXXXX";
	int fd = mkstemp(path);
	AUTO(free) char *variable = xasprintf("ENVCTL_TOKEN_FILE=%s", path);
	AUTO(fake_server_stop) struct fake_server *server = fake_server_start(version_route());
	AUTO(cli_free) struct cli_session *exposed = NULL, *fine = NULL;

	(void)unused;
	assert_int_equal(write(fd, TOKEN "\n", strlen(TOKEN) + 1), strlen(TOKEN) + 1);
	assert_int_equal(fchmod(fd, 0640), 0);
	exposed = run(server, WORDS("version"), WORDS(variable));
	assert_int_equal(cli_exit_status(exposed), EXIT_NOT_ALLOWED);
	assert_says(exposed, "chmod 600");
	assert_no_token(exposed);
	assert_int_equal(fake_server_count(server, "GET", "/v1/version"), 0);
	assert_int_equal(fchmod(fd, 0600), 0);
	fine = run(server, WORDS("version"), WORDS(variable));
	assert_int_equal(cli_exit_status(fine), EXIT_DONE);
	close(fd);
	unlink(path);
}

static void a_token_file_that_is_not_there_is_named(void **unused)
{
	AUTO(cli_free)
	struct cli_session *session =
	    run(NULL, WORDS("list"), WORDS("ENVCTL_TOKEN_FILE=/nowhere/token"));

	(void)unused;
	assert_int_equal(cli_exit_status(session), EXIT_USAGE);
	assert_says(session, "/nowhere/token");
}

static void there_is_no_option_for_a_token(void **unused)
{
	AUTO(cli_free)
	struct cli_session *apart = run(NULL, WORDS("list", "--token", TOKEN), NULL);
	AUTO(cli_free)
	struct cli_session *together = run(NULL, WORDS("list", "--token=" TOKEN), NULL);

	(void)unused;
	assert_int_equal(cli_exit_status(apart), EXIT_USAGE);
	assert_no_token(apart);
	assert_int_equal(cli_exit_status(together), EXIT_USAGE);
	assert_no_token(together);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_server_before_the_command_wins_over_the_variable),
		cmocka_unit_test(a_token_is_not_sent_in_clear_to_another_machine),
		cmocka_unit_test(what_is_no_token_is_refused_without_showing_it),
		cmocka_unit_test(a_token_file_that_others_may_read_is_refused),
		cmocka_unit_test(a_token_file_that_is_not_there_is_named),
		cmocka_unit_test(there_is_no_option_for_a_token),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
