#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "control/reconcile.h"

static const int64_t now = 1000000000;

static struct environment an_environment(enum env_state state, enum env_desired desired)
{
	return (struct environment){
		.state = state,
		.desired = desired,
		.created_at_ms = now - 1000,
		.queue_limit_ms = 60000,
		.hard_wall_at_ms = now + 3600000,
		.expires_at_ms = state == ENV_READY || state == ENV_FAILED ? now + 60000 : 0,
		.lease_ms = 60000,
		.has_checks = true,
	};
}

static struct observation seen_by(enum reconcile_role role)
{
	return (struct observation){ .role = role,
				     .now_ms = now,
				     .boot_id = "b",
				     .has_slot = true,
				     .target_has_room = true,
				     .builder_is_alive = true,
				     .grace_ms = 900000,
				     .longest_pause_ms = 3600000,
				     .had_a_job = true };
}

static void the_builder_starts_nothing_that_is_unwanted(void **unused)
{
	(void)unused;
	for (int state = 0; state < ENV_STATE_COUNT; state++) {
		struct environment env = an_environment((enum env_state)state, DESIRED_ABSENT);
		struct observation seen = seen_by(RECONCILE_BUILDER);

		assert_int_equal(reconcile(&env, &seen).kind, ACTION_NONE);
	}
}

static void the_destroyer_starts_nothing_that_is_wanted(void **unused)
{
	(void)unused;
	for (int state = 0; state < ENV_STATE_COUNT; state++) {
		struct environment env = an_environment((enum env_state)state, DESIRED_PRESENT);
		struct observation seen = seen_by(RECONCILE_DESTROYER);

		assert_int_equal(reconcile(&env, &seen).kind, ACTION_NONE);
	}
}

static void a_queued_one_waits_for_a_slot_and_for_room(void **unused)
{
	struct environment env = an_environment(ENV_QUEUED, DESIRED_PRESENT);
	struct observation seen = seen_by(RECONCILE_BUILDER);
	struct action action = reconcile(&env, &seen);

	(void)unused;
	assert_int_equal(action.kind, ACTION_APPLY);
	assert_int_equal(action.event, EVENT_SLOT_GRANTED);
	seen.has_slot = false;
	assert_int_equal(reconcile(&env, &seen).kind, ACTION_NONE);
	seen.has_slot = true;
	seen.target_has_room = false;
	assert_int_equal(reconcile(&env, &seen).kind, ACTION_NONE);
}

static void building_recovers_first_after_an_unknown_ending(void **unused)
{
	struct environment env = an_environment(ENV_PROVISIONING, DESIRED_PRESENT);
	struct observation seen = seen_by(RECONCILE_BUILDER);

	(void)unused;
	assert_string_equal(reconcile(&env, &seen).job_kind, "create");
	env.is_unknown = true;
	assert_string_equal(reconcile(&env, &seen).job_kind, "recover");
	/* What was begun on a target without room goes before anything is built elsewhere. */
	seen.is_leaving_target = true;
	assert_string_equal(reconcile(&env, &seen).job_kind, "vacate");
	env.next_try_at_ms = now + 5000;
	assert_int_equal(reconcile(&env, &seen).kind, ACTION_NONE);
	assert_int_equal(reconcile(&env, &seen).wake_at_ms, now + 5000);
}

static void a_clock_that_was_set_back_does_not_stretch_a_pause(void **unused)
{
	struct environment env = an_environment(ENV_PROVISIONING, DESIRED_PRESENT);
	struct observation seen = seen_by(RECONCILE_BUILDER);

	(void)unused;
	env.next_try_at_ms = now + seen.longest_pause_ms;
	assert_int_equal(reconcile(&env, &seen).kind, ACTION_NONE);
	env.next_try_at_ms = now + seen.longest_pause_ms + 1;
	assert_int_equal(reconcile(&env, &seen).kind, ACTION_START);
	env = an_environment(ENV_DESTROYING, DESIRED_ABSENT);
	seen.role = RECONCILE_DESTROYER;
	env.next_try_at_ms = now + seen.longest_pause_ms + 1;
	assert_string_equal(reconcile(&env, &seen).job_kind, "destroy");
}

static void one_job_at_a_time(void **unused)
{
	struct job_row job = { .kind = "create", .owner = "envd" };

	(void)unused;
	for (int state = 0; state < ENV_STATE_COUNT; state++) {
		struct environment env = an_environment((enum env_state)state, DESIRED_PRESENT);
		struct observation seen = seen_by(RECONCILE_BUILDER);

		seen.live_job = &job;
		seen.check_is_asked = true;
		assert_int_not_equal(reconcile(&env, &seen).kind, ACTION_START);
	}
}

static struct environment with_evidence_wanted(enum env_state state, enum env_desired desired)
{
	struct environment env = an_environment(state, desired);

	env.evidence = EVIDENCE_WANTED;
	env.evidence_until_ms = now + 30000;
	return env;
}

static void evidence_is_taken_by_the_builder_before_anything_is_destroyed(void **unused)
{
	struct environment env = with_evidence_wanted(ENV_DESTROYING, DESIRED_ABSENT);
	struct observation builder = seen_by(RECONCILE_BUILDER);
	struct observation destroyer = seen_by(RECONCILE_DESTROYER);
	struct job_row job = { .kind = "evidence", .owner = "envd" };

	(void)unused;
	assert_string_equal(reconcile(&env, &builder).job_kind, "evidence");
	assert_int_equal(reconcile(&env, &destroyer).kind, ACTION_NONE);
	builder.live_job = destroyer.live_job = &job;
	assert_int_equal(reconcile(&env, &builder).kind, ACTION_NONE);
	assert_int_equal(reconcile(&env, &destroyer).kind, ACTION_NONE);
	assert_true(reconcile(&env, &destroyer).wake_at_ms <= env.evidence_until_ms);
}

/* Whatever the builder does, in the end the destroyer starts a destroy. */
static void no_destroy_waits_for_evidence_for_ever(void **unused)
{
	struct environment env = with_evidence_wanted(ENV_DESTROYING, DESIRED_ABSENT);
	struct observation seen = seen_by(RECONCILE_DESTROYER);
	struct job_row job = { .kind = "evidence", .owner = "envd" };

	(void)unused;
	seen.now_ms = env.evidence_until_ms;
	assert_int_equal(reconcile(&env, &seen).kind, ACTION_GIVE_UP_EVIDENCE);
	seen.live_job = &job;
	assert_int_equal(reconcile(&env, &seen).kind, ACTION_STOP);
	seen.now_ms = now;
	seen.builder_is_alive = false;
	assert_int_equal(reconcile(&env, &seen).kind, ACTION_STOP);
	seen.is_job_orphaned = true;
	assert_int_equal(reconcile(&env, &seen).kind, ACTION_TAKE_OVER);
	seen.live_job = NULL;
	assert_int_equal(reconcile(&env, &seen).kind, ACTION_GIVE_UP_EVIDENCE);
	env.evidence = EVIDENCE_GIVEN_UP;
	assert_string_equal(reconcile(&env, &seen).job_kind, "destroy");
}

static void the_builder_takes_no_evidence_after_its_time(void **unused)
{
	struct observation seen = seen_by(RECONCILE_BUILDER);

	(void)unused;
	for (int state = 0; state < ENV_STATE_COUNT; state++) {
		struct environment wanted =
		    with_evidence_wanted((enum env_state)state, DESIRED_PRESENT);
		struct environment unwanted =
		    with_evidence_wanted((enum env_state)state, DESIRED_ABSENT);

		wanted.evidence_until_ms = unwanted.evidence_until_ms = now;
		assert_int_not_equal(reconcile(&wanted, &seen).kind, ACTION_START);
		assert_int_equal(reconcile(&unwanted, &seen).kind, ACTION_NONE);
	}
}

static void what_failed_is_ended_by_its_own_lease_without_a_grace(void **unused)
{
	struct environment env = an_environment(ENV_FAILED, DESIRED_PRESENT);
	struct observation seen = seen_by(RECONCILE_DESTROYER);

	(void)unused;
	assert_int_equal(reconcile(&env, &seen).kind, ACTION_NONE);
	seen.now_ms = env.expires_at_ms;
	seen.boot_ms = 60000;
	seen.builder_is_alive = false;
	assert_int_equal(reconcile(&env, &seen).kind, ACTION_EXPIRE);
}

static void a_lease_ends_at_its_time_when_somebody_was_there(void **unused)
{
	struct environment env = an_environment(ENV_READY, DESIRED_PRESENT);
	struct observation seen = seen_by(RECONCILE_DESTROYER);

	(void)unused;
	assert_int_equal(reconcile(&env, &seen).kind, ACTION_NONE);
	assert_int_equal(reconcile(&env, &seen).wake_at_ms, now + 60000);
	env.expires_at_ms = now;
	assert_int_equal(reconcile(&env, &seen).kind, ACTION_EXPIRE);
}

static void one_grace_is_granted_when_nobody_could_extend(void **unused)
{
	struct environment env = an_environment(ENV_READY, DESIRED_PRESENT);
	struct observation seen = seen_by(RECONCILE_DESTROYER);
	struct action action;

	(void)unused;
	env.expires_at_ms = now - 1000;
	seen.builder_is_alive = false;
	action = reconcile(&env, &seen);
	assert_int_equal(action.kind, ACTION_GRANT_GRACE);
	assert_int_equal(action.until_ms, now - 1000 + 900000);
	env.expires_at_ms = env.grace_until_ms = now + 1;
	assert_int_equal(reconcile(&env, &seen).kind, ACTION_NONE);
	env.expires_at_ms = env.grace_until_ms = now;
	assert_int_equal(reconcile(&env, &seen).kind, ACTION_EXPIRE);
	seen.grace_ms = 0;
	env.grace_until_ms = 0;
	assert_int_equal(reconcile(&env, &seen).kind, ACTION_EXPIRE);
}

static void the_grace_stays_inside_the_hard_wall(void **unused)
{
	struct environment env = an_environment(ENV_READY, DESIRED_PRESENT);
	struct observation seen = seen_by(RECONCILE_DESTROYER);

	(void)unused;
	env.expires_at_ms = now - 1000;
	env.hard_wall_at_ms = now + 10;
	seen.builder_is_alive = false;
	assert_int_equal(reconcile(&env, &seen).until_ms, now + 10);
	env.hard_wall_at_ms = now;
	assert_int_equal(reconcile(&env, &seen).kind, ACTION_UNWANT);
	assert_string_equal(reconcile(&env, &seen).reason, REASON_HARD_WALL);
}

static void the_hard_wall_ends_every_wanted_state(void **unused)
{
	(void)unused;
	for (int state = 0; state < ENV_DESTROYING; state++) {
		struct environment env = an_environment((enum env_state)state, DESIRED_PRESENT);
		struct observation seen = seen_by(RECONCILE_DESTROYER);

		env.hard_wall_at_ms = now;
		assert_int_equal(reconcile(&env, &seen).kind, ACTION_UNWANT);
	}
}

static void a_build_under_way_is_stopped_before_it_is_destroyed(void **unused)
{
	struct environment env = an_environment(ENV_DESTROYING, DESIRED_ABSENT);
	struct observation seen = seen_by(RECONCILE_DESTROYER);
	struct job_row job = { .kind = "create", .owner = "envd" };

	(void)unused;
	seen.live_job = &job;
	assert_int_equal(reconcile(&env, &seen).kind, ACTION_STOP);
	job.stop_asked_at_ms = now;
	assert_int_equal(reconcile(&env, &seen).kind, ACTION_NONE);
	seen.is_job_orphaned = true;
	assert_int_equal(reconcile(&env, &seen).kind, ACTION_TAKE_OVER);
	seen.live_job = NULL;
	assert_string_equal(reconcile(&env, &seen).job_kind, "destroy");
}

static void what_never_had_a_job_is_proved_without_one(void **unused)
{
	struct environment env = an_environment(ENV_DESTROYING, DESIRED_ABSENT);
	struct observation seen = seen_by(RECONCILE_DESTROYER);

	(void)unused;
	seen.had_a_job = false;
	assert_int_equal(reconcile(&env, &seen).kind, ACTION_PROVE_NEVER_STARTED);
}

static void destroying_is_tried_for_ever_with_growing_pauses(void **unused)
{
	int64_t before = 0;

	(void)unused;
	assert_int_equal(destroy_pause_ms(1), 30000);
	assert_int_equal(destroy_pause_ms(2), 60000);
	assert_int_equal(destroy_pause_ms(7), 1800000);
	assert_int_equal(destroy_pause_ms(8), 3600000);
	assert_int_equal(destroy_pause_ms(1000000), 3600000);
	for (int64_t attempts = 1; attempts < 20; attempts++) {
		assert_true(destroy_pause_ms(attempts) >= before);
		before = destroy_pause_ms(attempts);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_builder_starts_nothing_that_is_unwanted),
		cmocka_unit_test(the_destroyer_starts_nothing_that_is_wanted),
		cmocka_unit_test(a_queued_one_waits_for_a_slot_and_for_room),
		cmocka_unit_test(building_recovers_first_after_an_unknown_ending),
		cmocka_unit_test(a_clock_that_was_set_back_does_not_stretch_a_pause),
		cmocka_unit_test(one_job_at_a_time),
		cmocka_unit_test(evidence_is_taken_by_the_builder_before_anything_is_destroyed),
		cmocka_unit_test(no_destroy_waits_for_evidence_for_ever),
		cmocka_unit_test(the_builder_takes_no_evidence_after_its_time),
		cmocka_unit_test(what_failed_is_ended_by_its_own_lease_without_a_grace),
		cmocka_unit_test(a_lease_ends_at_its_time_when_somebody_was_there),
		cmocka_unit_test(one_grace_is_granted_when_nobody_could_extend),
		cmocka_unit_test(the_grace_stays_inside_the_hard_wall),
		cmocka_unit_test(the_hard_wall_ends_every_wanted_state),
		cmocka_unit_test(a_build_under_way_is_stopped_before_it_is_destroyed),
		cmocka_unit_test(what_never_had_a_job_is_proved_without_one),
		cmocka_unit_test(destroying_is_tried_for_ever_with_growing_pauses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
