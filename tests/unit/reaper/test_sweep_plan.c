#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "reaper/sweep_plan.h"

#define OURS "0f0f0f0f-0000-4000-8000-000000000000"
#define LIVE "11111111-0000-4000-8000-000000000001"
#define GONE "22222222-0000-4000-8000-000000000002"
#define LOST "33333333-0000-4000-8000-000000000003"

static const int64_t now_s = 1000000;
static const char *sighted; /* the one id that earlier listings showed */

static enum sweep_standing standing(void *arg, struct env_id id)
{
	(void)arg;
	if (strcmp(id.text, LIVE) == 0)
		return SWEEP_LIVE;
	return strcmp(id.text, GONE) == 0 ? SWEEP_GONE : SWEEP_UNKNOWN;
}

static bool was_sighted(void *arg, struct env_id id)
{
	(void)arg;
	return sighted && strcmp(sighted, id.text) == 0;
}

static json_t *thing(const char *instance, const char *environment, int64_t sequence,
		     int64_t wall_s)
{
	return json_pack("{s:s, s:s, s:s, s:I, s:I, s:I}", "kind", "container", "instance",
			 instance, "environment", environment, "sequence", (json_int_t)sequence,
			 "hard_wall_s", (json_int_t)wall_s, "created_at_s",
			 (json_int_t)(now_s - 100000));
}

static struct sweep_rules the_rules(void)
{
	return (struct sweep_rules){ .instance = OURS,
				     .now_s = now_s,
				     .min_age_s = 900,
				     .newest_sequence = 50,
				     .live_count = 10 };
}

static struct sweep_plan plan_for(json_t *items, const struct sweep_rules *rules)
{
	AUTO(json_decref)
	json_t *inventory = json_pack("{s:b, s:o}", "complete", 1, "items", items);
	struct sweep_knowledge knowledge = { standing, was_sighted, NULL };
	struct sweep_plan plan;

	sweep_plan_make(inventory, rules, &knowledge, &plan);
	return plan;
}

static void what_lives_and_what_is_another_instances_is_never_touched(void **unused)
{
	struct sweep_rules rules = the_rules();
	struct sweep_plan plan = plan_for(json_pack("[o, o]", thing(OURS, LIVE, 1, now_s - 1),
						    thing("other", LOST, 1, now_s - 1)),
					  &rules);

	(void)unused;
	assert_int_equal(plan.count, 0);
	sweep_plan_release(&plan);
}

static void a_first_sighting_is_kept_and_a_second_one_removed(void **unused)
{
	struct sweep_rules rules = the_rules();
	struct sweep_plan plan;

	(void)unused;
	sighted = NULL;
	plan = plan_for(json_pack("[o]", thing(OURS, LOST, 1, now_s + 500)), &rules);
	assert_int_equal(plan.count, 1);
	assert_false(plan.items[0].may_be_destroyed);
	assert_non_null(plan.items[0].why);
	sweep_plan_release(&plan);
	sighted = LOST;
	plan = plan_for(json_pack("[o]", thing(OURS, LOST, 1, now_s + 500)), &rules);
	assert_true(plan.items[0].may_be_destroyed);
	sweep_plan_release(&plan);
}

static void what_is_past_its_hard_wall_is_removed_at_once(void **unused)
{
	struct sweep_rules rules = the_rules();
	struct sweep_plan plan = plan_for(json_pack("[o]", thing(OURS, GONE, 1, now_s)), &rules);

	(void)unused;
	assert_true(plan.items[0].is_overdue);
	assert_true(plan.items[0].may_be_destroyed);
	sweep_plan_release(&plan);
}

static void without_a_store_only_the_hard_wall_counts(void **unused)
{
	struct sweep_rules rules = the_rules();
	struct sweep_plan plan;

	(void)unused;
	rules.newest_sequence = -1;
	sighted = LOST;
	plan = plan_for(
	    json_pack("[o, o]", thing(OURS, LOST, 1, now_s + 1), thing(OURS, GONE, 1, now_s - 1)),
	    &rules);
	assert_int_equal(plan.count, 2);
	assert_int_equal(plan.destroyable, 1);
	assert_false(plan.items[0].may_be_destroyed);
	sweep_plan_release(&plan);
}

static void a_sequence_from_the_future_halts_everything(void **unused)
{
	struct sweep_rules rules = the_rules();
	struct sweep_plan plan =
	    plan_for(json_pack("[o]", thing(OURS, LOST, 51, now_s - 1)), &rules);

	(void)unused;
	assert_non_null(plan.halted);
	sweep_plan_release(&plan);
}

static void too_many_orphans_halt_everything(void **unused)
{
	struct sweep_rules rules = the_rules();
	json_t *items = json_array();
	struct sweep_plan plan;

	(void)unused;
	for (int i = 0; i < 6; i++) {
		char id[ID_TEXT_SIZE];

		snprintf(id, sizeof(id), "4444444%c-0000-4000-8000-000000000003", (char)('0' + i));
		json_array_append_new(items, thing(OURS, id, 1, now_s - 1));
	}
	plan = plan_for(items, &rules);
	assert_int_equal(plan.count, 6);
	assert_non_null(plan.halted);
	sweep_plan_release(&plan);
}

static void an_incomplete_listing_removes_nothing(void **unused)
{
	AUTO(json_decref)
	json_t *inventory =
	    json_pack("{s:b, s:[o]}", "complete", 0, "items", thing(OURS, LOST, 1, now_s - 1));
	struct sweep_knowledge knowledge = { standing, was_sighted, NULL };
	struct sweep_rules rules = the_rules();
	struct sweep_plan plan;

	(void)unused;
	sweep_plan_make(inventory, &rules, &knowledge, &plan);
	assert_non_null(plan.halted);
	assert_int_equal(plan.count, 0);
	sweep_plan_release(&plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_lives_and_what_is_another_instances_is_never_touched),
		cmocka_unit_test(a_first_sighting_is_kept_and_a_second_one_removed),
		cmocka_unit_test(what_is_past_its_hard_wall_is_removed_at_once),
		cmocka_unit_test(without_a_store_only_the_hard_wall_counts),
		cmocka_unit_test(a_sequence_from_the_future_halts_everything),
		cmocka_unit_test(too_many_orphans_halt_everything),
		cmocka_unit_test(an_incomplete_listing_removes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
