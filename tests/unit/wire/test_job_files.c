#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "wire/job_files.h"

static void every_outcome_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (int outcome = JOB_COMPLETED; outcome <= JOB_UNKNOWN; outcome++)
		assert_int_equal(job_outcome_from_name(job_outcome_name((enum job_outcome)outcome)),
				 outcome);
	assert_int_equal(job_outcome_from_name("splendid"), JOB_UNKNOWN);
}

static void an_identity_survives_the_way_through_a_file(void **state)
{
	struct process_identity identity, read;
	AUTO(json_decref) json_t *json = NULL;
	struct error err;

	(void)state;
	assert_true(process_identity_of(getpid(), &identity));
	json = process_identity_to_json(&identity);
	assert_true(process_identity_from_json(json, &read, &err));
	assert_int_equal(read.pid, identity.pid);
	assert_true(read.start_ticks == identity.start_ticks);
	assert_string_equal(read.boot_id, identity.boot_id);
	assert_true(process_is_alive(&read));
}

static void an_identity_that_nobody_can_have_is_refused(void **state)
{
	/* clang-format off */
	static const char *const cases[] = {
		"{}",
		"{\"pid\":0,\"start_ticks\":1,\"boot_id\":\"x\"}",
		"{\"pid\":-1,\"start_ticks\":1,\"boot_id\":\"x\"}",
		"{\"pid\":99999999999,\"start_ticks\":1,\"boot_id\":\"x\"}",
		"{\"pid\":5,\"start_ticks\":1,\"boot_id\":\"0123456789abcdef0123456789abcdef01234567\"}",
		"{\"pid\":5,\"start_ticks\":\"1\",\"boot_id\":\"x\"}",
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(json_decref) json_t *json = json_loads(cases[i], 0, NULL);
		struct process_identity identity;
		struct error err;

		assert_false(process_identity_from_json(json, &identity, &err));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_outcome_has_a_name_of_its_own),
		cmocka_unit_test(an_identity_survives_the_way_through_a_file),
		cmocka_unit_test(an_identity_that_nobody_can_have_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
