#include "cli/command.h"

#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/support/cli_session.h"

#define ID "0a0b0c0d-1111-4222-8333-444455556666"
#define ENVIRONMENTS "/v1/environments"
#define ENVIRONMENT ENVIRONMENTS "/" ID
#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* ---- scripts ---- */

static json_t *environment(const char *state, const char *reason)
{
	json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s?, s:{s:s}, s:{s:s, s:f, s:f}}",
				 "apiVersion", "envd/v1", "kind", "Environment", "id", ID, "name",
				 "demo", "state", state, "template", "bank", "reason", reason,
				 "outputs", "url", "https://127.0.0.1:4443", "cost", "currency",
				 "USD", "so_far", 0.01, "at_expiry", 0.24);

	assert_non_null(json);
	return json;
}

static json_t *with_error(json_t *made)
{
	json_object_set_new(made, "error",
			    json_pack("{s:s, s:s, s:s}", "slug", "service_unhealthy", "message",
				      "service \"web\" did not become healthy; its last lines:\n"
				      "::set-output name=x::y\nbye",
				      "hint", "envctl logs demo --service web"));
	return made;
}

static json_t *answer(json_t *json)
{
	return json_pack("{s:o}", "json", json);
}

static json_t *event(int number, const char *kind, const char *state, const char *layer)
{
	json_t *row = json_pack("{s:i, s:s, s:s, s:s, s:s?, s:s}", "n", number, "at",
				"2026-11-24T20:00:01.000Z", "name", "demo", "kind", kind, "state",
				state, "message", "");

	if (layer)
		json_object_set_new(row, "data",
				    json_pack("{s:s, s:s, s:i}", "name", layer, "state", "ready",
					      "elapsed_ms", 2200));
	return json_pack("[i, s, o]", number, kind, row);
}

static json_t *route(const char *method, const char *path, json_t *answers)
{
	return json_pack("{s:s, s:s, s:o}", "method", method, "path", path, "answers", answers);
}

static json_t *accepted(void)
{
	return json_pack("{s:i, s:o}", "status", 201, "json", environment("queued", NULL));
}

/* Created, provisioning, then as `last` (takes the reference). The third connection to the events
 * is lost behind event 3. */
static json_t *story(json_t *last)
{
	const char *state = json_string_value(json_object_get(last, "state"));
	json_t *begin =
	    json_pack("{s:[o, o, o]}", "events", event(1, "state", "queued", NULL),
		      event(2, "state", "provisioning", NULL), event(3, "layer", NULL, "web"));
	json_t *all = json_pack("{s:[o, o], s:b}", "events", event(4, "layer", NULL, "db"),
				event(5, "state", state, NULL), "hold", 1);
	json_t *answers =
	    json_pack("[o, o, o, o]", begin, json_incref(begin), json_incref(begin), all);

	return json_pack("[o, o, o, o]", route("POST", ENVIRONMENTS, json_pack("[o]", accepted())),
			 route("GET", ENVIRONMENT,
			       json_pack("[o, o, o, o, o]", answer(environment("queued", NULL)),
					 answer(environment("provisioning", NULL)),
					 answer(environment("provisioning", NULL)),
					 answer(environment("provisioning", NULL)), answer(last))),
			 route("GET", ENVIRONMENT "/events", answers),
			 route("DELETE", ENVIRONMENT,
			       json_pack("[{s:i, s:o}]", "status", 202, "json",
					 environment("destroying", "requested"))));
}

/* It never gets beyond provisioning. */
static json_t *endless_story(json_t *post_answers)
{
	return json_pack(
	    "[o, o, o, o]", route("POST", ENVIRONMENTS, post_answers),
	    route("GET", ENVIRONMENT, json_pack("[o]", answer(environment("provisioning", NULL)))),
	    route("GET", ENVIRONMENT "/events",
		  json_pack("[{s:[o], s:b}]", "events", event(2, "state", "provisioning", NULL),
			    "hold", 1)),
	    route("DELETE", ENVIRONMENT,
		  json_pack("[{s:i, s:o}]", "status", 202, "json",
			    environment("destroying", "requested"))));
}

static json_t *refused(int status, const char *code)
{
	return json_pack("{s:i, s:{s:s, s:s, s:s}}", "status", status, "json", "code", code,
			 "detail", "no such luck", "hint", "try less");
}

static struct cli_session *create(const struct fake_server *server, const char *const *arguments,
				  const char *const *variables)
{
	return cli_run(
	    &(struct cli_spec){ .server = server, .arguments = arguments, .variables = variables });
}

static void assert_has(const struct text *text, const char *words)
{
	if (!strstr(text_get(text), words))
		fail_msg("\"%s\" is not in: %s", words, text_get(text));
}

static void assert_has_not(const struct text *text, const char *words)
{
	if (strstr(text_get(text), words))
		fail_msg("\"%s\" is in: %s", words, text_get(text));
}

/* ---- waiting ---- */

static void the_result_is_on_stdout_and_progress_on_stderr(void **unused)
{
	AUTO(fake_server_stop)
	struct fake_server *server = fake_server_start(story(environment("ready", NULL)));
	AUTO(cli_free)
	struct cli_session *run =
	    create(server, WORDS("create", "bank", "--pin", "nginx=1.22", "--ttl", "10m"), NULL);

	(void)unused;
	assert_int_equal(cli_exit_status(run), 0);
	assert_has(&run->out, "demo is ready\n");
	assert_has(&run->out, "https://127.0.0.1:4443");
	assert_has(&run->out, "envctl destroy demo");
	assert_has(&run->err, "20:00:01Z  demo  provisioning\n");
	assert_has(&run->err, "web                  ready  2.2s\n");
	assert_has_not(&run->out, "provisioning");
	assert_has_not(&run->err, "\033");
}

static void what_was_asked_is_what_is_sent(void **unused)
{
	AUTO(fake_server_stop)
	struct fake_server *server = fake_server_start(story(environment("ready", NULL)));
	AUTO(cli_free)
	struct cli_session *run =
	    create(server,
		   WORDS("create", "bank", "--name", "demo", "--ttl", "1h30m", "--pin",
			 "nginx=1.22", "--pin=bank=1.0", "--param", "users=25", "-l", "pr=12",
			 "--no-wait", "--idempotency-key", "abc", "-o", "name"),
		   NULL);
	AUTO(json_decref) json_t *requests = fake_server_requests(server);
	AUTO(json_decref)
	json_t *wanted =
	    json_pack("{s:s, s:s, s:s, s:{s:s, s:s}, s:{s:s}, s:{s:s}}", "template", "bank", "name",
		      "demo", "ttl", "5400s", "pins", "nginx", "1.22", "bank", "1.0", "parameters",
		      "users", "25", "labels", "pr", "12");
	const json_t *post = json_array_get(requests, 0);

	(void)unused;
	assert_int_equal(cli_exit_status(run), 0);
	assert_string_equal(text_get(&run->out), "env/demo\n");
	assert_true(json_equal(json_object_get(post, "body"), wanted));
	assert_string_equal(
	    json_get_string(json_object_get(post, "headers"), "idempotency-key", ""), "abc");
}

static void a_lost_connection_goes_on_behind_the_last_event(void **unused)
{
	AUTO(fake_server_stop)
	struct fake_server *server = fake_server_start(story(environment("ready", NULL)));
	AUTO(cli_free) struct cli_session *run = create(server, WORDS("create", "bank"), NULL);
	AUTO(json_decref) json_t *requests = fake_server_requests(server);
	bool has_resumed = false;
	size_t i;
	json_t *request;

	(void)unused;
	assert_int_equal(cli_exit_status(run), 0);
	json_array_foreach(requests, i, request) {

		has_resumed |= text_equal(
		    json_get_string(json_object_get(request, "headers"), "last-event-id", ""), "3");
	}
	assert_true(has_resumed);
	/* Every event is shown once. */
	assert_non_null(strstr(text_get(&run->err), "web  "));
	assert_null(strstr(strstr(text_get(&run->err), "web  ") + 1, "web  "));
}

static void a_key_that_was_used_before_is_the_same_environment(void **unused)
{
	json_t *replay =
	    json_pack("[{s:i, s:o}]", "status", 200, "json", environment("ready", NULL));
	json_t *routes = json_pack(
	    "[o, o, o]", route("POST", ENVIRONMENTS, replay),
	    route("GET", ENVIRONMENT, json_pack("[o]", answer(environment("ready", NULL)))),
	    route("GET", ENVIRONMENT "/events", json_pack("[{s:[]}]", "events")));
	AUTO(fake_server_stop) struct fake_server *server = fake_server_start(routes);
	AUTO(cli_free)
	struct cli_session *run =
	    create(server, WORDS("create", "bank", "--idempotency-key", "k", "-o", "json"), NULL);
	AUTO(json_decref) json_t *printed = json_loads(text_get(&run->out), 0, NULL);

	(void)unused;
	assert_int_equal(cli_exit_status(run), 0);
	assert_string_equal(json_get_string(printed, "id", ""), ID);
}

static void a_busy_server_is_asked_again(void **unused)
{
	json_t *busy = json_pack("{s:i, s:{s:s}}", "status", 503, "json", "code", "busy");
	json_t *dropped = json_pack("{s:b}", "drop", 1);
	json_t *routes = story(environment("ready", NULL));
	json_t *answers = json_object_get(json_array_get(routes, 0), "answers");

	(void)unused;
	json_array_insert_new(answers, 0, busy);
	json_array_insert_new(answers, 0, dropped);

	AUTO(fake_server_stop) struct fake_server *server = fake_server_start(routes);
	AUTO(cli_free) struct cli_session *run = create(server, WORDS("create", "bank"), NULL);

	assert_int_equal(cli_exit_status(run), 0);
	assert_int_equal(fake_server_count(server, "POST", ENVIRONMENTS), 3);
}

/* ---- failing ---- */

static void the_reason_decides_the_exit_status(void **unused)
{
	static const struct {
		const char *state, *reason;
		int status;
	} cases[] = {
		{ "destroying", "create_failed", 4 }, { "failed", "create_failed", 4 },
		{ "destroying", "check_failed", 7 },  { "destroying", "check_inconclusive", 4 },
		{ "destroying", "requested", 8 },     { "destroyed", "hard_wall", 8 },
		{ "destroying", "queue_timeout", 5 },
	};

	json_t *ends = json_array();

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		json_array_append_new(ends, answer(environment(cases[i].state, cases[i].reason)));

	AUTO(fake_server_stop)
	struct fake_server *server = fake_server_start(
	    json_pack("[o, o, o]", route("POST", ENVIRONMENTS, json_pack("[o]", accepted())),
		      route("GET", ENVIRONMENT, ends),
		      route("GET", ENVIRONMENT "/events", json_pack("[{s:[]}]", "events"))));

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(cli_free)
		struct cli_session *run = create(server, WORDS("create", "bank"), NULL);

		assert_int_equal(cli_exit_status(run), cases[i].status);
		assert_string_equal(text_get(&run->out), "");
	}
}

static void a_failed_build_says_what_why_and_what_next(void **unused)
{
	AUTO(fake_server_stop)
	struct fake_server *server =
	    fake_server_start(story(with_error(environment("destroying", "create_failed"))));
	AUTO(cli_free) struct cli_session *run = create(server, WORDS("create", "bank"), NULL);

	(void)unused;
	assert_has(&run->err, "error[environment_failed]: environment \"demo\" failed to build\n"
			      "  cause: service \"web\" did not become healthy; its last lines:\n"
			      "         ::set-output name=x::y\n"
			      "         bye\n"
			      "  hint:  envctl logs demo --service web\n");
}

static void errors_are_json_where_the_output_is(void **unused)
{
	AUTO(fake_server_stop)
	struct fake_server *server = fake_server_start(
	    json_pack("[o]", route("POST", ENVIRONMENTS,
				   json_pack("[o]", refused(404, "unknown_template")))));
	AUTO(cli_free)
	struct cli_session *run = create(server, WORDS("create", "bnk", "-o", "json"), NULL);
	AUTO(json_decref) json_t *printed = json_loads(text_get(&run->err), 0, NULL);
	const json_t *error = json_object_get(printed, "error");

	(void)unused;
	assert_int_equal(cli_exit_status(run), 6);
	assert_string_equal(json_get_string(error, "code", ""), "unknown_template");
	assert_string_equal(json_get_string(error, "message", ""), "no such luck");
	assert_string_equal(json_get_string(error, "hint", ""), "try less");
	assert_int_equal(json_get_int64(error, "exit_status", -1), 6);
	assert_false(json_get_bool(error, "retryable", true));
}

static void refusals_have_the_status_of_their_kind(void **unused)
{
	static const struct {
		int http;
		const char *code;
		int status;
		int tries; /* what waiting does not change is tried once */
	} cases[] = {
		{ 400, "invalid", 2, 1 },
		{ 422, "idempotency_key_reused", 2, 1 },
		{ 401, "stranger", 3, 1 },
		{ 403, "denied", 3, 1 },
		{ 404, "unknown_template", 6, 1 },
		{ 429, "quota_environments", 5, 1 },
		{ 429, "too_many_failed_logins", 3, 1 },
		{ 429, "environment_limit", 5, 4 },
		{ 429, "too_many_requests", 10, 4 },
		{ 409, "name_taken", 1, 1 },
		{ 503, "unavailable", 10, 4 },
		{ 500, "internal", 255, 1 },
	};

	json_t *answers = json_array();

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		for (int times = cases[i].tries; times--;)
			json_array_append_new(answers, refused(cases[i].http, cases[i].code));

	AUTO(fake_server_stop)
	struct fake_server *server =
	    fake_server_start(json_pack("[o]", route("POST", ENVIRONMENTS, answers)));

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(cli_free)
		struct cli_session *run = create(server, WORDS("create", "bank"), NULL);

		if (cli_exit_status(run) != cases[i].status)
			fail_msg("HTTP %d %s: exit status %d", cases[i].http, cases[i].code,
				 cli_exit_status(run));
	}
}

static void a_server_that_is_away_is_status_10_with_its_address(void **unused)
{
	AUTO(cli_free) struct cli_session *run = create(NULL, WORDS("create", "bank"), NULL);

	(void)unused;
	assert_int_equal(cli_exit_status(run), 10);
	assert_has(&run->err, "error[server_unreachable]: cannot reach envd at "
			      "unix:/tmp/envctl-test-no-such-socket");
	assert_has(&run->err, "envctl doctor");
}

static void a_time_out_keeps_it_unless_told_otherwise(void **unused)
{
	static const char *const what[] = { "keep", "destroy" };

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(what); i++) {
		AUTO(fake_server_stop)
		struct fake_server *server =
		    fake_server_start(endless_story(json_pack("[o]", accepted())));
		AUTO(cli_free)
		struct cli_session *run = create(
		    server, WORDS("create", "bank", "--timeout", "400ms", "--on-timeout", what[i]),
		    NULL);

		assert_int_equal(cli_exit_status(run), 9);
		assert_int_equal(fake_server_count(server, "DELETE", ENVIRONMENT), i);
		assert_has(&run->err, "envctl wait demo --for ");
	}
}

/* ---- signals ---- */

static struct cli_session *start_endless(const struct fake_server *server,
					 const char *const *arguments)
{
	return cli_start(&(struct cli_spec){ .server = server, .arguments = arguments });
}

static void assert_died_of(const struct cli_session *session, int signal_number)
{
	assert_true(WIFSIGNALED(session->status));
	assert_int_equal(WTERMSIG(session->status), signal_number);
}

static void an_interrupt_destroys_what_this_command_made(void **unused)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		AUTO(fake_server_stop)
		struct fake_server *server =
		    fake_server_start(endless_story(json_pack("[o]", accepted())));
		AUTO(cli_free)
		struct cli_session *run = start_endless(server, WORDS("create", "bank"));
		int64_t began_ms;

		cli_await(run, "provisioning");
		began_ms = clock_mono_ms();
		kill(run->pid, signals[i]);
		cli_finish(run);
		assert_true(clock_mono_ms() - began_ms < 2000);
		assert_died_of(run, signals[i]);
		assert_int_equal(fake_server_count(server, "DELETE", ENVIRONMENT), 1);
		assert_has(&run->err, "destroying env/demo on the server");
	}
}

static void an_interrupt_before_the_answer_finds_it_by_its_key(void **unused)
{
	json_t *slow = accepted();
	json_t *replay =
	    json_pack("{s:i, s:o}", "status", 200, "json", environment("queued", NULL));

	(void)unused;
	json_object_set_new(slow, "delay_s", json_real(15));

	AUTO(fake_server_stop)
	struct fake_server *server =
	    fake_server_start(endless_story(json_pack("[o, o]", slow, replay)));
	AUTO(cli_free) struct cli_session *run = start_endless(server, WORDS("create", "bank"));
	int64_t began_ms;

	cli_await(run, "idempotency key");
	fake_server_await(server, "POST", ENVIRONMENTS, 1);
	began_ms = clock_mono_ms();
	kill(run->pid, SIGINT);
	cli_finish(run);
	assert_true(clock_mono_ms() - began_ms < 5000);
	assert_died_of(run, SIGINT);
	assert_int_equal(fake_server_count(server, "DELETE", ENVIRONMENT), 1);

	AUTO(json_decref) json_t *requests = fake_server_requests(server);
	const json_t *first = json_object_get(json_array_get(requests, 0), "headers");
	const json_t *second = json_object_get(json_array_get(requests, 1), "headers");

	assert_string_equal(json_get_string(first, "idempotency-key", "1"),
			    json_get_string(second, "idempotency-key", "2"));
}

static void a_server_that_hangs_does_not_hold_an_interrupt_beyond_5_s(void **unused)
{
	json_t *slow = accepted();

	(void)unused;
	json_object_set_new(slow, "delay_s", json_real(15));

	AUTO(fake_server_stop)
	struct fake_server *server = fake_server_start(endless_story(json_pack("[o]", slow)));
	AUTO(cli_free) struct cli_session *run = start_endless(server, WORDS("create", "bank"));
	int64_t began_ms;

	cli_await(run, "idempotency key");
	fake_server_await(server, "POST", ENVIRONMENTS, 1);
	began_ms = clock_mono_ms();
	kill(run->pid, SIGTERM);
	cli_finish(run);
	assert_true(clock_mono_ms() - began_ms < 5000);
	assert_died_of(run, SIGTERM);
	assert_has(&run->err, "could not ask");
}

static void the_second_interrupt_leaves_at_once(void **unused)
{
	json_t *slow = accepted();

	(void)unused;
	json_object_set_new(slow, "delay_s", json_real(15));

	AUTO(fake_server_stop)
	struct fake_server *server = fake_server_start(endless_story(json_pack("[o]", slow)));
	AUTO(cli_free) struct cli_session *run = start_endless(server, WORDS("create", "bank"));
	int64_t began_ms;

	cli_await(run, "idempotency key");
	fake_server_await(server, "POST", ENVIRONMENTS, 1);
	kill(run->pid, SIGINT);
	/* The clean-up has begun: it asks again under the same key. */
	fake_server_await(server, "POST", ENVIRONMENTS, 2);
	began_ms = clock_mono_ms();
	kill(run->pid, SIGINT);
	cli_finish(run);
	assert_true(clock_mono_ms() - began_ms < 1000);
	assert_died_of(run, SIGINT);
	assert_has(&run->err, "leaving at once");
}

static void keep_on_interrupt_ends_the_waiting_only(void **unused)
{
	AUTO(fake_server_stop)
	struct fake_server *server = fake_server_start(endless_story(json_pack("[o]", accepted())));
	AUTO(cli_free)
	struct cli_session *run =
	    start_endless(server, WORDS("create", "bank", "--keep-on-interrupt"));

	(void)unused;
	cli_await(run, "provisioning");
	kill(run->pid, SIGINT);
	cli_finish(run);
	assert_died_of(run, SIGINT);
	assert_int_equal(fake_server_count(server, "DELETE", ENVIRONMENT), 0);
	assert_has(&run->err, "envctl wait demo");
}

static void what_another_command_made_is_not_destroyed(void **unused)
{
	json_t *replay =
	    json_pack("[{s:i, s:o}]", "status", 200, "json", environment("provisioning", NULL));
	AUTO(fake_server_stop)
	struct fake_server *server = fake_server_start(endless_story(replay));
	AUTO(cli_free)
	struct cli_session *run =
	    start_endless(server, WORDS("create", "bank", "--idempotency-key", "used"));

	(void)unused;
	cli_await(run, "provisioning");
	kill(run->pid, SIGINT);
	cli_finish(run);
	assert_died_of(run, SIGINT);
	assert_int_equal(fake_server_count(server, "DELETE", ENVIRONMENT), 0);
}

/* ---- where it is shown ---- */

static void github_gets_groups_and_never_somebody_elses_commands(void **unused)
{
	AUTO(fake_server_stop)
	struct fake_server *server =
	    fake_server_start(story(with_error(environment("destroying", "create_failed"))));
	AUTO(cli_free)
	struct cli_session *run =
	    create(server, WORDS("create", "bank"), WORDS("GITHUB_ACTIONS=true"));
	const char *stop, *quoted, *resumed;
	char token[64] = "";

	(void)unused;
	assert_has(&run->err, "::group::demo: provisioning\n");
	assert_has(&run->err, "::endgroup::\n");
	assert_has(&run->err, "::error title=environment_failed::environment \"demo\" failed to "
			      "build\n");
	stop = strstr(text_get(&run->err), "::stop-commands::");
	assert_non_null(stop);
	assert_int_equal(sscanf(stop, "::stop-commands::%60s", token), 1);

	AUTO(free) char *resume = xasprintf("::%s::\n", token);

	quoted = strstr(stop, "::set-output");
	resumed = strstr(stop, resume);
	assert_non_null(quoted);
	assert_non_null(resumed);
	assert_true(quoted < resumed);
}

static void a_repeated_step_has_the_same_key_and_a_new_attempt_another(void **unused)
{
	static const char *const attempts[] = { "1", "1", "2" };
	char keys[3][40];
	char names[3][48];

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(attempts); i++) {
		AUTO(fake_server_stop)
		struct fake_server *server = fake_server_start(story(environment("ready", NULL)));
		AUTO(free) char *attempt = xasprintf("GITHUB_RUN_ATTEMPT=%s", attempts[i]);
		AUTO(cli_free)
		struct cli_session *run =
		    create(server, WORDS("create", "bank", "--no-wait"),
			   WORDS("GITHUB_ACTIONS=true", "GITHUB_REPOSITORY=acme/Web_Shop",
				 "GITHUB_REF=refs/pull/812/merge", "GITHUB_RUN_ID=77", attempt));
		AUTO(json_decref) json_t *requests = fake_server_requests(server);
		const json_t *post = json_array_get(requests, 0);

		assert_int_equal(cli_exit_status(run), 0);
		snprintf(keys[i], sizeof(keys[i]), "%s",
			 json_get_string(json_object_get(post, "headers"), "idempotency-key", ""));
		snprintf(names[i], sizeof(names[i]), "%s",
			 json_get_string(json_object_get(post, "body"), "name", ""));
	}
	assert_string_equal(keys[0], keys[1]);
	assert_string_not_equal(keys[0], keys[2]);
	assert_true(text_starts_with(names[0], "gh-web-shop-812-"));
	assert_string_equal(names[0], names[1]);
}

static void a_terminal_gets_a_live_block_that_fits(void **unused)
{
	AUTO(fake_server_stop)
	struct fake_server *server = fake_server_start(story(environment("ready", NULL)));
	AUTO(cli_free)
	struct cli_session *run = cli_run(&(struct cli_spec){
	    .server = server, .arguments = WORDS("create", "bank"), .columns = 30 });
	const char *at = text_get(&run->err);

	(void)unused;
	assert_int_equal(cli_exit_status(run), 0);
	assert_has(&run->err, "\033[J");
	assert_has(&run->err, "✔ web");
	assert_has(&run->err, "is \033[32mready");
	/* Lines of the block: between two erasures. What is printed at the end may be longer. */
	at = strstr(at, "\033[J");
	for (const char *end = strrchr(at, 'J'); at < end; at += strcspn(at, "\n") + 1) {
		AUTO(free) char *line = xstrndup(at, strcspn(at, "\r\n"));

		assert_true(text_columns(line) <= 30 || strstr(line, "\033[J"));
	}
}

static void quiet_and_json_progress_are_as_asked(void **unused)
{
	AUTO(fake_server_stop)
	struct fake_server *server = fake_server_start(story(environment("ready", NULL)));
	AUTO(fake_server_stop)
	struct fake_server *other = fake_server_start(story(environment("ready", NULL)));
	AUTO(cli_free)
	struct cli_session *quiet =
	    create(server, WORDS("create", "bank", "--progress", "quiet"), NULL);
	AUTO(cli_free)
	struct cli_session *json =
	    create(other, WORDS("create", "bank", "-o", "json"), WORDS("ENVCTL_PROGRESS=json"));
	AUTO(free) char *lines = xstrdup(text_get(&json->err));

	(void)unused;
	assert_string_equal(text_get(&quiet->err), "");
	for (char *line = strtok(lines, "\n"); line; line = strtok(NULL, "\n")) {
		AUTO(json_decref) json_t *row = json_loads(line, 0, NULL);

		assert_true(json_is_object(row));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_result_is_on_stdout_and_progress_on_stderr),
		cmocka_unit_test(what_was_asked_is_what_is_sent),
		cmocka_unit_test(a_lost_connection_goes_on_behind_the_last_event),
		cmocka_unit_test(a_key_that_was_used_before_is_the_same_environment),
		cmocka_unit_test(a_busy_server_is_asked_again),
		cmocka_unit_test(the_reason_decides_the_exit_status),
		cmocka_unit_test(a_failed_build_says_what_why_and_what_next),
		cmocka_unit_test(errors_are_json_where_the_output_is),
		cmocka_unit_test(refusals_have_the_status_of_their_kind),
		cmocka_unit_test(a_server_that_is_away_is_status_10_with_its_address),
		cmocka_unit_test(a_time_out_keeps_it_unless_told_otherwise),
		cmocka_unit_test(an_interrupt_destroys_what_this_command_made),
		cmocka_unit_test(an_interrupt_before_the_answer_finds_it_by_its_key),
		cmocka_unit_test(a_server_that_hangs_does_not_hold_an_interrupt_beyond_5_s),
		cmocka_unit_test(the_second_interrupt_leaves_at_once),
		cmocka_unit_test(keep_on_interrupt_ends_the_waiting_only),
		cmocka_unit_test(what_another_command_made_is_not_destroyed),
		cmocka_unit_test(github_gets_groups_and_never_somebody_elses_commands),
		cmocka_unit_test(a_repeated_step_has_the_same_key_and_a_new_attempt_another),
		cmocka_unit_test(a_terminal_gets_a_live_block_that_fits),
		cmocka_unit_test(quiet_and_json_progress_are_as_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
