#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json_read.h"
#include "engine/container/container_health.h"

/* Ask a service that never answers well, as often as it says, until the verdict; when that was. */
static int64_t unhealthy_after_ms(const struct health_check *check, int *asked)
{
	struct health health;
	int64_t now_mono_ms = 1000;

	health_start(&health, now_mono_ms);
	for (*asked = 1;; (*asked)++) {
		if (health_note(&health, check, false, now_mono_ms) == HEALTH_UNHEALTHY)
			return now_mono_ms - 1000;
		assert_true(health.wait_ms > 0);
		now_mono_ms += health.wait_ms;
		assert_true(now_mono_ms < 10000000);
	}
}

static void the_verdict_comes_when_composes_would(void **unused)
{
	static const struct {
		int64_t interval_ms, start_period_ms;
		int retries;
	} cases[] = {
		{ 1000, 0, 3 }, { 30000, 0, 3 }, { 200, 0, 2 }, { 5000, 20000, 4 }, { 100, 0, 1 },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct health_check check = { .interval_ms = cases[i].interval_ms,
						    .start_period_ms = cases[i].start_period_ms,
						    .retries = cases[i].retries };
		int64_t earliest_ms =
		    cases[i].start_period_ms > cases[i].interval_ms
			? cases[i].start_period_ms + (cases[i].retries - 1) * cases[i].interval_ms
			: cases[i].retries * cases[i].interval_ms;
		int asked;
		int64_t took_ms = unhealthy_after_ms(&check, &asked);

		assert_true(took_ms >= earliest_ms);
		/* Each counted failure is at most one asking late. */
		assert_true(took_ms <= earliest_ms + cases[i].retries * 1000);
		assert_true(asked > cases[i].retries);
	}
}

static void being_healthy_is_seen_at_once(void **unused)
{
	const struct health_check check = { .interval_ms = 30000, .retries = 3 };
	struct health health;

	(void)unused;
	health_start(&health, 0);
	assert_int_equal(health_note(&health, &check, false, 10), HEALTH_STARTING);
	assert_true(health.wait_ms < 100);
	assert_int_equal(health_note(&health, &check, true, 90), HEALTH_HEALTHY);
}

static void nothing_is_asked_more_than_a_second_apart_at_first(void **unused)
{
	const struct health_check check = { .interval_ms = 30000, .retries = 100 };
	struct health health;

	(void)unused;
	health_start(&health, 0);
	for (int i = 0; i < 50; i++) {
		assert_int_equal(health_note(&health, &check, false, i), HEALTH_STARTING);
		assert_true(health.wait_ms <= 1000);
	}
}

static struct health_check check_of(const char *image_config, const struct compose_health *health)
{
	AUTO(json_decref) json_t *config = json_loads(image_config, 0, NULL);
	struct health_check check;

	assert_non_null(config);
	health_check_init(&check, health, config);
	return check;
}

static void assert_argv(const struct health_check *check, const char *expected)
{
	AUTO(free)
	char *argv = check->argv ? json_dumps(check->argv, JSON_COMPACT) : xstrdup("none");

	assert_string_equal(argv, expected);
}

static void the_start_period_has_an_interval_of_its_own(void **unused)
{
	const struct health_check check = { .interval_ms = 30000,
					    .start_period_ms = 60000,
					    .start_interval_ms = 200,
					    .retries = 3 };
	struct health health;
	int64_t now_mono_ms = 0;

	(void)unused;
	health_start(&health, now_mono_ms);
	while (now_mono_ms < 60000) {
		assert_int_equal(health_note(&health, &check, false, now_mono_ms), HEALTH_STARTING);
		assert_true(health.wait_ms <= 200);
		now_mono_ms += health.wait_ms;
	}
	for (int i = 0; i < 10; i++)
		assert_int_equal(health_note(&health, &check, false, now_mono_ms += 500),
				 HEALTH_STARTING);
	assert_true(health.wait_ms > 200);
}

static void the_check_of_an_image_is_read(void **unused)
{
	static const struct {
		const char *config;
		const char *argv;
	} cases[] = {
		{ "{}", "none" },
		{ "{\"Healthcheck\":{\"Test\":[\"NONE\"]}}", "none" },
		{ "{\"Healthcheck\":{\"Test\":[]}}", "none" },
		{ "{\"Healthcheck\":{\"Test\":\"x\"}}", "none" },
		{ "{\"Healthcheck\":{\"Test\":[\"CMD\",\"a\",\"b\"]}}", "[\"a\",\"b\"]" },
		{ "{\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"a b\"]}}",
		  "[\"/bin/sh\",\"-c\",\"a b\"]" },
	};
	const struct compose_health of_image = { .kind = COMPOSE_HEALTH_OF_IMAGE };

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct health_check check = check_of(cases[i].config, &of_image);

		assert_argv(&check, cases[i].argv);
		assert_int_equal(check.retries, 3);
		assert_int_equal(check.interval_ms, 30000);
		health_check_release(&check);
	}
}

static void the_file_decides_over_the_image(void **unused)
{
	char shell[] = "true";
	char *items[] = { shell, NULL };
	const struct compose_health none = { .kind = COMPOSE_HEALTH_NONE };
	const struct compose_health own = { .kind = COMPOSE_HEALTH_SHELL,
					    .test = { items, 1 },
					    .interval_ms = 7,
					    .timeout_ms = 8,
					    .start_period_ms = 9,
					    .retries = 10 };
	const char *image = "{\"Healthcheck\":{\"Test\":[\"CMD\",\"a\"]}}";
	struct health_check check = check_of(image, &none);

	(void)unused;
	assert_argv(&check, "none");
	health_check_release(&check);
	check = check_of(image, &own);
	assert_argv(&check, "[\"/bin/sh\",\"-c\",\"true\"]");
	assert_int_equal(check.interval_ms, 7);
	health_check_release(&check);
}

static void a_check_survives_its_label(void **unused)
{
	char shell[] = "true";
	char *items[] = { shell, NULL };
	const struct compose_health own = { .kind = COMPOSE_HEALTH_EXEC,
					    .test = { items, 1 },
					    .interval_ms = 7,
					    .timeout_ms = 8,
					    .start_period_ms = 9,
					    .retries = 10 };
	struct health_check check = check_of("{}", &own), again;
	AUTO(json_decref) json_t *json = health_check_to_json(&check);

	(void)unused;
	health_check_from_json(&again, json);
	assert_argv(&again, "[\"true\"]");
	assert_int_equal(again.timeout_ms, 8);
	assert_int_equal(again.retries, 10);
	health_check_release(&again);
	health_check_release(&check);
	health_check_from_json(&again, NULL);
	assert_null(again.argv);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_verdict_comes_when_composes_would),
		cmocka_unit_test(being_healthy_is_seen_at_once),
		cmocka_unit_test(nothing_is_asked_more_than_a_second_apart_at_first),
		cmocka_unit_test(the_start_period_has_an_interval_of_its_own),
		cmocka_unit_test(the_check_of_an_image_is_read),
		cmocka_unit_test(the_file_decides_over_the_image),
		cmocka_unit_test(a_check_survives_its_label),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
