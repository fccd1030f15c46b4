#include "api/api_auth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { OURS = 500, GROUP = 600, OTHER = 700 };

static struct api_auth auth_with(gid_t ci_gid)
{
	return (struct api_auth){ .own_uid = OURS, .ci_gid = ci_gid };
}

static void our_own_user_and_root_are_admin(void **unused)
{
	struct api_auth auth = auth_with(GROUP);

	(void)unused;
	assert_int_equal(api_auth_role(&auth, &(struct http_peer){ .uid = OURS }), ROLE_ADMIN);
	assert_int_equal(api_auth_role(&auth, &(struct http_peer){ .uid = 0 }), ROLE_ADMIN);
}

static void members_of_the_group_are_ci(void **unused)
{
	struct api_auth auth = auth_with(GROUP);
	struct http_peer primary = { .uid = OTHER, .gid = GROUP };
	struct http_peer supplementary = {
		.uid = OTHER, .gid = OTHER, .groups = { 1, GROUP }, .group_count = 2
	};

	(void)unused;
	assert_int_equal(api_auth_role(&auth, &primary), ROLE_CI);
	assert_int_equal(api_auth_role(&auth, &supplementary), ROLE_CI);
}

static void everybody_else_is_refused(void **unused)
{
	struct api_auth auth = auth_with(GROUP);
	struct http_peer stranger = {
		.uid = OTHER, .gid = OTHER, .groups = { 1, 2, GROUP }, .group_count = 2
	};
	struct caller caller;
	struct error err;

	(void)unused;
	assert_int_equal(api_auth_role(&auth, &stranger), ROLE_NONE);
	assert_false(api_auth_caller(&auth, &stranger, &caller, &err));
	assert_string_equal(err.slug, "peer_refused");
	assert_int_equal(err.code, ERR_DENIED);
}

static void without_a_group_nobody_is_a_member_of_it(void **unused)
{
	struct api_auth auth = auth_with((gid_t)-1);
	struct http_peer peer = {
		.uid = OTHER, .gid = (gid_t)-1, .groups = { (gid_t)-1 }, .group_count = 1
	};

	(void)unused;
	assert_int_equal(api_auth_role(&auth, &peer), ROLE_NONE);
}

static void a_caller_has_the_name_of_its_user_or_a_made_one(void **unused)
{
	struct api_auth auth = auth_with(GROUP);
	struct http_peer nameless = { .uid = 3999999999u, .gid = GROUP };
	struct http_peer root = { .uid = 0 };
	struct caller caller;
	struct error err;

	(void)unused;
	assert_true(api_auth_caller(&auth, &root, &caller, &err));
	assert_string_equal(caller.name, "root");
	assert_true(api_auth_caller(&auth, &nameless, &caller, &err));
	assert_string_equal(caller.name, "uid-3999999999");
	assert_int_equal(caller.role, ROLE_CI);
	assert_string_equal(caller.project, "default");
}

static void names_of_many_users_are_never_mixed_up(void **unused)
{
	struct api_auth auth = auth_with(GROUP);

	(void)unused;
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < 3 * AUTH_NAMES_MAX; i++) {
			struct http_peer peer = { .uid = 3999000000u + i, .gid = GROUP };
			struct caller caller;
			struct error err;
			char wanted[32];

			snprintf(wanted, sizeof(wanted), "uid-%u", 3999000000u + i);
			assert_true(api_auth_caller(&auth, &peer, &caller, &err));
			assert_string_equal(caller.name, wanted);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_own_user_and_root_are_admin),
		cmocka_unit_test(members_of_the_group_are_ci),
		cmocka_unit_test(everybody_else_is_refused),
		cmocka_unit_test(without_a_group_nobody_is_a_member_of_it),
		cmocka_unit_test(a_caller_has_the_name_of_its_user_or_a_made_one),
		cmocka_unit_test(names_of_many_users_are_never_mixed_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
