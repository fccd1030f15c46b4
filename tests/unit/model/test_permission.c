#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "model/permission.h"

enum reach { NO, OWN, ANY };

/* Said once more, so that a slip in the table is seen. */
// clang-format off
static const struct {
	enum permission permission;
	enum reach none, viewer, ci, operator, admin;
} rows[] = {
	{ MAY_READ,          NO, OWN, OWN, ANY, ANY },
	{ MAY_CREATE,        NO, NO,  OWN, ANY, ANY },
	{ MAY_EXTEND,        NO, NO,  OWN, ANY, ANY },
	{ MAY_DESTROY,       NO, NO,  OWN, ANY, ANY },
	{ MAY_CHECK,         NO, NO,  OWN, ANY, ANY },
	{ MAY_READ_LOGS,     NO, NO,  OWN, ANY, ANY },
	{ MAY_REACH_INTO,    NO, NO,  OWN, ANY, ANY },
	{ MAY_ACKNOWLEDGE,   NO, NO,  NO,  ANY, ANY },
	{ MAY_READ_AUDIT,    NO, NO,  NO,  ANY, ANY },
	{ MAY_READ_METRICS,  NO, NO,  NO,  ANY, ANY },
	{ MAY_MANAGE_TOKENS, NO, NO,  NO,  NO,  ANY },
	{ MAY_MANAGE_TARGETS, NO, NO,  NO,  NO,  ANY },
};
// clang-format on

static enum reach wanted(size_t row, enum role role)
{
	const enum reach by_role[] = { rows[row].none, rows[row].viewer, rows[row].ci,
				       rows[row].operator, rows[row].admin };

	return by_role[role];
}

static void every_role_may_exactly_what_the_table_says(void **unused)
{
	(void)unused;
	assert_int_equal(ARRAY_SIZE(rows), PERMISSION_COUNT);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (enum role role = ROLE_NONE; role <= ROLE_ADMIN; role++) {
			struct caller caller = { .name = "me", .role = role, .project = "mine" };
			enum permission permission = rows[i].permission;
			struct error err;

			assert_int_equal(permission_check(&caller, permission, "mine", &err),
					 wanted(i, role) != NO);
			assert_int_equal(permission_check(&caller, permission, "yours", &err),
					 wanted(i, role) == ANY);
			assert_int_equal(permission_check(&caller, permission, NULL, &err),
					 wanted(i, role) != NO);
			assert_int_equal(permission_is_bound(&caller, permission),
					 wanted(i, role) != ANY);
		}
}

static void a_refusal_names_the_caller_and_the_role_and_no_other_project(void **unused)
{
	struct caller caller = { .name = "web/jenkins", .role = ROLE_CI, .project = "web" };
	struct error err;

	(void)unused;
	assert_false(permission_check(&caller, MAY_DESTROY, "secret-project", &err));
	assert_int_equal(err.code, ERR_DENIED);
	assert_non_null(strstr(err.message, "web/jenkins"));
	assert_non_null(strstr(err.message, "role ci"));
	assert_null(strstr(err.message, "secret-project"));
	assert_string_equal(err.slug, "not_your_project");
}

static void a_role_is_given_by_its_name(void **unused)
{
	enum role role;
	struct error err;

	(void)unused;
	assert_true(role_parse("operator", &role, &err));
	assert_int_equal(role, ROLE_OPERATOR);
	assert_false(role_parse("none", &role, &err));
	assert_false(role_parse("root", &role, &err));
	assert_string_equal(err.slug, "role_unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_role_may_exactly_what_the_table_says),
		cmocka_unit_test(a_refusal_names_the_caller_and_the_role_and_no_other_project),
		cmocka_unit_test(a_role_is_given_by_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
