#include "cli/env_format.h"

#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#define PEM "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"

static json_t *variables_of(json_t *outputs)
{
	AUTO(json_decref)
	json_t *environment = json_pack("{s:s, s:s, s:s, s:o}", "name", "demo", "id", "7f3c",
					"expires_at", "2026-11-24T22:00:00Z", "outputs", outputs);

	return env_variables(environment, ENV_PREFIX);
}

static char *format(const char *notation, const json_t *variables)
{
	struct text text = TEXT_EMPTY;
	struct error err;

	assert_true(env_format(notation, variables, &text, &err));
	return text_take(&text);
}

static void outputs_become_variables_and_cannot_take_our_names(void **unused)
{
	AUTO(json_decref)
	json_t *variables = variables_of(json_pack("{s:s, s:i, s:s}", "url", "https://x",
						   "grafana-port.1", 3000, "name", "mallory"));

	(void)unused;
	assert_string_equal(json_get_string(variables, "ENV_URL", ""), "https://x");
	assert_string_equal(json_get_string(variables, "ENV_GRAFANA_PORT_1", ""), "3000");
	assert_string_equal(json_get_string(variables, "ENV_NAME", ""), "demo");
	assert_string_equal(json_get_string(variables, "ENV_EXPIRES_AT", ""),
			    "2026-11-24T22:00:00Z");
}

static void every_name_has_the_prefix_that_was_asked_for(void **unused)
{
	AUTO(json_decref)
	json_t *environment = json_pack("{s:s, s:s, s:s, s:{s:s}}", "name", "demo", "id", "7f3c",
					"expires_at", "t", "outputs", "url", "https://x");
	AUTO(json_decref) json_t *variables = env_variables(environment, "Bank_2_");
	AUTO(json_decref)
	json_t *wanted = json_pack("{s:s, s:s, s:s, s:s}", "Bank_2_NAME", "demo", "Bank_2_ID",
				   "7f3c", "Bank_2_EXPIRES_AT", "t", "Bank_2_URL", "https://x");
	AUTO(free) char *github = format("github", variables);

	(void)unused;
	assert_true(json_equal(variables, wanted));
	assert_non_null(strstr(github, "Bank_2_URL=https://x\n"));
}

static void a_prefix_is_the_beginning_of_a_name_and_of_none_that_programs_obey(void **unused)
{
	static const char *const good[] = { "ENV_", "_", "b_", "BANK_2_", "LDAP_" };
	static const char *const bad[] = {
		"",    "BANK",    "2_",      "A B_",  "A;x_",      "A=_",  "LD_",
		"ld_", "GITHUB_", "RUNNER_", "BASH_", "\xc3\xa4_", "A\n_", "GITHUB_X_",
	};
	AUTO(free) char *too_long = xasprintf("%064d_", 0);
	struct error err;

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(env_prefix_check(good[i], &err));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_false(env_prefix_check(bad[i], &err));
		assert_string_equal(err.slug, "option_value");
	}
	too_long[0] = 'A';
	assert_false(env_prefix_check(too_long, &err));
	assert_true(env_prefix_check(too_long + 1 + strspn(too_long + 1, "0"), &err));
}

static void a_shell_reads_back_what_was_written(void **unused)
{
	static const char *const values[] = {
		"plain",     "", "it's", "a b\tc", "$(id) `id` \\ \" ! *", "line one\nline two\n",
		"'';'\"'\"'"
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		AUTO(json_decref) json_t *variables = json_pack("{s:s}", "ENV_X", values[i]);
		AUTO(free) char *text = format("shell", variables);
		AUTO(free) char *script = xasprintf("%s\nprintf %%s. \"$ENV_X\"", text);
		AUTO(free) char *wanted = xasprintf("%s.", values[i]);
		char read[256] = "";
		FILE *shell;

		/* By a variable, so that this line has nothing to quote. */
		setenv("SCRIPT", script, 1);
		shell = popen("eval \"$SCRIPT\"", "r");
		assert_non_null(shell);
		assert_true(fread(read, 1, sizeof(read) - 1, shell) > 0);
		assert_int_equal(pclose(shell), 0);
		assert_string_equal(read, wanted);
	}
}

static void dotenv_refuses_several_lines_by_name(void **unused)
{
	AUTO(json_decref) json_t *variables = variables_of(json_pack("{s:s}", "ca", PEM));
	AUTO(text_release) struct text text = TEXT_EMPTY;
	struct error err;

	(void)unused;
	assert_false(env_format("dotenv", variables, &text, &err));
	assert_string_equal(err.slug, "variable_not_writable");
	assert_non_null(strstr(err.message, "ENV_CA"));
	assert_non_null(strstr(err.hint, "--files"));
}

/* As GitLab and `docker run --env-file` read it: all behind the first "=", nothing else means
 * anything. */
static void dotenv_takes_every_other_value_as_it_is(void **unused)
{
	static const char *const values[] = {
		"",          " a b ", "a=b=c",     "#no comment", "'quoted'",
		"\"$HOME\"", "\\n",   "`id`$(id)", "caf\xc3\xa9", "tab\there"
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		AUTO(json_decref) json_t *variables = json_pack("{s:s}", "ENV_X", values[i]);
		AUTO(free) char *text = format("dotenv", variables);
		AUTO(free) char *value = xstrdup(strchr(text, '=') + 1);

		assert_true(text_ends_with(value, "\n"));
		value[strlen(value) - 1] = '\0';
		assert_string_equal(value, values[i]);
	}
}

static void github_gets_several_lines_behind_a_word_nobody_can_guess(void **unused)
{
	AUTO(json_decref)
	json_t *variables = json_pack("{s:s, s:s}", "ENV_URL", "https://x", "ENV_CA",
				      "one\nENV_URL=https://evil\nEOF\n");
	AUTO(free) char *first = format("github", variables);
	AUTO(free) char *second = format("github", variables);
	char delimiter[40] = "", other[40] = "";
	const char *end;

	(void)unused;
	assert_non_null(strstr(first, "ENV_URL=https://x\n"));
	assert_int_equal(sscanf(strstr(first, "ENV_CA<<"), "ENV_CA<<%39s", delimiter), 1);
	assert_int_equal(sscanf(strstr(second, "ENV_CA<<"), "ENV_CA<<%39s", other), 1);
	assert_string_not_equal(delimiter, other);
	assert_true(strlen(delimiter) >= 32);
	end = strstr(strstr(first, delimiter) + 1, delimiter);
	assert_non_null(end);
	assert_int_equal(end[-1], '\n');
	assert_true(strstr(first, "evil") < end);
}

static void json_is_the_variables_themselves(void **unused)
{
	AUTO(json_decref) json_t *variables = variables_of(json_pack("{s:s}", "ca", PEM));
	AUTO(free) char *text = format("json", variables);
	AUTO(json_decref) json_t *again = json_loads(text, 0, NULL);

	(void)unused;
	assert_true(json_equal(again, variables));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outputs_become_variables_and_cannot_take_our_names),
		cmocka_unit_test(every_name_has_the_prefix_that_was_asked_for),
		cmocka_unit_test(
		    a_prefix_is_the_beginning_of_a_name_and_of_none_that_programs_obey),
		cmocka_unit_test(a_shell_reads_back_what_was_written),
		cmocka_unit_test(dotenv_refuses_several_lines_by_name),
		cmocka_unit_test(dotenv_takes_every_other_value_as_it_is),
		cmocka_unit_test(github_gets_several_lines_behind_a_word_nobody_can_guess),
		cmocka_unit_test(json_is_the_variables_themselves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
