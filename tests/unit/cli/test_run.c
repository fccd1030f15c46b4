/*
 * `envctl run`: the program has its variables, the terminal and the signals, its ending is ours,
 * and its environment is always asked to be destroyed.
 */
#include "cli/command.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/files.h"
#include "base/json_read.h"
#include "tests/support/cli_session.h"

#define ID "0a0b0c0d-1111-4222-8333-444455556666"
#define ENVIRONMENTS "/v1/environments"
#define ENVIRONMENT ENVIRONMENTS "/" ID
#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static json_t *environment(const char *state, const char *reason, int lease_left_ms)
{
	return json_pack("{s:s, s:s, s:s, s:s?, s:{s:s}, s:{s:i}}", "id", ID, "name", "demo",
			 "state", state, "reason", reason, "outputs", "url", "https://it's",
			 "clocks", "lease_left_ms", lease_left_ms);
}

static json_t *route(const char *method, const char *path, int status, json_t *json)
{
	return json_pack("{s:s, s:s, s:[{s:i, s:o}]}", "method", method, "path", path, "answers",
			 "status", status, "json", json);
}

/* An environment that is at once in this state. */
static struct fake_server *serve(int create_status, const char *state, const char *reason)
{
	json_t *extended = environment(state, reason, 600000);
	json_t *made = environment(state, reason, 1000);

	return fake_server_start(json_pack("[o, o, o, o, {s:s, s:s, s:[{s:[]}]}]",
					   route("POST", ENVIRONMENTS, create_status, made),
					   route("GET", ENVIRONMENT, 200, json_incref(made)),
					   route("DELETE", ENVIRONMENT, 202, json_object()),
					   route("PATCH", ENVIRONMENT "/lease", 200, extended),
					   "method", "GET", "path", ENVIRONMENT "/events",
					   "answers", "events"));
}

static struct fake_server *serve_ready(void)
{
	return serve(201, "ready", NULL);
}

static struct cli_spec in(const struct fake_server *server, const char *const *arguments)
{
	return (struct cli_spec){ .server = server, .arguments = arguments };
}

static void assert_has(const struct text *text, const char *words)
{
	if (!strstr(text_get(text), words))
		fail_msg("\"%s\" is not in: %s", words, text_get(text));
}

static void assert_destroyed(const struct fake_server *server, size_t times)
{
	assert_int_equal(fake_server_count(server, "DELETE", ENVIRONMENT), times);
}

/* A script that goes on once this file exists. */
#define UNTIL_TOLD "until [ -e \"$GO\" ]; do sleep 0.02; done"

static char *go_variable(const struct fake_server *server)
{
	return xasprintf("GO=%s/go", server->folder);
}

static void tell_to_go(const struct fake_server *server)
{
	AUTO(free) char *path = path_join(server->folder, "go");
	struct error err;

	assert_true(file_write_atomically(path, "", 0, 0600, &err));
}

/* ---- its ending is ours ---- */

static void a_command_has_the_variables_and_its_status_is_ours(void **unused)
{
	AUTO(fake_server_stop) struct fake_server *server = serve_ready();
	struct cli_spec spec =
	    in(server, WORDS("run", "bank", "--ttl", "10m", "--", "sh", "-c",
			     "printf '%s|' \"$ENV_NAME\" \"$ENV_URL\" \"$@\"; exit 4", "sh",
			     "--ttl", "a b", "-h"));
	AUTO(cli_free) struct cli_session *run = cli_run(&spec);

	(void)unused;
	assert_int_equal(cli_exit_status(run), 4);
	assert_string_equal(text_get(&run->out), "demo|https://it's|--ttl|a b|-h|");
	assert_has(&run->err, "sh ended with 4\n");
	assert_has(&run->err, "destroying env/demo on the server");
	assert_destroyed(server, 1);
}

static void what_is_not_the_command_ends_with_125_to_127(void **unused)
{
	static const struct {
		const char *program;
		int status;
		const char *words;
	} cases[] = {
		{ "no-such-program", 127, "there is no program \"no-such-program\"" },
		{ "/etc/passwd", 126, "cannot execute \"/etc/passwd\"" },
	};
	AUTO(fake_server_stop) struct fake_server *server = serve_ready();
	AUTO(fake_server_stop)
	struct fake_server *broken = serve(201, "destroying", "create_failed");
	struct cli_spec build = in(broken, WORDS("run", "bank", "--", "true"));
	struct cli_spec usage = in(server, WORDS("run", "bank", "make", "--no-such-option"));
	struct cli_spec no_dashes = in(server, WORDS("run", "bank", "make", "test"));
	struct cli_spec away = in(NULL, WORDS("run", "bank", "--", "true"));
	AUTO(cli_free) struct cli_session *of_build = cli_run(&build);
	AUTO(cli_free) struct cli_session *of_usage = cli_run(&usage);
	AUTO(cli_free) struct cli_session *of_no_dashes = cli_run(&no_dashes);
	AUTO(cli_free) struct cli_session *of_away = cli_run(&away);

	(void)unused;
	assert_int_equal(cli_exit_status(of_build), 125);
	assert_has(&of_build->err, "error[environment_failed]");
	assert_int_equal(cli_exit_status(of_usage), 125);
	assert_int_equal(cli_exit_status(of_no_dashes), 125);
	assert_has(&of_no_dashes->err, "then \"--\", then the command");
	assert_int_equal(cli_exit_status(of_away), 125);
	assert_int_equal(fake_server_count(server, "POST", ENVIRONMENTS), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cli_spec spec = in(server, WORDS("run", "bank", "--", cases[i].program));
		AUTO(cli_free) struct cli_session *run = cli_run(&spec);

		assert_int_equal(cli_exit_status(run), cases[i].status);
		assert_has(&run->err, cases[i].words);
		assert_destroyed(server, i + 1);
	}
}

static void a_command_that_dies_of_a_signal_ends_us_with_128_and_its_number(void **unused)
{
	AUTO(fake_server_stop) struct fake_server *server = serve_ready();
	struct cli_spec spec = in(server, WORDS("run", "bank", "--", "sh", "-c", "kill -9 $$"));
	AUTO(cli_free) struct cli_session *run = cli_run(&spec);

	(void)unused;
	assert_int_equal(cli_exit_status(run), 137);
	assert_has(&run->err, "sh was ended by signal 9");
	assert_destroyed(server, 1);
}

static void what_was_made_before_is_used_and_left(void **unused)
{
	AUTO(fake_server_stop) struct fake_server *server = serve(200, "ready", NULL);
	struct cli_spec spec =
	    in(server, WORDS("run", "bank", "--idempotency-key", "used", "--", "true"));
	AUTO(cli_free) struct cli_session *run = cli_run(&spec);

	(void)unused;
	assert_int_equal(cli_exit_status(run), 0);
	assert_has(&run->err, "left as it is");
	assert_destroyed(server, 0);
}

static void keep_on_failure_keeps_what_failed_and_nothing_else(void **unused)
{
	static const char *const programs[] = { "false", "true" };
	AUTO(fake_server_stop) struct fake_server *server = serve_ready();

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		struct cli_spec spec =
		    in(server, WORDS("run", "bank", "--keep-on-failure", "--", programs[i]));
		AUTO(cli_free) struct cli_session *run = cli_run(&spec);

		assert_int_equal(cli_exit_status(run), i == 0);
		assert_destroyed(server, i);
	}
}

/* ---- signals ---- */

static void a_signal_is_passed_on_and_what_the_command_makes_of_it_counts(void **unused)
{
	static const struct {
		int signal;
		const char *name;
	} cases[] = { { SIGTERM, "TERM" }, { SIGINT, "INT" }, { SIGHUP, "HUP" } };
	AUTO(fake_server_stop) struct fake_server *server = serve_ready();

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(free)
		char *script =
		    xasprintf("trap 'exit 5' %s; echo up >&2; " UNTIL_TOLD, cases[i].name);
		struct cli_spec spec = in(server, WORDS("run", "bank", "--", "sh", "-c", script));
		AUTO(cli_free) struct cli_session *run = cli_start(&spec);

		cli_await(run, "up\n");
		kill(run->pid, cases[i].signal);
		cli_finish(run);
		assert_int_equal(cli_exit_status(run), 5);
		assert_destroyed(server, i + 1);
	}
}

static void a_command_that_dies_of_our_signal_makes_us_die_of_it_after_the_destroy(void **unused)
{
	AUTO(fake_server_stop) struct fake_server *server = serve_ready();
	struct cli_spec spec =
	    in(server, WORDS("run", "bank", "--", "sh", "-c", "echo up >&2; exec sleep 1000"));
	AUTO(cli_free) struct cli_session *run = cli_start(&spec);

	(void)unused;
	cli_await(run, "up\n");
	kill(run->pid, SIGTERM);
	cli_finish(run);
	assert_true(WIFSIGNALED(run->status));
	assert_int_equal(WTERMSIG(run->status), SIGTERM);
	assert_destroyed(server, 1);
}

static void a_command_that_will_not_end_does_not_keep_its_environment(void **unused)
{
	AUTO(fake_server_stop) struct fake_server *server = serve_ready();
	AUTO(free) char *go = go_variable(server);
	struct cli_spec spec = in(server, WORDS("run", "bank", "--grace", "50ms", "--", "sh", "-c",
						"trap '' TERM; echo up >&2; " UNTIL_TOLD));
	AUTO(cli_free) struct cli_session *run = NULL;

	(void)unused;
	spec.variables = WORDS(go);
	run = cli_start(&spec);
	cli_await(run, "up\n");
	kill(run->pid, SIGTERM);
	/* It still runs: nobody told it to go on. */
	fake_server_await(server, "DELETE", ENVIRONMENT, 1);
	tell_to_go(server);
	cli_finish(run);
	assert_int_equal(cli_exit_status(run), 0);
	assert_destroyed(server, 1);
}

static void a_signal_while_it_is_being_made_ends_what_was_made(void **unused)
{
	AUTO(fake_server_stop)
	struct fake_server *server = serve(201, "provisioning", NULL);
	struct cli_spec spec = in(server, WORDS("run", "bank", "--", "echo", "ran"));
	AUTO(cli_free) struct cli_session *run = cli_start(&spec);

	(void)unused;
	fake_server_await(server, "GET", ENVIRONMENT, 1);
	kill(run->pid, SIGINT);
	cli_finish(run);
	assert_true(WIFSIGNALED(run->status));
	assert_string_equal(text_get(&run->out), "");
	assert_destroyed(server, 1);
}

/* ---- while it runs ---- */

static void the_lease_is_extended_while_the_command_runs(void **unused)
{
	AUTO(fake_server_stop) struct fake_server *server = serve_ready();
	AUTO(free) char *go = go_variable(server);
	struct cli_spec spec =
	    in(server, WORDS("run", "bank", "--keep-alive", "1500ms", "--heartbeat", "50ms", "--",
			     "sh", "-c", UNTIL_TOLD));
	AUTO(cli_free) struct cli_session *run = NULL;
	AUTO(json_decref) json_t *requests = NULL;
	const char *asked = NULL;
	size_t i;
	json_t *request;

	(void)unused;
	spec.variables = WORDS(go);
	run = cli_start(&spec);
	fake_server_await(server, "PATCH", ENVIRONMENT "/lease", 1);
	/* A log that says nothing for minutes looks hung. */
	cli_await(run, "env/demo: sh still runs after ");
	cli_await(run, "; its lease has 9m");
	tell_to_go(server);
	cli_finish(run);
	assert_int_equal(cli_exit_status(run), 0);
	assert_destroyed(server, 1);
	requests = fake_server_requests(server);
	json_array_foreach(requests, i, request) {
		if (text_equal(json_get_string(request, "method", ""), "PATCH"))
			asked = json_get_string(json_object_get(request, "body"), "at_least", "");
	}
	assert_string_equal(asked, "1500ms");
	/* Ten minutes are left: there is no need to ask again. */
	assert_int_equal(fake_server_count(server, "PATCH", ENVIRONMENT "/lease"), 1);
}

static void quiet_says_nothing_and_keep_alive_0_asks_for_nothing(void **unused)
{
	AUTO(fake_server_stop) struct fake_server *server = serve_ready();
	struct cli_spec spec = in(server, WORDS("run", "bank", "--progress", "quiet",
						"--keep-alive=0s", "--", "echo", "out"));
	AUTO(cli_free) struct cli_session *run = cli_run(&spec);

	(void)unused;
	assert_int_equal(cli_exit_status(run), 0);
	assert_string_equal(text_get(&run->out), "out\n");
	assert_string_equal(text_get(&run->err),
			    "destroying env/demo on the server; its lease is the backstop\n");
	assert_int_equal(fake_server_count(server, "PATCH", ENVIRONMENT "/lease"), 0);
}

/* ---- the terminal ---- */

static void the_command_has_the_terminal_and_ctrl_c_reaches_it_alone(void **unused)
{
	AUTO(fake_server_stop) struct fake_server *server = serve_ready();
	struct cli_spec spec =
	    in(server, WORDS("run", "bank", "--", "sh", "-c",
			     "trap 'echo \"<$line> and Ctrl-C\"; exit 6' INT; "
			     "test -t 0 && test -t 1 && echo up; read -r line; echo read; "
			     "read -r more"));
	AUTO(cli_free) struct cli_session *run = NULL;

	(void)unused;
	spec.columns = 80;
	run = cli_start(&spec);
	cli_await(run, "up\r\n");
	cli_type(run, "hello\n");
	cli_await(run, "read\r\n");
	cli_type(run, "\003");
	cli_finish(run);
	assert_int_equal(cli_exit_status(run), 6);
	assert_has(&run->err, "<hello> and Ctrl-C");
	assert_destroyed(server, 1);
}

static void ctrl_z_stops_both_and_fg_goes_on(void **unused)
{
	AUTO(fake_server_stop) struct fake_server *server = serve_ready();
	AUTO(free) char *envctl = path_join(getenv("ENVD_BIN"), "envctl");
	AUTO(free)
	char *line =
	    xasprintf("%s run bank -- sh -c 'echo u''p; read -r x; echo \"got $x\"'\n", envctl);
	struct cli_spec spec = {
		.server = server,
		.program = WORDS("bash", "--norc", "--noediting", "-i"),
		.variables = WORDS("PS1=ready> ", "HISTFILE=/dev/null"),
		.columns = 200,
	};
	AUTO(cli_free) struct cli_session *run = cli_start(&spec);

	(void)unused;
	cli_await(run, "ready> ");
	cli_type(run, line);
	cli_await(run, "up\r\n");
	cli_type(run, "\032");
	cli_await(run, "Stopped");
	/* The shell has its terminal back. */
	cli_type(run, "echo back''again\n");
	cli_await(run, "backagain");
	assert_destroyed(server, 0);
	cli_type(run, "fg\n");
	cli_type(run, "hello\n");
	cli_await(run, "got hello\r\n");
	cli_await(run, "destroying env/demo");
	cli_type(run, "echo status''=$?; exit\n");
	cli_await(run, "status=0");
	cli_finish(run);
	assert_destroyed(server, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_command_has_the_variables_and_its_status_is_ours),
		cmocka_unit_test(what_is_not_the_command_ends_with_125_to_127),
		cmocka_unit_test(a_command_that_dies_of_a_signal_ends_us_with_128_and_its_number),
		cmocka_unit_test(what_was_made_before_is_used_and_left),
		cmocka_unit_test(keep_on_failure_keeps_what_failed_and_nothing_else),
		cmocka_unit_test(a_signal_is_passed_on_and_what_the_command_makes_of_it_counts),
		cmocka_unit_test(
		    a_command_that_dies_of_our_signal_makes_us_die_of_it_after_the_destroy),
		cmocka_unit_test(a_command_that_will_not_end_does_not_keep_its_environment),
		cmocka_unit_test(a_signal_while_it_is_being_made_ends_what_was_made),
		cmocka_unit_test(the_lease_is_extended_while_the_command_runs),
		cmocka_unit_test(quiet_says_nothing_and_keep_alive_0_asks_for_nothing),
		cmocka_unit_test(the_command_has_the_terminal_and_ctrl_c_reaches_it_alone),
		cmocka_unit_test(ctrl_z_stops_both_and_fg_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
