#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"

/* RFC 4648, section 10. */
static const struct {
	const char *plain;
	const char *encoded;
} cases[] = {
	{ "", "" },
	{ "f", "Zg==" },
	{ "fo", "Zm8=" },
	{ "foo", "Zm9v" },
	{ "foob", "Zm9vYg==" },
	{ "fooba", "Zm9vYmE=" },
	{ "foobar", "Zm9vYmFy" },
};

static void the_vectors_of_the_rfc_go_both_ways(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(free)
		char *encoded = base64_encode(cases[i].plain, strlen(cases[i].plain), false);
		AUTO(free) char *bytes = NULL;
		size_t length;

		assert_string_equal(encoded, cases[i].encoded);
		assert_true(base64_decode(encoded, &bytes, &length));
		assert_int_equal(length, strlen(cases[i].plain));
		assert_string_equal(bytes, cases[i].plain);
	}
}

static void every_byte_comes_back_in_either_alphabet(void **unused)
{
	unsigned char all[256];

	(void)unused;
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (unsigned char)i;
	for (int for_urls = 0; for_urls < 2; for_urls++) {
		AUTO(free) char *encoded = base64_encode(all, sizeof(all), for_urls);
		AUTO(free) char *bytes = NULL;
		size_t length;

		assert_int_equal(strpbrk(encoded, "+/") == NULL, for_urls);
		assert_true(base64_decode(encoded, &bytes, &length));
		assert_int_equal(length, sizeof(all));
		assert_memory_equal(bytes, all, sizeof(all));
	}
}

static void what_is_no_base64_is_refused(void **unused)
{
	static const char *const bad[] = { "A", "Zm9v!", "Zm 9v", "Zg===", "Z=g=", "====" };
	char *bytes;
	size_t length;

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(base64_decode(bad[i], &bytes, &length));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_vectors_of_the_rfc_go_both_ways),
		cmocka_unit_test(every_byte_comes_back_in_either_alphabet),
		cmocka_unit_test(what_is_no_base64_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
