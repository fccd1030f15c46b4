/*
 * Configuration in files and contexts: who wins, who is refused, and that a token goes to no server
 * but its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/files.h"
#include "base/json_read.h"
#include "tests/support/cli_session.h"

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* A repository with a folder in it, a user's folder and a system's file. */
struct place {
	char folder[64];
	char *repository, *inner;
	char *home, *system; /* as variables */
	char *project_file, *user_file, *system_file;
};

static int open_place(void **state)
{
	struct place *place = xcalloc(1, sizeof(*place));
	AUTO(free) char *git = NULL;
	struct error err;

	strcpy(place->folder, "/tmp/envctl-test-XXXXXX");
	assert_non_null(mkdtemp(place->folder));
	place->repository = path_join(place->folder, "repository");
	place->inner = path_join(place->repository, "a/b");
	git = path_join(place->repository, ".git");
	place->home = xasprintf("XDG_CONFIG_HOME=%s/home", place->folder);
	place->system = xasprintf("ENVCTL_SYSTEM_CONFIG=%s/system.json", place->folder);
	place->project_file = path_join(place->repository, ".envctl.json");
	place->user_file = path_join(place->folder, "home/envctl/config.json");
	place->system_file = path_join(place->folder, "system.json");
	assert_true(folder_make(place->inner, 0755, &err));
	assert_true(folder_make(git, 0755, &err));
	*state = place;
	return 0;
}

static int close_place(void **state)
{
	struct place *place = *state;
	struct error err;

	assert_true(folder_remove(place->folder, &err));
	free(place->repository);
	free(place->inner);
	free(place->home);
	free(place->system);
	free(place->project_file);
	free(place->user_file);
	free(place->system_file);
	free(place);
	return 0;
}

static void put(const char *file, const char *content, mode_t mode)
{
	AUTO(free) char *folder = xstrndup(file, (size_t)(strrchr(file, '/') - file));
	struct error err;

	assert_true(folder_make(folder, 0755, &err));
	assert_true(file_write_atomically(file, content, strlen(content), mode, &err));
}

/* ENVCTL_SERVER is always set in a session, so "" takes it away. */
static struct cli_session *run_with(const struct place *place, const char *variable,
				    const char *const *arguments)
{
	return cli_run(&(struct cli_spec){
	    .arguments = arguments,
	    .folder = place->inner,
	    .variables = WORDS(place->home, place->system, "ENVCTL_SERVER=", variable),
	});
}

static void assert_has(const struct text *text, const char *words)
{
	if (!strstr(text_get(text), words))
		fail_msg("\"%s\" is not in: %s", words, text_get(text));
}

/* "value from origin" of an option, as the next command would have it. */
static char *seen(const struct place *place, const char *variable, const char *name,
		  const char *flag)
{
	AUTO(cli_free)
	struct cli_session *run =
	    run_with(place, variable, WORDS(flag, "config", "view", "--show-origin", "-o", "json"));
	AUTO(json_decref) json_t *list = json_loads(text_get(&run->out), 0, NULL);
	size_t i;
	json_t *item;

	if (cli_exit_status(run) != 0)
		return xstrdup(text_get(&run->err));
	json_array_foreach(json_object_get(list, "items"), i, item) {
		if (text_equal(json_get_string(item, "name", ""), name))
			return xasprintf("%s from %s", json_get_string(item, "value", "?"),
					 json_get_string(item, "origin", "?"));
	}
	return xstrdup("nothing");
}

static void assert_seen(const struct place *place, const char *variable, const char *name,
			const char *flag, const char *wanted)
{
	AUTO(free) char *got = seen(place, variable, name, flag);

	assert_string_equal(got, wanted);
}

/* ---- who wins ---- */

static void the_nearer_one_wins_and_says_so(void **state)
{
	struct place *place = *state;
	AUTO(free) char *of_project = xasprintf("always from %s", place->project_file);
	AUTO(free) char *of_user = xasprintf("never from %s", place->user_file);
	AUTO(free) char *of_system = xasprintf("auto from %s", place->system_file);

	put(place->system_file, "{\"defaults\":{\"color\":\"auto\"}}", 0644);
	assert_seen(place, "X=", "color", "--no-headers", of_system);
	put(place->user_file, "{\"defaults\":{\"color\":\"never\"}}", 0644);
	assert_seen(place, "X=", "color", "--no-headers", of_user);
	put(place->project_file, "{\"defaults\":{\"color\":\"always\"}}", 0644);
	assert_seen(place, "X=", "color", "--no-headers", of_project);
	assert_seen(place, "ENVCTL_COLOR=never", "color", "--no-headers",
		    "never from $ENVCTL_COLOR");
	assert_seen(place, "ENVCTL_COLOR=never", "color", "--color=auto", "auto from --color");
}

static void a_flag_before_the_command_beats_its_variable(void **state)
{
	struct place *place = *state;

	assert_seen(place, "ENVCTL_SERVER=unix:/variable", "server", "--server=unix:/flag",
		    "unix:/flag from --server");
}

static void what_is_configured_is_what_a_command_gets(void **state)
{
	struct place *place = *state;
	AUTO(cli_free) struct cli_session *run = NULL;

	put(place->user_file, "{\"defaults\":{\"ttl\":\"90m\",\"no-wait\":true}}", 0644);
	run = run_with(place, "X=", WORDS("create", "bank", "--dry-run=client"));
	assert_int_equal(cli_exit_status(run), 0);
	assert_has(&run->out, "\"ttl\": \"5400s\"");
}

static void a_projects_file_is_found_up_to_the_root_of_its_repository(void **state)
{
	struct place *place = *state;
	AUTO(free) char *above = path_join(place->folder, ".envctl.json");

	put(above, "{\"defaults\":{\"color\":\"always\"}}", 0644);
	assert_seen(place, "X=", "color", "--no-headers", " from default");
}

/* ---- contexts ---- */

static void a_context_is_added_chosen_used_and_removed(void **state)
{
	struct place *place = *state;
	AUTO(free) char *from = xasprintf("unix:/one from context one in %s", place->user_file);
	AUTO(cli_free)
	struct cli_session *one =
	    run_with(place, "X=", WORDS("context", "add", "one", "--server", "unix:/one"));
	AUTO(cli_free)
	struct cli_session *two =
	    run_with(place, "X=", WORDS("context", "add", "two", "--server", "unix:/two"));
	AUTO(cli_free) struct cli_session *used = NULL;
	AUTO(cli_free) struct cli_session *list = NULL;
	AUTO(cli_free) struct cli_session *removed = NULL;
	AUTO(cli_free) struct cli_session *away = NULL;
	struct stat status;

	assert_int_equal(cli_exit_status(one), 0);
	assert_has(&one->out, ", and chosen");
	assert_int_equal(cli_exit_status(two), 0);
	assert_int_equal(stat(place->user_file, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	assert_seen(place, "X=", "server", "--no-headers", from);
	used = run_with(place, "X=", WORDS("context", "use", "two"));
	assert_int_equal(cli_exit_status(used), 0);
	away = run_with(place, "X=", WORDS("list"));
	assert_int_equal(cli_exit_status(away), 10);
	assert_has(&away->err, "cannot reach envd at unix:/two");
	assert_seen(place, "X=", "server", "--context=one", from);
	removed = run_with(place, "X=", WORDS("context", "remove", "two"));
	assert_int_equal(cli_exit_status(removed), 0);
	list = run_with(place, "X=", WORDS("context", "list"));
	assert_string_equal(text_get(&list->out), "CURRENT  NAME  SERVER     TOKEN\n"
						  "         one   unix:/one  -\n");
}

static void a_variable_that_wins_over_the_chosen_context_is_said(void **state)
{
	struct place *place = *state;
	AUTO(cli_free) struct cli_session *run = NULL;

	put(place->user_file, "{\"contexts\":{\"one\":{\"server\":\"unix:/one\"}}}", 0600);
	run = run_with(place, "ENVCTL_SERVER=unix:/other", WORDS("context", "use", "one"));
	assert_int_equal(cli_exit_status(run), 0);
	assert_has(&run->err, "$ENVCTL_SERVER names the server: no context is used");
	/* A flag is newer than a variable. */
	assert_seen(place, "ENVCTL_SERVER=unix:/other", "context", "--context=one",
		    "one from --context");
}

static void a_token_goes_to_its_own_server_alone(void **state)
{
	struct place *place = *state;
	AUTO(free) char *from = xasprintf("[secret] from context one in %s", place->user_file);

	put(place->user_file,
	    "{\"current_context\":\"one\",\"contexts\":{\"one\":{\"server\":\"unix:/one\","
	    "\"token\":\"s3cret\"}}}",
	    0600);
	assert_seen(place, "X=", "token", "--no-headers", from);
	assert_seen(place, "X=", "token", "--server=unix:/other", "nothing");
	assert_seen(place, "ENVCTL_SERVER=unix:/other", "token", "--no-headers", "nothing");
	/* And a token of the variable's does not go to a context that has its own. */
	assert_seen(place, "ENVCTL_TOKEN=other", "token", "--no-headers", from);
}

/* ---- what is refused ---- */

static void a_readable_file_with_a_token_is_refused(void **state)
{
	struct place *place = *state;
	AUTO(cli_free) struct cli_session *run = NULL;

	put(place->user_file,
	    "{\"contexts\":{\"one\":{\"server\":\"unix:/one\",\"token\":\"s3cret\"}}}", 0640);
	run = run_with(place, "X=", WORDS("list"));
	assert_int_equal(cli_exit_status(run), 2);
	assert_has(&run->err, "error[config_exposed]");
	assert_has(&run->err, "mode 640");
	assert_has(&run->err, "chmod 600 ");
	assert_null(strstr(text_get(&run->err), "s3cret"));
}

static void what_files_may_not_say_is_named(void **state)
{
	struct place *place = *state;
	const struct {
		const char *file, *content, *words;
	} cases[] = {
		{ place->project_file, "{\"defaults\":{\"server\":\"http://evil\"}}",
		  "\"server\" may not stand in a project's file" },
		{ place->project_file, "{\"contexts\":{}}", "\"contexts\" is not known here" },
		{ place->user_file, "{\"contexts\":{\"a\":{}}}", "\"a\" names no \"server\"" },
		{ place->user_file, "{\"contexts\":{\"a\":{\"server\":\"x\",\"passwort\":\"y\"}}}",
		  "\"passwort\" does not belong" },
		{ place->user_file, "{\"defaults\":{\"tll\":\"1h\"}}", "\"tll\" is no option" },
		{ place->user_file, "{\"defaults\":{\"ttl\":\"soon\"}}", "\"ttl\" in /tmp/" },
		{ place->user_file, "{\"defaults\":[]}", "\"defaults\" must be an object" },
		{ place->user_file, "{,}", "config.json" },
		{ place->system_file, "[]", "must be an object" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(cli_free) struct cli_session *run = NULL;

		put(cases[i].file, cases[i].content, 0600);
		run = run_with(place, "X=", WORDS("create", "bank", "--dry-run=client"));
		assert_int_equal(cli_exit_status(run), 2);
		assert_has(&run->err, cases[i].words);
		assert_int_equal(unlink(cases[i].file), 0);
	}
}

static void a_broken_file_does_not_keep_the_help_away(void **state)
{
	struct place *place = *state;
	AUTO(cli_free) struct cli_session *run = NULL;

	put(place->user_file, "{", 0600);
	run = run_with(place, "X=", WORDS("create", "--help"));
	assert_int_equal(cli_exit_status(run), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_place, close_place)
	const struct CMUnitTest tests[] = {
		TEST(the_nearer_one_wins_and_says_so),
		TEST(a_flag_before_the_command_beats_its_variable),
		TEST(what_is_configured_is_what_a_command_gets),
		TEST(a_projects_file_is_found_up_to_the_root_of_its_repository),
		TEST(a_context_is_added_chosen_used_and_removed),
		TEST(a_variable_that_wins_over_the_chosen_context_is_said),
		TEST(a_token_goes_to_its_own_server_alone),
		TEST(a_readable_file_with_a_token_is_refused),
		TEST(what_files_may_not_say_is_named),
		TEST(a_broken_file_does_not_keep_the_help_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
