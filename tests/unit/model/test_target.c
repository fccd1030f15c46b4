#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "base/json_read.h"
#include "model/target.h"

#define MIB ((int64_t)1024 * 1024)

/* ---- may it be given ---- */

static void it_is_given_when_it_is_clean_and_has_room(void **unused)
{
	static const struct {
		struct target_standing standing;
		const char *slug; /* NULL: there is room */
	} cases[] = {
		{ { .holders_max = 1 }, NULL },
		{ { .holders = 1, .holders_max = 1 }, "target_full" },
		{ { .holders = 1, .holders_max = 2 }, NULL },
		/* The limit was lowered under what is there. */
		{ { .holders = 3, .holders_max = 2 }, "target_full" },
		{ { .holders_max = 9, .condition = TARGET_DIRTY }, "target_dirty" },
		{ { .holders_max = 9, .condition = TARGET_CLEANING }, "target_dirty" },
		/* Dirty says more than full: no end of a lease will help. */
		{ { .holders = 1, .holders_max = 1, .condition = TARGET_DIRTY }, "target_dirty" },
		{ { .holders_max = 1, .no_room_until_ms = 1001 }, "target_no_capacity" },
		{ { .holders_max = 1, .no_room_until_ms = 1000 }, NULL },
		{ { .holders_max = 9, .memory_needed = 4, .memory_max = 4 }, NULL },
		{ { .holders_max = 9, .memory_used = 1, .memory_needed = 4, .memory_max = 4 },
		  "target_memory" },
		{ { .holders_max = 9, .memory_used = 9, .memory_needed = 9 }, NULL },
		{ { .holders_max = 9, .memory_used = 8, .memory_needed = 1, .memory_max = 4 },
		  "target_memory" },
		{ { .holders_max = 9,
		    .memory_used = 8,
		    .memory_needed = INT64_MAX,
		    .memory_max = 9 },
		  "target_memory" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = { 0 };
		bool is_given = target_judge("lab", &cases[i].standing, 1000, &err);

		assert_int_equal(is_given, cases[i].slug == NULL);
		assert_string_equal(err.slug ? err.slug : "", cases[i].slug ? cases[i].slug : "");
		assert_int_equal(!is_given && target_is_refusal(&err), !is_given);
		assert_true(is_given || strstr(err.message, "\"lab\""));
	}
}

static void a_refusal_names_memory_target_and_numbers(void **unused)
{
	const struct target_standing standing = { .holders_max = 9,
						  .memory_used = 300 * MIB,
						  .memory_needed = 512 * MIB,
						  .memory_max = 700 * MIB };
	struct error err;

	(void)unused;
	assert_false(target_judge("local", &standing, 0, &err));
	assert_string_equal(err.message, "waits for memory: it needs 512 MiB, and 300 MiB of the "
					 "700 MiB of target \"local\" are taken");
}

static void what_a_client_is_told_follows_from_both(void **unused)
{
	(void)unused;
	assert_string_equal(target_state_name(TARGET_CLEAN, 0), "free");
	assert_string_equal(target_state_name(TARGET_CLEAN, 2), "held");
	assert_string_equal(target_state_name(TARGET_DIRTY, 2), "dirty");
	assert_string_equal(target_state_name(TARGET_CLEANING, 0), "cleaning");
	/* What we did not store is not taken for clean. */
	assert_int_equal(target_condition_parse("spotless"), TARGET_DIRTY);
}

/* ---- wishes ---- */

static bool fits(const char *wish, const char *name, const char *labels)
{
	AUTO(json_decref) json_t *wishes = json_array(), *has = json_loads(labels, 0, NULL);
	json_t *one;
	struct error err;

	assert_true(target_wish_parse(wish, &one, &err));
	json_array_append_new(wishes, one);
	return target_fits(wishes, name, has);
}

static void a_wish_is_a_name_or_labels_that_must_all_be_there(void **unused)
{
	static const char labels[] = "{\"cloud\": \"aws\", \"region\": \"eu-west-1\"}";

	(void)unused;
	assert_true(fits("lab-1", "lab-1", "{}"));
	assert_false(fits("lab-1", "lab-2", "{}"));
	assert_true(fits("cloud=aws", "x", labels));
	assert_true(fits("cloud=aws,region=eu-west-1", "x", labels));
	assert_false(fits("cloud=aws,region=us-east-1", "x", labels));
	assert_false(fits("cloud=aws,zone=a", "x", labels));
	assert_false(fits("cloud=aws", "aws", "{}"));
	assert_true(target_fits(NULL, "any", NULL));
}

static void what_the_template_and_the_caller_wish_must_both_be_so(void **unused)
{
	AUTO(json_decref)
	json_t *wishes = json_pack("[{s:{s:s}}, {s:s}]", "labels", "cloud", "aws", "name", "one");
	AUTO(json_decref) json_t *aws = json_pack("{s:s}", "cloud", "aws"), *none = json_object();
	AUTO(free) char *words = target_wishes_text(wishes);

	(void)unused;
	assert_true(target_fits(wishes, "one", aws));
	assert_false(target_fits(wishes, "one", none));
	assert_false(target_fits(wishes, "two", aws));
	assert_string_equal(words, "cloud=aws,one");
}

static void a_wish_that_makes_no_sense_is_refused_by_its_own_words(void **unused)
{
	static const char *const wrong[] = { "",       "Lab 1",      "=aws",         "cloud=",
					     "a=b,",   "a=b,,c=d",   "a=b,a=c",      "a=b c",
					     "../etc", "a=\x1b[31m", "cloud=aws,lab" };

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct error err;
		json_t *wish;

		assert_false(target_wish_parse(wrong[i], &wish, &err));
		assert_int_equal(err.code, ERR_INVALID);
		assert_string_equal(err.slug, "target_invalid");
		assert_null(strchr(err.message, '\x1b'));
	}
}

/* ---- elsewhere, and again ---- */

static void only_what_another_target_may_have_goes_elsewhere(void **unused)
{
	(void)unused;
	assert_true(target_is_exhausted("target_quota"));
	assert_true(target_is_exhausted("target_capacity"));
	assert_false(target_is_exhausted("pulumi_failed"));
	assert_false(target_is_exhausted("quota_environments"));
	assert_false(target_is_exhausted(NULL));
}

static void pauses_between_cleanings_grow_up_to_an_hour(void **unused)
{
	int64_t before = 0;

	(void)unused;
	assert_int_equal(target_clean_pause_ms(0), 30000);
	for (int64_t attempts = 1; attempts < 100; attempts++) {
		int64_t pause = target_clean_pause_ms(attempts);

		assert_true(pause >= before && pause <= 3600000);
		before = pause;
	}
	assert_int_equal(before, 3600000);
	assert_int_equal(target_clean_pause_ms(INT64_MAX), 3600000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_given_when_it_is_clean_and_has_room),
		cmocka_unit_test(a_refusal_names_memory_target_and_numbers),
		cmocka_unit_test(what_a_client_is_told_follows_from_both),
		cmocka_unit_test(a_wish_is_a_name_or_labels_that_must_all_be_there),
		cmocka_unit_test(what_the_template_and_the_caller_wish_must_both_be_so),
		cmocka_unit_test(a_wish_that_makes_no_sense_is_refused_by_its_own_words),
		cmocka_unit_test(only_what_another_target_may_have_goes_elsewhere),
		cmocka_unit_test(pauses_between_cleanings_grow_up_to_an_hour),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
