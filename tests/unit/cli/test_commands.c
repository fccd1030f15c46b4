#include "cli/command.h"

#include <fcntl.h>
#include <setjmp.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/files.h"
#include "cli/exit_status.h"
#include "tests/support/cli_session.h"

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static json_t *route(const char *method, const char *path, json_t *answer)
{
	return json_pack("{s:s, s:s, s:[o]}", "method", method, "path", path, "answers", answer);
}

static json_t *answer(int status, json_t *json)
{
	return json_pack("{s:i, s:o}", "status", status, "json", json);
}

static json_t *environment(const char *name, const char *state, const char *owner)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:{s:s}, s:{s:s, s:s}, s:{s:s, s:f, s:f}}",
			 "id", name, "name", name, "state", state, "template",
			 "a-template-with-a-rather-long-name", "owner", owner, "labels", "pr",
			 name[0] == 'a' ? "1" : "2", "outputs", "url", "https://127.0.0.1:4443",
			 "ca", "-----BEGIN CERTIFICATE-----\nx\n", "cost", "currency", "USD",
			 "so_far", 0.001, "at_expiry", 1.5);
}

static json_t *list_routes(void)
{
	return json_pack(
	    "[o, o]",
	    route("GET", "/v1/environments",
		  answer(200, json_pack("{s:[o, o], s:n}", "items",
					environment("alpha", "ready", "alice"),
					environment("beta", "failed", "bob"), "next"))),
	    route("GET", "/v1/costs",
		  answer(200, json_pack("{s:[{s:s, s:s, s:i, s:f, s:f}]}", "items", "owner",
					"alice", "currency", "USD", "live", 1, "so_far", 0.5,
					"at_expiry", 1.5))));
}

static struct cli_session *run(const struct fake_server *server, const char *const *arguments)
{
	return cli_run(&(struct cli_spec){ .server = server, .arguments = arguments });
}

static void assert_has(const struct text *text, const char *words)
{
	if (!strstr(text_get(text), words))
		fail_msg("\"%s\" is not in: %s", words, text_get(text));
}

/* ---- list ---- */

static void a_list_in_a_pipe_is_whole_and_plain(void **unused)
{
	AUTO(fake_server_stop) struct fake_server *server = fake_server_start(list_routes());
	AUTO(cli_free) struct cli_session *session = run(server, WORDS("list"));

	(void)unused;
	assert_int_equal(cli_exit_status(session), 0);
	assert_string_equal(text_get(&session->out),
			    "NAME   TEMPLATE                            STATE   CHECKS  EXPIRES IN "
			    " OWNER  COST        AT EXPIRY\n"
			    "alpha  a-template-with-a-rather-long-name  ready   -       -          "
			    " alice  0.0010 USD  1.50 USD\n"
			    "beta   a-template-with-a-rather-long-name  failed  -       -          "
			    " bob    0.0010 USD  1.50 USD\n"
			    "\n"
			    "  alice: 1 live, 0.50 USD so far, 1.50 at expiry\n");
}

static void a_list_on_a_terminal_fits_and_obeys_no_color(void **unused)
{
	AUTO(fake_server_stop) struct fake_server *server = fake_server_start(list_routes());
	struct cli_spec spec = { .server = server, .arguments = WORDS("list"), .columns = 80 };
	AUTO(cli_free) struct cli_session *colour = cli_run(&spec);
	AUTO(cli_free) struct cli_session *plain = NULL;

	(void)unused;
	assert_has(&colour->err, "\033[32mready");
	spec.variables = WORDS("NO_COLOR=1");
	plain = cli_run(&spec);
	assert_null(strstr(text_get(&plain->err), "\033"));
	for (char *line = strtok(plain->err.bytes, "\r\n"); line; line = strtok(NULL, "\r\n"))
		assert_true(text_columns(line) <= 80);
}

static void force_color_colours_a_pipe(void **unused)
{
	AUTO(fake_server_stop) struct fake_server *server = fake_server_start(list_routes());
	struct cli_spec spec = { .server = server,
				 .arguments = WORDS("list"),
				 .variables = WORDS("FORCE_COLOR=1") };
	AUTO(cli_free) struct cli_session *session = cli_run(&spec);

	(void)unused;
	assert_has(&session->out, "\033[32mready");
}

static void names_labels_and_json_are_for_scripts(void **unused)
{
	AUTO(fake_server_stop) struct fake_server *server = fake_server_start(list_routes());
	AUTO(cli_free) struct cli_session *names = run(server, WORDS("list", "-o", "name"));
	AUTO(cli_free)
	struct cli_session *labelled = run(server, WORDS("list", "-l", "pr=1", "-o", "name"));
	AUTO(cli_free) struct cli_session *json = run(server, WORDS("list", "-o", "json"));
	AUTO(json_decref) json_t *list = json_loads(text_get(&json->out), 0, NULL);

	(void)unused;
	assert_string_equal(text_get(&names->out), "env/alpha\nenv/beta\n");
	assert_string_equal(text_get(&labelled->out), "env/alpha\n");
	assert_string_equal(json_get_string(list, "kind", ""), "EnvironmentList");
	assert_string_equal(json_get_string(list, "apiVersion", ""), "envd/v1");
	assert_int_equal(json_array_size(json_object_get(list, "items")), 2);
}

static void every_page_of_a_list_is_fetched(void **unused)
{
	json_t *pages = json_pack(
	    "{s:s, s:s, s:[o, o]}", "method", "GET", "path", "/v1/environments", "answers",
	    answer(200, json_pack("{s:[o], s:s}", "items", environment("alpha", "ready", "a"),
				  "next", "t/2")),
	    answer(200,
		   json_pack("{s:[o], s:n}", "items", environment("beta", "ready", "a"), "next")));
	AUTO(fake_server_stop)
	struct fake_server *server = fake_server_start(json_pack("[o]", pages));
	AUTO(cli_free) struct cli_session *session = run(server, WORDS("list", "-o", "name"));
	AUTO(json_decref) json_t *requests = fake_server_requests(server);

	(void)unused;
	assert_string_equal(text_get(&session->out), "env/alpha\nenv/beta\n");
	assert_string_equal(json_get_string(json_array_get(requests, 1), "query", ""),
			    "next=t%2F2");
}

static void a_reader_that_leaves_is_no_error(void **unused)
{
	AUTO(fake_server_stop) struct fake_server *server = fake_server_start(list_routes());
	AUTO(cli_free)
	struct cli_session *session = cli_start(
	    &(struct cli_spec){ .server = server, .arguments = WORDS("list", "--no-headers") });

	(void)unused;
	close(session->out_fd);
	session->out_fd = -1;
	cli_finish(session);
	assert_int_equal(cli_exit_status(session), 0);
	assert_string_equal(text_get(&session->err), "");
}

/* ---- usage ---- */

static void mistakes_are_named_with_what_was_meant(void **unused)
{
	static const struct {
		const char *words[6];
		const char *error;
	} cases[] = {
		{ { "craete", "x" },
		  "error[unknown_command]: there is no command \"craete\"\n"
		  "  hint:  did you mean `envctl create`?\n" },
		{ { "template" },
		  "error[unknown_command]: template what?\n"
		  "  hint:  there are: template list, template show, template lint\n" },
		{ { "template", "lst" },
		  "error[unknown_command]: there is no command \"template lst\"\n"
		  "  hint:  did you mean `envctl template list`?\n" },
		{ { "list", "--stat", "ready" },
		  "error[unknown_option]: unknown option --stat\n"
		  "  hint:  did you mean --state?\n" },
		{ { "list", "-o", "jsn" }, "  hint:  did you mean json?\n" },
		{ { "create", "bank", "--ttl", "2 hours" },
		  "error[option_value]: --ttl \"2 hours\" is not a duration" },
		{ { "create", "bank", "--pin", "nginx" },
		  "error[option_value]: --pin \"nginx\" is not NAME=VALUE\n" },
		{ { "create", "bank", "--name", "Demo" }, "--name" },
		{ { "create" },
		  "error[argument_missing]: envctl create needs TEMPLATE, or --like\n" },
		{ { "wait", "demo", "--for", "redy" }, "--for is \"redy\"" },
		{ { "destroy" }, "error[argument_missing]: envctl destroy needs NAME...\n" },
		{ { "list", "--server", "ftp://x" }, "error[server_invalid]" },
		{ { "help", "crate" }, "did you mean `envctl create`?" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(cli_free) struct cli_session *session = run(NULL, cases[i].words);

		assert_int_equal(cli_exit_status(session), 2);
		assert_has(&session->err, cases[i].error);
		assert_string_equal(text_get(&session->out), "");
	}
}

static void every_command_has_help_that_needs_no_server(void **unused)
{
	static const char *const names[] = { "create",  "list",    "get",     "wait",   "env",
					     "logs",    "history", "check",   "report", "extend",
					     "destroy", "doctor",  "version", "help" };

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		AUTO(cli_free) struct cli_session *session = run(NULL, WORDS(names[i], "--help"));
		AUTO(cli_free) struct cli_session *other = run(NULL, WORDS("help", names[i]));
		AUTO(free) char *usage = xasprintf("usage: envctl %s", names[i]);

		assert_int_equal(cli_exit_status(session), 0);
		assert_has(&session->out, usage);
		assert_string_equal(text_get(&session->out), text_get(&other->out));
	}
}

static void the_manual_has_the_table_of_exit_statuses(void **unused)
{
	AUTO(text_release) struct text table = TEXT_EMPTY;
	AUTO(free) char *manual = NULL;
	struct error err;

	(void)unused;
	exit_status_markdown(&table);
	assert_true(file_read("cli/README.md", 1024 * 1024, &manual, NULL, &err));
	assert_non_null(strstr(manual, text_get(&table)));
}

/* ---- destroy ---- */

static json_t *destroy_routes(void)
{
	json_t *gone = environment("alpha", "destroyed", "alice");

	json_object_set_new(gone, "reason", json_string("requested"));
	json_object_set_new(
	    gone, "proofs",
	    json_pack("[{s:s, s:s}]", "kind", "inventory_empty", "at", "2026-11-24T20:00:00Z"));
	return json_pack(
	    "[o, o, o, o, o]",
	    route("GET", "/v1/environments",
		  answer(200, json_pack("{s:[o, o], s:n}", "items",
					environment("alpha", "ready", "alice"),
					environment("beta", "ready", "bob"), "next"))),
	    route("DELETE", "/v1/environments/alpha",
		  answer(202, environment("alpha", "destroying", "alice"))),
	    route("GET", "/v1/environments/alpha", answer(200, gone)),
	    route("GET", "/v1/environments/alpha/events", json_pack("{s:[]}", "events")),
	    route("DELETE", "/v1/environments/beta",
		  answer(403, json_pack("{s:s, s:s}", "code", "denied", "detail",
					"beta belongs to bob"))));
}

static void destroy_waits_and_prints_the_proofs(void **unused)
{
	AUTO(fake_server_stop) struct fake_server *server = fake_server_start(destroy_routes());
	AUTO(cli_free) struct cli_session *session = run(server, WORDS("destroy", "env/alpha"));

	(void)unused;
	assert_int_equal(cli_exit_status(session), 0);
	assert_has(&session->out, "alpha is gone (requested); proofs:\n");
	assert_has(&session->out, "inventory_empty  2026-11-24T20:00:00Z  two complete inventories "
				  "found nothing\n");
}

static void one_that_may_not_be_destroyed_does_not_keep_the_others(void **unused)
{
	AUTO(fake_server_stop) struct fake_server *server = fake_server_start(destroy_routes());
	AUTO(cli_free) struct cli_session *session = run(server, WORDS("destroy", "beta", "alpha"));

	(void)unused;
	assert_int_equal(cli_exit_status(session), 3);
	assert_has(&session->out, "alpha is gone");
	assert_has(&session->err, "error[denied]: beta belongs to bob");
}

static void destroying_by_label_needs_a_yes_and_says_what_it_would_do(void **unused)
{
	AUTO(fake_server_stop) struct fake_server *server = fake_server_start(destroy_routes());
	AUTO(cli_free) struct cli_session *asked = run(server, WORDS("destroy", "-l", "pr=1"));
	AUTO(cli_free) struct cli_session *sure = NULL;

	(void)unused;
	assert_int_equal(cli_exit_status(asked), 2);
	assert_has(&asked->err, "would destroy env/alpha of alice\n");
	assert_null(strstr(text_get(&asked->err), "beta"));
	assert_int_equal(fake_server_count(server, "DELETE", "/v1/environments/alpha"), 0);
	sure = run(server, WORDS("destroy", "-l", "pr=1", "--yes"));
	assert_int_equal(cli_exit_status(sure), 0);
	assert_int_equal(fake_server_count(server, "DELETE", "/v1/environments/alpha"), 1);
}

static void what_is_not_there_can_count_as_destroyed(void **unused)
{
	AUTO(fake_server_stop) struct fake_server *server = fake_server_start(destroy_routes());
	AUTO(cli_free) struct cli_session *strict = run(server, WORDS("destroy", "nobody"));
	AUTO(cli_free)
	struct cli_session *lenient = run(server, WORDS("destroy", "nobody", "--ignore-not-found"));

	(void)unused;
	assert_int_equal(cli_exit_status(strict), 6);
	assert_int_equal(cli_exit_status(lenient), 0);
}

/* ---- wait ---- */

static void waiting_for_what_cannot_come_any_more_fails_with_its_reason(void **unused)
{
	AUTO(fake_server_stop) struct fake_server *server = fake_server_start(destroy_routes());
	AUTO(cli_free)
	struct cli_session *ready = run(server, WORDS("wait", "alpha", "--for", "ready"));
	AUTO(cli_free)
	struct cli_session *gone = run(server, WORDS("wait", "alpha", "--for", "destroyed"));

	(void)unused;
	assert_int_equal(cli_exit_status(ready), 8);
	assert_has(&ready->err, "error[environment_cancelled]");
	assert_int_equal(cli_exit_status(gone), 0);
	assert_has(&gone->out, "alpha is gone");
}

/* ---- check ---- */

static json_t *check_run(const char *verdict)
{
	return json_pack("{s:s, s:s, s:s, s:[{s:s, s:s, s:s, s:i, s:s}], s:[]}", "kind", "CheckRun",
			 "id", "run-1", "verdict", verdict, "smoke", "name", "balance", "stage",
			 "app", "status", text_equal(verdict, "passed") ? "passed" : "failed",
			 "duration_ms", 12, "message", "body !contains '$---': saw '$---'", "load");
}

static struct cli_session *check_with(const char *verdict)
{
	AUTO(fake_server_stop)
	struct fake_server *server = fake_server_start(json_pack(
	    "[o, o, o]",
	    route("POST", "/v1/environments/alpha/checks",
		  answer(202, json_pack("{s:s, s:n}", "id", "run-1", "verdict"))),
	    route("GET", "/v1/checks/run-1", answer(200, check_run(verdict))),
	    route("GET", "/v1/environments/alpha/events", json_pack("{s:[]}", "events"))));

	return run(server, WORDS("check", "alpha"));
}

static void the_verdict_decides_the_exit_status(void **unused)
{
	static const struct {
		const char *verdict;
		int status;
	} cases[] = { { "passed", 0 }, { "failed", 7 }, { "inconclusive", 4 } };

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(cli_free) struct cli_session *session = check_with(cases[i].verdict);

		assert_int_equal(cli_exit_status(session), cases[i].status);
		assert_has(&session->out, "body !contains '$---': saw '$---'");
		assert_has(&session->out, "verdict: ");
	}
}

static void a_plan_that_is_wrong_is_refused_before_anything_is_asked(void **unused)
{
	AUTO(cli_free)
	struct cli_session *session =
	    run(NULL, WORDS("check", "alpha", "--plan", "tests/fixtures/cli/wrong-checks.yaml"));
	AUTO(cli_free)
	struct cli_session *lint =
	    run(NULL, WORDS("check", "lint", "tests/fixtures/cli/wrong-checks.yaml"));

	(void)unused;
	assert_int_equal(cli_exit_status(session), 2);
	assert_int_equal(cli_exit_status(lint), 2);
	assert_has(&lint->err, "tests/fixtures/cli/wrong-checks.yaml:");
	assert_string_equal(text_get(&session->err), text_get(&lint->err));
}

/* ---- env, logs ---- */

static json_t *env_routes(const char *state)
{
	return json_pack(
	    "[o, o]",
	    route("GET", "/v1/environments/alpha", answer(200, environment("alpha", state, "a"))),
	    route("GET", "/v1/environments/alpha/logs",
		  json_pack("{s:[{s:s, s:s, s:s}, {s:s, s:s, s:s}]}", "lines", "service", "web",
			    "at", "2026-11-24T20:00:00Z", "text", "::error::x", "service", "db",
			    "at", "2026-11-24T20:00:01Z", "text", "\033[31mred")));
}

static void env_writes_certificates_to_files_where_asked(void **unused)
{
	AUTO(fake_server_stop) struct fake_server *server = fake_server_start(env_routes("ready"));
	AUTO(free) char *folder = path_join(server->folder, "files");
	AUTO(free) char *wanted = xasprintf("ENV_CA_FILE=%s/ca.pem\n", folder);
	AUTO(free) char *file = path_join(folder, "ca.pem");
	AUTO(cli_free)
	struct cli_session *refused = run(server, WORDS("env", "alpha", "-o", "dotenv"));
	AUTO(cli_free)
	struct cli_session *session =
	    run(server, WORDS("env", "alpha", "-o", "dotenv", "--files", folder));

	(void)unused;
	assert_int_equal(cli_exit_status(refused), 2);
	assert_int_equal(cli_exit_status(session), 0);
	assert_has(&session->out, wanted);
	assert_has(&session->out, "ENV_URL=https://127.0.0.1:4443\n");
	assert_true(file_exists(file));
}

static void env_with_a_prefix_names_variables_and_files_by_it(void **unused)
{
	AUTO(fake_server_stop) struct fake_server *server = fake_server_start(env_routes("ready"));
	AUTO(free) char *folder = path_join(server->folder, "files");
	AUTO(free) char *wanted = xasprintf("BANK_CA_FILE=%s/bank_ca.pem\n", folder);
	AUTO(cli_free)
	struct cli_session *refused = run(server, WORDS("env", "alpha", "--prefix", "LD_"));
	AUTO(cli_free)
	struct cli_session *session = run(
	    server, WORDS("env", "alpha", "-o", "dotenv", "--files", folder, "--prefix", "BANK_"));

	(void)unused;
	assert_int_equal(cli_exit_status(refused), 2);
	assert_string_equal(text_get(&refused->out), "");
	assert_int_equal(cli_exit_status(session), 0);
	assert_has(&session->out, wanted);
	assert_has(&session->out, "BANK_URL=https://127.0.0.1:4443\n");
	assert_null(strstr(text_get(&session->out), "ENV_"));
}

static void env_of_one_that_is_not_ready_is_refused(void **unused)
{
	AUTO(fake_server_stop)
	struct fake_server *server = fake_server_start(env_routes("provisioning"));
	AUTO(cli_free) struct cli_session *session = run(server, WORDS("env", "alpha"));

	(void)unused;
	assert_int_equal(cli_exit_status(session), 1);
	assert_has(&session->err, "envctl wait alpha --for ready");
}

static void logs_name_their_service_and_cannot_command_the_runner(void **unused)
{
	AUTO(fake_server_stop) struct fake_server *server = fake_server_start(env_routes("ready"));
	struct cli_spec spec = { .server = server,
				 .arguments = WORDS("logs", "alpha", "-t"),
				 .variables = WORDS("GITHUB_ACTIONS=true") };
	AUTO(cli_free) struct cli_session *session = cli_run(&spec);

	(void)unused;
	assert_int_equal(cli_exit_status(session), 0);
	assert_true(text_starts_with(text_get(&session->out), "::stop-commands::"));
	assert_has(&session->out, "2026-11-24T20:00:00Z web              | ::error::x\n");
}

static void logs_that_break_off_say_why_and_are_no_success(void **unused)
{
	json_t *routes = json_pack(
	    "[o]", route("GET", "/v1/environments/alpha/logs",
			 json_pack("{s:[{s:s, s:s}, {s:{s:s, s:s, s:s}}]}", "lines", "service",
				   "web", "text", "one", "error", "code", "external", "slug",
				   "runtime_timeout", "message", "the runtime is silent")));
	AUTO(fake_server_stop) struct fake_server *server = fake_server_start(routes);
	AUTO(cli_free) struct cli_session *session = run(server, WORDS("logs", "alpha"));

	(void)unused;
	assert_int_equal(cli_exit_status(session), EXIT_OTHER);
	assert_string_equal(text_get(&session->out), "web              | one\n");
	assert_has(&session->err, "error[runtime_timeout]: the runtime is silent");
}

static void control_characters_of_a_log_do_not_reach_a_terminal(void **unused)
{
	AUTO(fake_server_stop) struct fake_server *server = fake_server_start(env_routes("ready"));
	struct cli_spec spec = { .server = server,
				 .arguments = WORDS("logs", "alpha", "--color", "never"),
				 .columns = 80 };
	AUTO(cli_free) struct cli_session *session = cli_run(&spec);

	(void)unused;
	assert_has(&session->err, "| ?[31mred");
}

static void doctor_without_a_server_is_status_10_and_looks_at_the_rest(void **unused)
{
	AUTO(cli_free) struct cli_session *session = run(NULL, WORDS("doctor", "-o", "json"));
	AUTO(json_decref) json_t *list = json_loads(text_get(&session->out), 0, NULL);

	(void)unused;
	assert_int_equal(cli_exit_status(session), 10);
	assert_true(json_array_size(json_object_get(list, "items")) > 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_in_a_pipe_is_whole_and_plain),
		cmocka_unit_test(a_list_on_a_terminal_fits_and_obeys_no_color),
		cmocka_unit_test(force_color_colours_a_pipe),
		cmocka_unit_test(names_labels_and_json_are_for_scripts),
		cmocka_unit_test(every_page_of_a_list_is_fetched),
		cmocka_unit_test(a_reader_that_leaves_is_no_error),
		cmocka_unit_test(mistakes_are_named_with_what_was_meant),
		cmocka_unit_test(every_command_has_help_that_needs_no_server),
		cmocka_unit_test(the_manual_has_the_table_of_exit_statuses),
		cmocka_unit_test(destroy_waits_and_prints_the_proofs),
		cmocka_unit_test(one_that_may_not_be_destroyed_does_not_keep_the_others),
		cmocka_unit_test(destroying_by_label_needs_a_yes_and_says_what_it_would_do),
		cmocka_unit_test(what_is_not_there_can_count_as_destroyed),
		cmocka_unit_test(waiting_for_what_cannot_come_any_more_fails_with_its_reason),
		cmocka_unit_test(the_verdict_decides_the_exit_status),
		cmocka_unit_test(a_plan_that_is_wrong_is_refused_before_anything_is_asked),
		cmocka_unit_test(env_writes_certificates_to_files_where_asked),
		cmocka_unit_test(env_with_a_prefix_names_variables_and_files_by_it),
		cmocka_unit_test(env_of_one_that_is_not_ready_is_refused),
		cmocka_unit_test(logs_name_their_service_and_cannot_command_the_runner),
		cmocka_unit_test(logs_that_break_off_say_why_and_are_no_success),
		cmocka_unit_test(control_characters_of_a_log_do_not_reach_a_terminal),
		cmocka_unit_test(doctor_without_a_server_is_status_10_and_looks_at_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
