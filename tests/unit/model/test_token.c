#include "model/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define GOOD "envd_0123abcd_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA0"

static void a_token_has_the_form_that_is_documented(void **unused)
{
	struct token token;
	char id[TOKEN_ID_SIZE];

	(void)unused;
	for (int i = 0; i < 200; i++) {
		token_make(&token);
		assert_int_equal(strlen(token.text), 57);
		assert_memory_equal(token.text, "envd_", 5);
		assert_int_equal(strspn(token.text + 5, "0123456789abcdef"), 8);
		assert_int_equal(token.text[13], '_');
		assert_true(token_parse(token.text, id));
		assert_string_equal(id, token.id);
	}
}

/* 64 letters of a secret's 256 bits: each place sees many values, so none of it is fixed. */
static void every_place_of_the_secret_is_random(void **unused)
{
	uint64_t seen[43] = { 0 };
	struct token token;

	(void)unused;
	for (int i = 0; i < 400; i++) {
		token_make(&token);
		for (int place = 0; place < 43; place++)
			seen[place] |= UINT64_C(1) << (token.text[14 + place] % 64);
	}
	for (int place = 0; place < 42; place++)
		assert_true(__builtin_popcountll(seen[place]) > 40);
	/* The last letter carries four bits only. */
	assert_true(__builtin_popcountll(seen[42]) > 10);
}

static void a_token_matches_its_own_digest_and_no_other(void **unused)
{
	struct token token, other;

	(void)unused;
	token_make(&token);
	token_make(&other);
	assert_true(token_matches(token.text, token.digest));
	assert_false(token_matches(token.text, other.digest));
	assert_false(token_matches(other.text, token.digest));
	token.text[56] = token.text[56] == 'A' ? 'B' : 'A';
	assert_false(token_matches(token.text, token.digest));
}

static void an_unknown_id_matches_nothing(void **unused)
{
	struct token token;

	(void)unused;
	token_make(&token);
	assert_false(token_matches(token.text, NULL));
	assert_false(token_matches("", NULL));
	assert_false(token_matches(token.text, ""));
}

static void the_digest_does_not_contain_the_secret(void **unused)
{
	struct token token;

	(void)unused;
	token_make(&token);
	assert_int_equal(strlen(token.digest), 64);
	assert_null(strstr(token.digest, token.text + 14));
}

static void what_has_another_form_is_no_token(void **unused)
{
	static const char *const wrong[] = {
		"",
		"envd_",
		"envd_0123abcd",
		"ENVD_0123abcd_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA0",
		"envd_0123ABCD_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA0",
		"envd_0123abcd-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA0",
		"envd_0123abcd_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"envd_0123abcd_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA00",
		"envd_0123abcd_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=0",
		"envd_0123abcd_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA+0",
	};
	char id[TOKEN_ID_SIZE];

	(void)unused;
	assert_true(token_parse(GOOD, id));
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		if (token_parse(wrong[i], id))
			fail_msg("\"%s\" was taken for a token", wrong[i]);
}

static void a_wiped_token_is_gone(void **unused)
{
	static const struct token nothing;
	struct token token;

	(void)unused;
	token_make(&token);
	token_wipe(&token);
	assert_memory_equal(&token, &nothing, sizeof(token));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_has_the_form_that_is_documented),
		cmocka_unit_test(every_place_of_the_secret_is_random),
		cmocka_unit_test(a_token_matches_its_own_digest_and_no_other),
		cmocka_unit_test(an_unknown_id_matches_nothing),
		cmocka_unit_test(the_digest_does_not_contain_the_secret),
		cmocka_unit_test(what_has_another_form_is_no_token),
		cmocka_unit_test(a_wiped_token_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
