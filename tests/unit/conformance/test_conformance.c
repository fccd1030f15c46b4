#include "conformance/conformance.h"

#include <limits.h>
#include <string.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/files.h"
#include "cli/exit_status.h"
#include "tests/support/cli_session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct stand {
	char folder[64];
	char *program;
	json_t *trials;
};

static void count_trial(void *arg, const json_t *trial)
{
	(void)trial;
	++*(size_t *)arg;
}

/* `wrong` is the fake engine's fake.json. */
static void stand_open(struct stand *stand, const char *wrong)
{
	AUTO(free) char *source = realpath("tests/support/fake_engine", NULL);
	AUTO(free) char *world = NULL, *file = NULL;
	struct error err;

	*stand = (struct stand){ .folder = "/tmp/envd-conformance-XXXXXX" };
	assert_non_null(source);
	assert_non_null(mkdtemp(stand->folder));
	world = path_join(stand->folder, "world");
	file = path_join(world, "fake.json");
	stand->program = path_join(stand->folder, "engine");
	assert_int_equal(symlink(source, stand->program), 0);
	assert_true(folder_make(world, 0700, &err));
	assert_true(file_write_atomically(file, wrong, strlen(wrong), 0600, &err));
}

static void stand_close(struct stand *stand)
{
	struct error err;

	json_decref(stand->trials);
	free(stand->program);
	assert_true(folder_remove(stand->folder, &err));
}

static void try_it(struct stand *stand, int64_t time_limit_ms)
{
	AUTO(json_decref) json_t *parameters = json_object();
	struct error err;
	size_t seen = 0;
	struct conformance_spec spec = { .program = stand->program,
					 .parameters = parameters,
					 .time_limit_ms = time_limit_ms,
					 .grace_ms = time_limit_ms < 60000 ? 500 : 10000,
					 .stop_fd = -1,
					 .on_trial = count_trial,
					 .arg = &seen };

	assert_true(conformance_run(&spec, &stand->trials, &err));
	assert_int_equal(seen, json_array_size(stand->trials));
}

static const json_t *trial_of(const struct stand *stand, const char *name)
{
	for (size_t i = 0; i < json_array_size(stand->trials); i++) {
		const json_t *trial = json_array_get(stand->trials, i);

		if (text_starts_with(json_get_string(trial, "name", ""), name))
			return trial;
	}
	fail_msg("there is no trial \"%s\"", name);
	return NULL;
}

static size_t things_left(const struct stand *stand)
{
	AUTO(free) char *path = xasprintf("%s/world/items", stand->folder);
	AUTO(closedir) DIR *items = opendir(path);
	size_t count = 0;

	for (const struct dirent *entry = NULL; items && (entry = readdir(items));)
		count += entry->d_name[0] != '.';
	return count;
}

static void an_engine_without_mistakes_conforms(void **unused)
{
	struct stand stand;

	(void)unused;
	stand_open(&stand, "{}");
	try_it(&stand, 600000);
	for (size_t i = 0; i < json_array_size(stand.trials); i++) {
		const char *status = json_get_string(json_array_get(stand.trials, i), "status", "");

		if (!text_equal(status, "ok") && !text_equal(status, "note"))
			fail_msg("%s", json_dumps(json_array_get(stand.trials, i), 0));
	}
	assert_int_equal(things_left(&stand), 0);
	stand_close(&stand);
}

/* Which mistakes are found by which trials, and what each trial's sentence says. Several stand
 * together where none hides another: a whole test takes its time. */
struct finding {
	const char *trial, *rule; /* no rule: only a note */
};

static const struct {
	const char *wrongs;
	struct finding findings[6];
} mistakes[] = {
	// clang-format off
	{ "{\"probe\":\"fail\"}",           { { "probe answers", "is the target there" } } },
	{ "{\"probe\":\"no_hello\"}",       { { "every run keeps to the lines", "First `hello`" } } },
	{ "{\"probe\":\"wrong_protocol\"}", { { "every run keeps to the lines", "First `hello`" } } },
	{ "{\"probe\":\"not_json\"}",       { { "every run keeps to the lines", "First `hello`" } } },
	{ "{\"probe\":\"no_result\"}",      { { "every run keeps to the lines", "First `hello`" } } },
	{ "{\"probe\":\"two_results\"}",    { { "every run keeps to the lines", "First `hello`" } } },
	{ "{\"probe\":\"after_result\"}",   { { "every run keeps to the lines", "First `hello`" } } },
	{ "{\"probe\":\"exit:3\"}",         { { "probe answers", "First `hello`" } } },
	{ "{\"probe\":\"die\"}",            { { "probe answers", "First `hello`" } } },
	{ "{\"probe\":\"crash\"}",          { { "probe answers", "First `hello`" } } },
	{ "{\"probe\":\"flood_line\"}",     { { "probe answers", "First `hello`" } } },
	{ "{\"no-such-task\":\"any_task\",\"inspect\":\"bad_data\",\"recover\":\"fail\","
	  "\"inventory\":\"unlabelled\",\"create\":\"print_variables\"}",
	  { { "a task that does not exist", "does not know" },
	    { "inspect finds", "First `hello`" },
	    { "recover leaves alone", "half-made" },
	    { "everything says whose", "Label what you make" },
	    { "no credential", "Never print secrets" } } },
	{ "{\"inspect\":\"always_well\",\"create\":\"grandchild\",\"inventory\":\"forgets_others\"}",
	  { { "what was destroyed", "look" },
	    { "no process lives on", "is ended with it" },
	    { "the whole target", "With `environment` null" } } },
	{ "{\"plan\":\"eager\",\"destroy\":\"strict\",\"create\":\"twice\"}",
	  { { "planning twice", "change nothing" },
	    { "destroying what is not there", "is success" },
	    { "creating again", "must then do no harm" } } },
	{ "{\"destroy\":\"greedy\",\"inventory\":\"mixed\"}",
	  { { "each environment lists", "what really exists" },
	    { "destroying one", "of the environment" } } },
	{ "{\"create\":\"fail\"}",          { { "two environments are created", "build what the lock says" } } },
	{ "{\"create_once\":\"half\"}",     { { "two environments are created", "build what the lock says" } } },
	{ "{\"create\":\"late:1000\"}",     { { "in the end nothing is left", "complete and empty" },
	    { "SIGTERM", NULL } } }, // it dies of it, and gives no result
	{ "{\"destroy\":\"leave\"}",        { { "destroying one", "state_empty" } } },
	{ "{\"destroy\":\"lie_gone\"}",     { { "destroying one", "remove everything" } } },
	{ "{\"inventory\":\"incomplete\"}", { { "nothing is listed", "complete and empty" } } },
	{ "{\"inventory\":\"lie_empty\"}",  { { "each environment lists", "what really exists" } } },
	// clang-format on
};

static void must_have_found(const struct stand *stand, const struct finding *finding)
{
	const json_t *trial = trial_of(stand, finding->trial);

	if (!text_equal(json_get_string(trial, "status", ""), finding->rule ? "broken" : "note") ||
	    (finding->rule && !strstr(json_get_string(trial, "rule", ""), finding->rule)) ||
	    !*json_get_string(trial, "message", "")) {
		AUTO(free) char *all = json_dumps(stand->trials, JSON_INDENT(1));

		fail_msg("nothing was found by \"%s\": %s", finding->trial, all);
	}
}

static void find_mistake(const char *wrongs, const struct finding *findings, int64_t time_limit_ms)
{
	struct stand stand;

	stand_open(&stand, wrongs);
	try_it(&stand, time_limit_ms);
	for (; findings->trial; findings++)
		must_have_found(&stand, findings);
	stand_close(&stand);
}

static void every_mistake_is_found_with_its_rule(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++)
		find_mistake(mistakes[i].wrongs, mistakes[i].findings, 600000);
}

static void a_program_that_hangs_is_ended_and_named(void **unused)
{
	(void)unused;
	find_mistake(
	    "{\"probe\":\"ignore_term\"}",
	    (const struct finding[]){ { "probe answers", "is the target there" }, { NULL, NULL } },
	    3000);
}

static void a_program_that_does_not_hear_sigterm_is_named(void **unused)
{
	(void)unused;
	find_mistake("{\"create\":\"deaf:1500\"}",
		     (const struct finding[]){ { "SIGTERM", "stop soon" }, { NULL, NULL } }, 59000);
}

/* ---- as a user sees it ---- */

static struct cli_session *envctl_test(const struct stand *stand, const char *format)
{
	const char *arguments[] = { "engine", "test", stand->program, "-o", format, NULL };

	return cli_run(&(struct cli_spec){ .arguments = arguments });
}

static void a_broken_rule_ends_with_seven_and_quotes_the_manual(void **unused)
{
	struct stand stand;

	(void)unused;
	stand_open(&stand, "{\"inventory\":\"incomplete\"}");

	AUTO(cli_free) struct cli_session *session = envctl_test(&stand, "table");

	assert_int_equal(cli_exit_status(session), EXIT_CHECK_FAILED);
	assert_non_null(strstr(text_get(&session->out), "BROKEN    nothing is listed before"));
	assert_non_null(strstr(text_get(&session->out), "templates/engines.md: Nothing is "));
	stand_close(&stand);
}

static void json_has_every_trial(void **unused)
{
	AUTO(json_decref) json_t *document = NULL;
	struct stand stand;
	struct error err;

	(void)unused;
	stand_open(&stand, "{\"create\":\"fail\"}");

	AUTO(cli_free) struct cli_session *session = envctl_test(&stand, "json");

	assert_int_equal(cli_exit_status(session), EXIT_CHECK_FAILED);
	assert_true(
	    json_parse(text_get(&session->out), session->out.length, "stdout", &document, &err));
	assert_string_equal(json_get_string(document, "kind", ""), "EngineTest");
	assert_false(json_get_bool(document, "conforms", true));
	/* What needs an environment that was created could not be tried: that is no success. */
	assert_true(json_get_int64(document, "not_tried", 0) > 5);
	stand_close(&stand);
}

/* The second signal is not needed: what was made is gone before envctl is. */
static void an_interrupted_test_leaves_nothing(void **unused)
{
	struct stand stand;
	const char *arguments[6] = { "engine", "test" };

	(void)unused;
	stand_open(&stand, "{\"inspect\":\"slow:600000\"}");
	arguments[2] = stand.program;

	AUTO(cli_free)
	struct cli_session *session = cli_start(&(struct cli_spec){ .arguments = arguments });

	cli_await_out(session, "the whole target lists both");
	assert_int_equal(things_left(&stand), 4);
	kill(session->pid, SIGINT);
	cli_finish(session);
	assert_true(WIFSIGNALED(session->status));
	assert_int_equal(WTERMSIG(session->status), SIGINT);
	assert_int_equal(things_left(&stand), 0);
	stand_close(&stand);
}

static void a_program_that_is_not_there_is_named(void **unused)
{
	const char *const arguments[] = { "engine", "test", "/no/such/engine", NULL };

	(void)unused;

	AUTO(cli_free)
	struct cli_session *session = cli_run(&(struct cli_spec){ .arguments = arguments });

	assert_int_equal(cli_exit_status(session), EXIT_NOT_FOUND);
	assert_non_null(strstr(text_get(&session->err), "\"/no/such/engine\" cannot be run"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_engine_without_mistakes_conforms),
		cmocka_unit_test(every_mistake_is_found_with_its_rule),
		cmocka_unit_test(a_program_that_hangs_is_ended_and_named),
		cmocka_unit_test(a_program_that_does_not_hear_sigterm_is_named),
		cmocka_unit_test(a_broken_rule_ends_with_seven_and_quotes_the_manual),
		cmocka_unit_test(json_has_every_trial),
		cmocka_unit_test(an_interrupted_test_leaves_nothing),
		cmocka_unit_test(a_program_that_is_not_there_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
