#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/files.h"
#include "base/text.h"
#include "engine/pulumi/pulumi_claim.h"
#include "engine/target_access.h"
#include "engine/target_claim.h"

static char *temporary_file(const char *content)
{
	char *path = xstrdup("/tmp/envd-access-XXXXXX");
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, strlen(content)), strlen(content));
	close(fd);
	return path;
}

static void whose_claim_has_ended_does_nothing_on_the_target(void **unused)
{
	AUTO(free) char *file = temporary_file("");
	struct engine_target target = { .name = "lab", .claim_number = 7, .claim_file = file };
	const struct engine_target unclaimed = { .name = "local" };
	struct error err;

	(void)unused;
	assert_true(target_claim_check(&target, &err));
	assert_true(target_claim_check(&unclaimed, &err));
	unlink(file);
	assert_false(target_claim_check(&target, &err));
	assert_int_equal(err.code, ERR_CONFLICT);
	assert_string_equal(err.slug, "claim_lost");
	assert_non_null(strstr(err.message, "claim 7 of target \"lab\""));
}

static const char *value_of(const struct variable_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (strncmp(list->items[i], name, strlen(name)) == 0 &&
		    list->items[i][strlen(name)] == '=')
			return list->items[i] + strlen(name) + 1;
	return NULL;
}

static void credentials_are_looked_up_where_they_are(void **unused)
{
	AUTO(free) char *file = temporary_file("one word\n");
	AUTO(json_decref)
	json_t *credentials =
	    json_pack("{s:{s:s}, s:{s:s}, s:{s:[s, s]}}", "A", "file", file, "B", "variable",
		      "ENVD_SECRET_TEST_B", "C", "command", "/bin/echo", "three words");
	const struct engine_target target = { .name = "lab",
					      .claim_number = 7,
					      .credentials = credentials };
	AUTO(variable_list_release) struct variable_list list = { NULL, 0 };
	struct error err;

	(void)unused;
	setenv("ENVD_SECRET_TEST_B", "two", 1);
	if (!target_variables(&target, &list, &err))
		fail_msg("%s", err.message);
	unlink(file);
	assert_string_equal(value_of(&list, "A"), "one word");
	assert_string_equal(value_of(&list, "B"), "two");
	assert_string_equal(value_of(&list, "C"), "three words");
	assert_string_equal(value_of(&list, "ENVD_TARGET"), "lab");
	assert_string_equal(value_of(&list, "ENVD_CLAIM"), "7");
}

static void one_that_is_missing_is_named_and_what_was_printed_is_not(void **unused)
{
	static const char *const wrong[] = {
		"{\"file\": \"/nonexistent/token\"}",
		"{\"variable\": \"ENVD_SECRET_TEST_NONE\"}",
		"{\"command\": [\"/bin/sh\", \"-c\", \"echo hunter-two; echo hunter-two >&2; exit "
		"3\"]}",
		"{\"command\": [\"/bin/true\"]}",
		"{\"command\": []}",
	};

	(void)unused;
	unsetenv("ENVD_SECRET_TEST_NONE");
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		AUTO(json_decref) json_t *credentials = json_object();
		const struct engine_target target = { .name = "lab", .credentials = credentials };
		AUTO(variable_list_release) struct variable_list list = { NULL, 0 };
		struct error err;

		json_object_set_new(credentials, "TOKEN", json_loads(wrong[i], 0, NULL));
		assert_false(target_variables(&target, &list, &err));
		assert_string_equal(err.slug, "credential_missing");
		assert_non_null(strstr(err.message, "credential TOKEN of target \"lab\""));
		assert_null(strstr(err.message, "hunter-two"));
	}
}

static void what_a_cloud_says_when_it_has_no_more_is_understood(void **unused)
{
	static const struct {
		const char *message, *slug;
	} cases[] = {
		{ "operation error EC2: RunInstances, api error VcpuLimitExceeded: You have "
		  "requested more vCPU capacity",
		  "target_quota" },
		{ "error creating EC2 VPC: VpcLimitExceeded: The maximum number of VPCs",
		  "target_quota" },
		{ "InsufficientInstanceCapacity: We currently do not have sufficient m5.large",
		  "target_capacity" },
		{ "422 creating this droplet will exceed your droplet limit", "target_quota" },
		{ "[400] Account Limit reached. Please open a support ticket.", "target_quota" },
		{ "ZONE_RESOURCE_POOL_EXHAUSTED", "target_capacity" },
		{ "pods \"x\" is forbidden: exceeded quota: small", "target_quota" },
		{ "0/3 nodes are available: 3 Insufficient cpu.", "target_capacity" },
		/* Asked too often: it passes, and elsewhere would be no better. */
		{ "RequestLimitExceeded: Request limit exceeded.", NULL },
		{ "ThrottlingException: Rate exceeded", NULL },
		{ "access denied", NULL },
		{ "", NULL },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *slug = claim_exhaustion(cases[i].message);

		if (!text_equal(slug, cases[i].slug))
			fail_msg("\"%s\" is %s", cases[i].message, slug ? slug : "nothing");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whose_claim_has_ended_does_nothing_on_the_target),
		cmocka_unit_test(credentials_are_looked_up_where_they_are),
		cmocka_unit_test(one_that_is_missing_is_named_and_what_was_printed_is_not),
		cmocka_unit_test(what_a_cloud_says_when_it_has_no_more_is_understood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
