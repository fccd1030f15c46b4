#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "worker/redact.h"

static void assert_becomes(const struct redactor *redactor, const char *text, const char *wanted)
{
	AUTO(text_release) struct text clean = TEXT_EMPTY;

	redactor_add(redactor, text, strlen(text), &clean);
	assert_string_equal(text_get(&clean), wanted);
}

static void what_the_text_calls_a_secret_is_hidden(void **unused)
{
	static const struct {
		const char *text, *becomes;
	} cases[] = {
		{ "nothing to hide here\n", "nothing to hide here\n" },
		{ "Authorization: Bearer abc.def\nnext", "Authorization: ***\nnext" },
		{ "> authorization: Basic Zm9vOmJhcg==", "> authorization: ***" },
		{ "Set-Cookie: sid=12345; Path=/", "Set-Cookie: ***" },
		{ "with bearer abcdefghij in it", "with bearer *** in it" },
		{ "password=hunter2 user=bob", "password=*** user=bob" },
		{ "{\"db_password\": \"hunter2\", \"n\": 1}",
		  "{\"db_password\": \"***\", \"n\": 1}" },
		{ "api-token: 'xyzzy'", "api-token: '***'" },
		{ "postgres://bank:s3cret@db:5432/x", "postgres://bank:***@db:5432/x" },
		{ "https://token@host/x", "https://***@host/x" },
		{ "https://host/x@y", "https://host/x@y" },
		{ "key ghp_0123456789abcdefghijABCDEFGHIJ end", "key *** end" },
		{ "a\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nb\n",
		  "a\n***\nb\n" },
		{ "the password is long", "the password is long" },
		{ "tokens left: 5", "tokens left: 5" }
	};
	AUTO(redactor_free) struct redactor *redactor = redactor_new();

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_becomes(redactor, cases[i].text, cases[i].becomes);
}

static void a_value_that_was_learnt_is_hidden_wherever_it_turns_up(void **unused)
{
	AUTO(redactor_free) struct redactor *redactor = redactor_new();
	AUTO(json_decref)
	json_t *inspected =
	    json_pack("{s:{s:[s, s]}, s:{s:s}}", "Config", "Env", "DB_PASSWORD=p4ssphrase-x",
		      "PLAIN=visible", "parameters", "api_token", "p4ssphrase-x-longer");

	(void)unused;
	redactor_learn_json(redactor, inspected);
	assert_becomes(redactor, "connecting with p4ssphrase-x, visible",
		       "connecting with ***, visible");
	/* The longer one whole, not its beginning. */
	assert_becomes(redactor, "[p4ssphrase-x-longer]", "[***]");
	redactor_learn(redactor, "short");
	assert_becomes(redactor, "a short word", "a short word");
}

static void json_stays_json_without_its_secrets(void **unused)
{
	AUTO(redactor_free) struct redactor *redactor = redactor_new();
	AUTO(json_decref)
	json_t *json = json_pack("{s:[s, s], s:s, s:i}", "Env", "TOKEN=a b c", "HOME=/", "secret",
				 "x\"y", "n", 1);
	AUTO(json_decref) json_t *clean = redactor_json(redactor, json);
	AUTO(free) char *text = json_to_text(clean);

	(void)unused;
	assert_string_equal(text,
			    "{\"Env\":[\"TOKEN=***\",\"HOME=/\"],\"secret\":\"***\",\"n\":1}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_text_calls_a_secret_is_hidden),
		cmocka_unit_test(a_value_that_was_learnt_is_hidden_wherever_it_turns_up),
		cmocka_unit_test(json_stays_json_without_its_secrets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
