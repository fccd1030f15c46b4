#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "model/env_state.h"

static bool can(enum env_state from, enum env_event event, enum env_state *to)
{
	struct error ignored;

	return env_next_state(from, event, to, &ignored);
}

static void every_state_ends_destroyed_once_unwanted(void **unused)
{
	(void)unused;
	for (int state = 0; state < ENV_DESTROYED; state++) {
		enum env_state now = (enum env_state)state;

		if (now != ENV_DESTROYING)
			assert_true(can(now, EVENT_UNWANTED, &now));
		assert_int_equal(now, ENV_DESTROYING);
		assert_true(can(now, EVENT_PROVED_GONE, &now));
		assert_int_equal(now, ENV_DESTROYED);
	}
}

static void a_destroyed_environment_accepts_no_event(void **unused)
{
	(void)unused;
	for (int event = 0; event < ENV_EVENT_COUNT; event++) {
		enum env_state to;

		assert_false(can(ENV_DESTROYED, (enum env_event)event, &to));
	}
}

static void what_is_being_destroyed_is_never_built_again(void **unused)
{
	(void)unused;
	for (int event = 0; event < ENV_EVENT_COUNT; event++) {
		enum env_state to;

		if (can(ENV_DESTROYING, (enum env_event)event, &to))
			assert_int_equal(to, ENV_DESTROYED);
	}
}

static void only_a_proof_leads_to_destroyed(void **unused)
{
	(void)unused;
	for (int state = 0; state < ENV_STATE_COUNT; state++)
		for (int event = 0; event < ENV_EVENT_COUNT; event++) {
			enum env_state to;

			if (can((enum env_state)state, (enum env_event)event, &to) &&
			    to == ENV_DESTROYED)
				assert_int_equal(event, EVENT_PROVED_GONE);
		}
}

static void ready_is_reached_through_checking_only(void **unused)
{
	(void)unused;
	for (int state = 0; state < ENV_STATE_COUNT; state++)
		for (int event = 0; event < ENV_EVENT_COUNT; event++) {
			enum env_state to;

			if (can((enum env_state)state, (enum env_event)event, &to) &&
			    to == ENV_READY)
				assert_int_equal(state, ENV_CHECKING);
		}
}

static void a_refused_step_names_the_event_and_the_state(void **unused)
{
	struct error err;
	enum env_state to = ENV_QUEUED;

	(void)unused;
	assert_false(env_next_state(ENV_READY, EVENT_CREATED, &to, &err));
	assert_int_equal(err.code, ERR_CONFLICT);
	assert_non_null(strstr(err.message, "created"));
	assert_non_null(strstr(err.message, "ready"));
	assert_int_equal(to, ENV_QUEUED);
}

static void names_lead_back_to_their_states(void **unused)
{
	struct error err;

	(void)unused;
	for (int state = 0; state < ENV_STATE_COUNT; state++) {
		enum env_state parsed;

		assert_true(env_state_parse(env_state_name((enum env_state)state), &parsed, &err));
		assert_int_equal(parsed, state);
	}
	assert_false(env_state_parse("gone", &(enum env_state){ ENV_QUEUED }, &err));
	assert_non_null(strstr(err.message, "\"gone\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_state_ends_destroyed_once_unwanted),
		cmocka_unit_test(a_destroyed_environment_accepts_no_event),
		cmocka_unit_test(what_is_being_destroyed_is_never_built_again),
		cmocka_unit_test(only_a_proof_leads_to_destroyed),
		cmocka_unit_test(ready_is_reached_through_checking_only),
		cmocka_unit_test(a_refused_step_names_the_event_and_the_state),
		cmocka_unit_test(names_lead_back_to_their_states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
