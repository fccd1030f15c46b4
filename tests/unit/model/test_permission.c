#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "model/permission.h"

enum reach { NO, OWN, ANY };

static void every_role_may_exactly_what_the_table_says(void **unused)
{
	static const struct {
		enum role role;
		enum reach reach[PERMISSION_COUNT]; /* read create extend destroy check logs ack */
	} rows[] = {
		{ ROLE_NONE, { NO, NO, NO, NO, NO, NO, NO } },
		{ ROLE_VIEWER, { ANY, NO, NO, NO, NO, NO, NO } },
		{ ROLE_CI, { ANY, ANY, OWN, OWN, OWN, OWN, NO } },
		{ ROLE_OPERATOR, { ANY, ANY, ANY, ANY, ANY, ANY, ANY } },
		{ ROLE_ADMIN, { ANY, ANY, ANY, ANY, ANY, ANY, ANY } },
	};

	(void)unused;
	for (size_t r = 0; r < ARRAY_SIZE(rows); r++)
		for (int p = 0; p < PERMISSION_COUNT; p++) {
			struct caller caller = { .name = "me", .role = rows[r].role };
			struct error err;

			assert_int_equal(permission_check(&caller, (enum permission)p, "me", &err),
					 rows[r].reach[p] != NO);
			assert_int_equal(permission_check(&caller, (enum permission)p, "you", &err),
					 rows[r].reach[p] == ANY);
		}
}

static void a_refusal_names_the_caller_and_the_role(void **unused)
{
	struct caller caller = { .name = "jenkins", .role = ROLE_CI };
	struct error err;

	(void)unused;
	assert_false(permission_check(&caller, MAY_DESTROY, "alice", &err));
	assert_int_equal(err.code, ERR_DENIED);
	assert_non_null(strstr(err.message, "jenkins"));
	assert_non_null(strstr(err.message, "alice"));
	assert_string_equal(err.slug, "not_owner");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_role_may_exactly_what_the_table_says),
		cmocka_unit_test(a_refusal_names_the_caller_and_the_role),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
