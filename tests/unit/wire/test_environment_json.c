#include "wire/environment_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { SECOND = 1000, HOUR = 3600 * SECOND };
static const int64_t base_ms = 1764000000000; /* 2025-11-24T16:00:00Z */

static struct environment *make(enum env_state state)
{
	struct environment *environment = environment_new();

	environment->id = env_id_from("7f3c1111-2222-4333-8444-555555555555");
	environment->name = xstrdup("e1");
	environment->owner = xstrdup("ci");
	environment->state = state;
	environment->created_at_ms = base_ms;
	environment->lease_ms = 2 * HOUR;
	environment->price_microcents_per_hour = 12000000; /* 0.12 */
	environment->currency = xstrdup("EUR");
	return environment;
}

static json_t *show(const struct environment *environment, int64_t now_ms, const json_t *proofs)
{
	struct environment_view view = { .now = { .wall_ms = now_ms, .boot_id = "" },
					 .proofs = proofs };

	return environment_json(environment, &view);
}

static int64_t clock_of(const json_t *json, const char *name)
{
	return json_get_int64(json_object_get(json, "clocks"), name, -1);
}

static void what_has_not_come_is_null_and_every_field_is_there(void **unused)
{
	static const char *const fields[] = {
		"apiVersion",
		"kind",
		"id",
		"name",
		"sequence",
		"template",
		"engine",
		"target",
		"owner",
		"labels",
		"desired",
		"state",
		"reason",
		"message",
		"error",
		"pins",
		"parameters",
		"created_at",
		"ready_at",
		"expires_at",
		"hard_wall_at",
		"ended_at",
		"lease_seconds",
		"clocks",
		"attempts",
		"quarantined",
		"blocked_by",
		"outputs",
		"services",
		"checks",
		"cost",
		"proofs",
		"queue_position",
		"next_try_at",
		"provisioning_at",
		"template_digest",
		"grace_until",
	};
	AUTO(environment_free) struct environment *environment = make(ENV_QUEUED);
	AUTO(json_decref) json_t *json = show(environment, base_ms + 5 * SECOND, NULL);

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (!json_object_get(json, fields[i]))
			fail_msg("\"%s\" is missing", fields[i]);
	assert_true(json_is_null(json_object_get(json, "expires_at")));
	assert_true(
	    json_is_null(json_object_get(json_object_get(json, "clocks"), "lease_left_ms")));
	assert_string_equal(json_get_string(json, "created_at", ""), "2025-11-24T16:00:00.000Z");
	assert_int_equal(json_get_int64(json, "lease_seconds", 0), 7200);
}

static void the_three_clocks_run_one_after_the_other(void **unused)
{
	AUTO(environment_free) struct environment *environment = make(ENV_READY);
	AUTO(json_decref) json_t *json = NULL;

	(void)unused;
	environment->provisioning_at_ms = base_ms + 10 * SECOND;
	environment->ready_at_ms = base_ms + 40 * SECOND;
	environment->expires_at_ms = environment->ready_at_ms + environment->lease_ms;
	json = show(environment, base_ms + 100 * SECOND, NULL);
	assert_int_equal(clock_of(json, "queued_ms"), 10 * SECOND);
	assert_int_equal(clock_of(json, "provisioning_ms"), 30 * SECOND);
	assert_int_equal(clock_of(json, "lease_left_ms"), 2 * HOUR - 60 * SECOND);
}

static void queueing_goes_on_until_building_begins_or_it_is_unwanted(void **unused)
{
	AUTO(environment_free) struct environment *environment = make(ENV_QUEUED);
	AUTO(json_decref) json_t *waiting = show(environment, base_ms + 7 * SECOND, NULL);
	AUTO(json_decref) json_t *unwanted = NULL;

	(void)unused;
	assert_int_equal(clock_of(waiting, "queued_ms"), 7 * SECOND);
	assert_int_equal(clock_of(waiting, "provisioning_ms"), 0);
	environment->unwanted_at_ms = base_ms + 9 * SECOND;
	unwanted = show(environment, base_ms + 100 * SECOND, NULL);
	assert_int_equal(clock_of(unwanted, "queued_ms"), 9 * SECOND);
}

static void a_lease_that_is_over_has_nothing_left(void **unused)
{
	AUTO(environment_free) struct environment *environment = make(ENV_DESTROYING);
	AUTO(json_decref) json_t *json = NULL;

	(void)unused;
	environment->expires_at_ms = base_ms + HOUR;
	json = show(environment, base_ms, NULL);
	assert_int_equal(clock_of(json, "lease_left_ms"), 0);
}

static void proofs_are_shown_with_their_times(void **unused)
{
	AUTO(environment_free) struct environment *environment = make(ENV_DESTROYED);
	AUTO(json_decref)
	json_t *stored = json_pack("[{s:s, s:I, s:{s:i}}]", "kind", "inventory_empty", "at_ms",
				   (json_int_t)base_ms, "detail", "items", 0);
	AUTO(json_decref) json_t *json = show(environment, base_ms, stored);
	const json_t *proof = json_array_get(json_object_get(json, "proofs"), 0);

	(void)unused;
	assert_string_equal(json_get_string(proof, "kind", ""), "inventory_empty");
	assert_string_equal(json_get_string(proof, "at", ""), "2025-11-24T16:00:00.000Z");
	assert_int_equal(json_get_int64(json_object_get(proof, "detail"), "items", -1), 0);
}

static void money_is_in_units_of_its_currency(void **unused)
{
	AUTO(environment_free) struct environment *environment = make(ENV_READY);
	AUTO(json_decref) json_t *json = NULL;
	AUTO(free) char *text = NULL;

	(void)unused;
	environment->provisioning_at_ms = environment->ready_at_ms = base_ms;
	environment->expires_at_ms = base_ms + 2 * HOUR;
	environment->price_low_microcents_per_hour = 10000000;
	environment->prices_as_of = xstrdup("2025-11-01");
	environment->prices_are_examples = true;
	json = show(environment, base_ms + HOUR, NULL);
	text = json_to_text(json_object_get(json, "cost"));
	assert_string_equal(
	    text, "{\"currency\":\"EUR\",\"per_hour\":0.12,\"per_hour_low\":0.1,\"so_far\":0.12,"
		  "\"at_expiry\":0.24,\"debt_per_hour\":0,\"prices_as_of\":\"2025-11-01\","
		  "\"example\":true}");
}

static void a_document_shares_nothing_with_the_record(void **unused)
{
	AUTO(environment_free) struct environment *environment = make(ENV_READY);
	AUTO(json_decref) json_t *json = NULL;

	(void)unused;
	json_decref(environment->labels);
	environment->labels = json_pack("{s:s}", "a", "b");
	json = show(environment, base_ms, NULL);
	json_object_clear(json_object_get(json, "labels"));
	assert_int_equal(json_object_size(environment->labels), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_has_not_come_is_null_and_every_field_is_there),
		cmocka_unit_test(the_three_clocks_run_one_after_the_other),
		cmocka_unit_test(queueing_goes_on_until_building_begins_or_it_is_unwanted),
		cmocka_unit_test(a_lease_that_is_over_has_nothing_left),
		cmocka_unit_test(proofs_are_shown_with_their_times),
		cmocka_unit_test(money_is_in_units_of_its_currency),
		cmocka_unit_test(a_document_shares_nothing_with_the_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
