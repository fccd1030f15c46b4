#include "model/quota.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

enum { HOUR = 3600000 };

static const struct quota quota = {
	.environments = 3,
	.lease_ms = 4 * HOUR,
	.memory_bytes = 1000,
	.creates_per_hour = 5,
	.microcents_per_hour = 250,
};

/* Nothing is left over in any of them. */
static const struct quota_use just_fits = { 2, 900, 4, 200 };
static const struct quota_ask ask = { "shop", 4 * HOUR, 100, 50 };

static void what_just_fits_is_accepted(void **unused)
{
	struct error err;

	(void)unused;
	assert_true(quota_check("web", &quota, &just_fits, &ask, &err));
}

static void one_more_than_fits_is_refused_by_the_quota_that_it_breaks(void **unused)
{
	static const struct {
		struct quota_use use;
		struct quota_ask ask;
		const char *slug, *used, *limit;
	} cases[] = {
		{ { 3, 900, 4, 200 }, { "s", HOUR, 100, 50 }, "quota_environments", "3 ", "3 " },
		{ { 2, 900, 4, 200 }, { "s", 4 * HOUR + 1, 100, 50 }, "quota_lease", "4h", "4h" },
		{ { 2, 901, 4, 200 }, { "s", HOUR, 100, 50 }, "quota_memory", "MiB", "MiB" },
		{ { 2, 900, 4, 200 }, { "s", HOUR, 101, 50 }, "quota_memory", "MiB", "MiB" },
		{ { 2, 900, 4, 200 }, { "s", HOUR, 0, 50 }, "quota_memory", "\"s\"", "not say" },
		{ { 2, 900, 5, 200 }, { "s", HOUR, 100, 50 }, "quota_creates", "5 env", "5 are" },
		{ { 2, 900, 4, 201 }, { "s", HOUR, 100, 50 }, "quota_cost", "spends", "may" },
		{ { 2, 900, 4, 200 }, { "s", HOUR, 100, 51 }, "quota_cost", "spends", "may" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err;

		if (quota_check("web", &quota, &cases[i].use, &cases[i].ask, &err))
			fail_msg("case %zu was accepted", i);
		assert_string_equal(err.slug, cases[i].slug);
		assert_int_equal(err.code, ERR_LIMIT);
		assert_non_null(strstr(err.message, "\"web\""));
		if (!strstr(err.message, cases[i].used) || !strstr(err.message, cases[i].limit))
			fail_msg("case %zu does not say what is used and how much: %s", i,
				 err.message);
		assert_true(strlen(err.hint) > 0);
	}
}

static void without_quotas_everything_fits(void **unused)
{
	static const struct quota_use huge = { INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX };
	static const struct quota_ask more = { "s", INT64_MAX, INT64_MAX, INT64_MAX };
	static const struct quota_ask silent = { "s", HOUR, 0, 0 };
	struct error err;

	(void)unused;
	assert_true(quota_check("web", &quota_unlimited, &huge, &more, &err));
	assert_true(quota_check("web", &quota_unlimited, &huge, &silent, &err));
}

static void huge_numbers_do_not_wrap_around(void **unused)
{
	static const struct quota_use use = { 0, 999, 0, 0 };
	static const struct quota_ask more = { "s", HOUR, INT64_MAX, 0 };
	struct error err;

	(void)unused;
	assert_false(quota_check("web", &quota, &use, &more, &err));
	assert_string_equal(err.slug, "quota_memory");
}

static void a_quota_of_nothing_allows_nothing(void **unused)
{
	static const struct quota_use none = { 0, 0, 0, 0 };
	struct quota closed = quota_unlimited;
	struct error err;

	(void)unused;
	closed.environments = 0;
	assert_false(quota_check("web", &closed, &none, &ask, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_just_fits_is_accepted),
		cmocka_unit_test(one_more_than_fits_is_refused_by_the_quota_that_it_breaks),
		cmocka_unit_test(without_quotas_everything_fits),
		cmocka_unit_test(huge_numbers_do_not_wrap_around),
		cmocka_unit_test(a_quota_of_nothing_allows_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
