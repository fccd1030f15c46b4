#include "http/http_post.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void an_address_that_cannot_be_sent_to_is_refused_by_name(void **unused)
{
	static const struct {
		struct http_place_spec spec;
		const char *slug, *said;
	} cases[] = {
		{ { "ftp://h", "/p", NULL }, "endpoint_invalid", "\"ftp://h\"" },
		{ { "127.0.0.1:4318", "/p", NULL }, "endpoint_invalid", "https://HOST:PORT" },
		{ { "http://", "/p", NULL }, "endpoint_invalid", "\"http://\"" },
		{ { "https://", "/p", NULL }, "endpoint_invalid", "\"https://\"" },
		{ { "https://127.0.0.1:0", "/p", NULL }, "endpoint_invalid", "no valid port" },
		{ { "http://127.0.0.1:http", "/p", NULL }, "endpoint_invalid", "no valid port" },
		{ { "http://127.0.0.1", "/p", "/ca.pem" }, "endpoint_invalid", "https:// alone" },
		{ { "https://127.0.0.1", "/p", "/no/ca.pem" }, "tls_unusable", "No such file" },
		{ { "https://127.0.0.1", "/p", "/dev/null" }, "tls_unusable", "/dev/null" },
		{ { "http://no-such-host.invalid", "/p", NULL },
		  "endpoint_unknown",
		  "\"no-such-host.invalid\"" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct http_place *place = NULL;
		struct error err = { 0 };

		assert_false(http_place_new(&cases[i].spec, &place, &err));
		assert_string_equal(err.slug, cases[i].slug);
		if (!strstr(err.message, cases[i].said))
			fail_msg("\"%s\" is not in: %s", cases[i].said, err.message);
		assert_null(place);
	}
}

static void addresses_of_every_kind_are_taken(void **unused)
{
	static const char *const addresses[] = {
		"http://127.0.0.1",           "http://127.0.0.1:4318/otlp/", "https://127.0.0.1",
		"https://localhost:4318?x=1", "http://[::1]:4318",           "https://[::1]",
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
		AUTO(http_place_free) struct http_place *place = NULL;
		struct error err = { 0 };

		if (!http_place_new(&(struct http_place_spec){ addresses[i], "/v1/traces", NULL },
				    &place, &err))
			fail_msg("\"%s\": %s", addresses[i], err.message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_that_cannot_be_sent_to_is_refused_by_name),
		cmocka_unit_test(addresses_of_every_kind_are_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
