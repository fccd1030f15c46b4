/*
 * Completions and manual pages, by those who read them: real shells, man and mandoc.
 */
#include "cli/completion.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/files.h"
#include "base/json_read.h"
#include "cli/manual.h"
#include "tests/support/cli_session.h"

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static struct fake_server *serve_names(void)
{
	json_t *environments = json_loads("{\"items\":[{\"name\":\"pr-1\",\"state\":\"ready\"},"
					  "{\"name\":\"pr-2\",\"state\":\"failed\"}]}",
					  0, NULL);
	json_t *templates =
	    json_loads("{\"items\":[{\"name\":\"bank\"},{\"name\":\"small\"}]}", 0, NULL);

	return fake_server_start(json_pack("[{s:s, s:s, s:[{s:o}]}, {s:s, s:s, s:[{s:o}]}]",
					   "method", "GET", "path", "/v1/environments", "answers",
					   "json", environments, "method", "GET", "path",
					   "/v1/templates", "answers", "json", templates));
}

/* The program with envctl in its path, and no files of anybody's. */
static struct cli_session *run_shell(const struct fake_server *server, const char *const *program)
{
	AUTO(free)
	char *path = xasprintf("PATH=%s:%s", getenv("ENVD_BIN"), getenv("PATH"));

	return cli_run(&(struct cli_spec){
	    .server = server,
	    .program = program,
	    .variables = WORDS(path, "HOME=/nonexistent", "XDG_CONFIG_HOME=/nonexistent") });
}

/* ---- what is offered ---- */

/* The first words of the lines, with blanks between. */
static char *offered(const struct fake_server *server, const char *const *words)
{
	const char *arguments[12] = { "__complete", "--" };
	AUTO(cli_free) struct cli_session *run = NULL;
	struct text text = TEXT_EMPTY;

	for (size_t i = 0; words[i]; i++)
		arguments[i + 2] = words[i];
	run = cli_run(&(struct cli_spec){ .server = server, .arguments = arguments });
	assert_int_equal(cli_exit_status(run), 0);
	for (const char *at = text_get(&run->out); *at; at += strcspn(at, "\n") + 1)
		text_format(&text, "%s%.*s", text.length ? " " : "", (int)strcspn(at, "\t"), at);
	return text_take(&text);
}

static void every_place_on_a_line_has_what_can_stand_there(void **unused)
{
	static const struct {
		const char *words[6], *offered;
	} cases[] = {
		{ { "cre" }, "create" },
		{ { "con" }, "context config" },
		{ { "template", "" }, "list show lint" },
		{ { "template", "s" }, "show" },
		{ { "check", "l" }, "lint" },
		{ { "create", "" }, "bank small" },
		{ { "create", "--name", "x", "b" }, "bank" },
		{ { "destroy", "pr-1", "" }, "pr-1 pr-2" },
		{ { "create", "--on" }, "--on-timeout" },
		{ { "create", "--on-timeout", "" }, "keep destroy" },
		{ { "create", "--on-timeout=d" }, "--on-timeout=destroy" },
		{ { "list", "-o", "j" }, "json" },
		{ { "-o", "json", "vers" }, "version" },
		{ { "create", "--name", "" }, "" },
		{ { "run", "bank", "--", "ls", "-" }, "" },
		{ { "help", "ext" }, "extend" },
		{ { "completion", "z" }, "zsh" },
		{ { "nothing-like-this", "" }, "" },
		{ { "__" }, "" },
	};
	AUTO(fake_server_stop) struct fake_server *server = serve_names();

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(free) char *got = offered(server, cases[i].words);

		if (strcmp(got, cases[i].offered) != 0)
			fail_msg("case %zu: \"%s\", not \"%s\"", i, got, cases[i].offered);
	}
}

static void a_server_that_is_away_or_slow_is_not_waited_for(void **unused)
{
	AUTO(fake_server_stop)
	struct fake_server *slow =
	    fake_server_start(json_pack("[{s:s, s:s, s:[{s:f}]}]", "method", "GET", "path",
					"/v1/templates", "answers", "delay_s", 3600.0));
	AUTO(free) char *of_slow = offered(slow, WORDS("create", ""));
	AUTO(free) char *of_none = offered(NULL, WORDS("create", ""));

	(void)unused;
	assert_string_equal(of_slow, "");
	assert_string_equal(of_none, "");
}

/* ---- shells ---- */

static void a_real_bash_completes_in_a_terminal(void **unused)
{
	AUTO(fake_server_stop) struct fake_server *server = serve_names();
	AUTO(free) char *path = xasprintf("PATH=%s:%s", getenv("ENVD_BIN"), getenv("PATH"));
	struct cli_spec spec = { .server = server,
				 .program = WORDS("bash", "--norc", "-i"),
				 .variables = WORDS(path, "PS1=[\\#]> ", "HISTFILE=/dev/null",
						    "INPUTRC=/dev/null"),
				 .columns = 200 };
	AUTO(cli_free) struct cli_session *run = cli_start(&spec);

	(void)unused;
	/* Each prompt has its number: before it, the terminal is not readline's. */
	cli_type(run, "source <(envctl completion bash)\n");
	cli_await(run, "[2]> ");
	cli_type(run, "envctl vers\t#\n");
	cli_await(run, "version #");
	cli_await(run, "[3]> ");
	cli_type(run, "envctl create --on-timeout=de\t#\n");
	cli_await(run, "--on-timeout=destroy #");
	cli_await(run, "[4]> ");
	cli_type(run, "envctl create sm\t#\n");
	cli_await(run, "create small #");
	cli_await(run, "[5]> ");
	cli_type(run, "exit\n");
	cli_finish(run);
}

static void bash_gets_what_can_stand_behind_an_equals_sign_alone(void **unused)
{
	AUTO(cli_free)
	struct cli_session *run =
	    run_shell(NULL, WORDS("bash", "-c",
				  "source <(envctl completion bash)\n"
				  "COMP_WORDS=(envctl create --progress = p) COMP_CWORD=4\n"
				  "_envctl envctl p =; printf '<%s>' \"${COMPREPLY[@]}\""));

	(void)unused;
	assert_string_equal(text_get(&run->out), "<plain>");
	assert_int_equal(cli_exit_status(run), 0);
}

static void fish_completes_and_zsh_accepts_its_script(void **unused)
{
	AUTO(fake_server_stop) struct fake_server *server = serve_names();
	AUTO(cli_free)
	struct cli_session *fish =
	    run_shell(server, WORDS("fish", "--no-config", "-c",
				    "envctl completion fish | source; complete -C 'envctl lock '"));
	AUTO(cli_free)
	struct cli_session *zsh =
	    run_shell(NULL, WORDS("bash", "-c", "envctl completion zsh | zsh -f -n /dev/stdin"));

	(void)unused;
	assert_string_equal(text_get(&fish->out), "pr-1\tready\npr-2\tfailed\n");
	if (cli_exit_status(zsh) != 0)
		fail_msg("zsh: %s", text_get(&zsh->err));
}

/* ---- manual pages ---- */

static void every_manual_page_is_clean_to_man_and_mandoc(void **unused)
{
	char folder[] = "/tmp/envctl-test-XXXXXX";
	AUTO(free) char *script = NULL;
	AUTO(cli_free) struct cli_session *run = NULL;
	struct error err;

	(void)unused;
	assert_non_null(mkdtemp(folder));
	assert_true(manual_write(folder, &err));
	script =
	    xasprintf("cd %s && test -s envctl.1 && test -s envctl-template-list.1 || exit 3\n"
		      "mandoc -T lint -W warning *.1 || exit 4\n"
		      "LC_ALL=C.UTF-8 man --warnings -l *.1 2>&1 >/dev/null | grep . && exit 5\n"
		      "man -l envctl-create.1 | grep -q -- --idempotency-key || exit 6\n",
		      folder);
	run = run_shell(NULL, WORDS("bash", "-c", script));
	if (cli_exit_status(run) != 0)
		fail_msg("status %d: %s%s", cli_exit_status(run), text_get(&run->out),
			 text_get(&run->err));
	assert_true(folder_remove(folder, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_place_on_a_line_has_what_can_stand_there),
		cmocka_unit_test(a_server_that_is_away_or_slow_is_not_waited_for),
		cmocka_unit_test(a_real_bash_completes_in_a_terminal),
		cmocka_unit_test(bash_gets_what_can_stand_behind_an_equals_sign_alone),
		cmocka_unit_test(fish_completes_and_zsh_accepts_its_script),
		cmocka_unit_test(every_manual_page_is_clean_to_man_and_mandoc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
