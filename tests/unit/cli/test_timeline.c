#include "cli/timeline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"

#define AT(second) "\"at\":\"2026-01-01T00:00:" second ".000Z\""
#define STATE(second, name) "{\"kind\":\"state\"," AT(second) ",\"state\":\"" name "\"}"
#define SAYS(second, name, state)                                                                  \
	"{\"kind\":\"layer\"," AT(second) ",\"data\":{\"name\":\"" name "\",\"state\":\"" state    \
					  "\"}}"
#define JOB(second) "{\"kind\":\"job\"," AT(second) "}"

static json_t *timeline_at(const char *history, const char *now)
{
	AUTO(json_decref) json_t *json = json_loads(history, 0, NULL);
	int64_t now_ms;
	struct error err;

	assert_non_null(json);
	assert_true(clock_parse(now, &now_ms, &err));
	return timeline_make(json, now_ms);
}

static int64_t seconds(const json_t *timeline, const char *key)
{
	return json_get_int64(timeline, key, -1) / 1000;
}

/* The promise: whatever happened, the parts are the whole. */
static void assert_sum(const json_t *timeline)
{
	static const char *const parts[] = { "queued_ms", "layers_ms", "checks_ms",
					     "in_use_ms", "kept_ms",   "unattributed_ms" };
	int64_t sum = 0;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		sum += json_get_int64(timeline, parts[i], 0);
	assert_int_equal(sum, json_get_int64(timeline, "whole_ms", -1));
}

/* "name kind state start+duration", one a line. */
static char *steps(const json_t *timeline)
{
	struct text text = TEXT_EMPTY;
	const json_t *step;
	size_t i;

	json_array_foreach(json_object_get(timeline, "steps"), i, step)
		text_format(&text, "%s %s %lld+%lld\n", json_get_string(step, "name", ""),
			    json_get_string(step, "state", ""),
			    (long long)seconds(step, "start_ms"),
			    (long long)seconds(step, "duration_ms"));
	return text_take(&text);
}

static const char life[] =
    "[" STATE("00", "queued") "," STATE("03", "provisioning") "," SAYS("05", "net", "started") "," SAYS("08", "net", "ready") "," SAYS("08", "a", "started") "," SAYS(
	"09", "b",
	"started") "," SAYS("12", "b",
			    "ready") "," SAYS("13", "a",
					      "ready") "," STATE("14",
								 "checking") "," STATE("16",
										       "ready") "," STATE("30",
													  "destroying") "," SAYS("31",
																 "a",
																 "started") "," SAYS("34",
																		     "a",
																		     "removed") "," STATE("36",
																					  "destroyed") "]";

static void layers_at_the_same_time_count_once_in_the_sum(void **unused)
{
	AUTO(json_decref) json_t *timeline = timeline_at(life, "2026-01-01T00:59:00Z");
	AUTO(free) char *all = steps(timeline);

	(void)unused;
	assert_sum(timeline);
	assert_int_equal(seconds(timeline, "whole_ms"), 36);
	assert_int_equal(seconds(timeline, "queued_ms"), 3);
	assert_int_equal(seconds(timeline, "layers_ms"), 3 + 5 + 3);
	assert_int_equal(seconds(timeline, "unattributed_ms"), 3 + 3);
	assert_int_equal(seconds(timeline, "checks_ms"), 2);
	assert_int_equal(seconds(timeline, "in_use_ms"), 14);
	assert_int_equal(seconds(timeline, "until_ready_ms"), 16);
	assert_string_equal(all, "queued queued 0+3\nbuilt provisioning 3+11\nnet ready 5+3\n"
				 "a ready 8+5\nb ready 9+3\nunattributed  3+3\n"
				 "checked checking 14+2\nin use ready 16+14\n"
				 "destroyed destroying 30+6\na removed 31+3\nunattributed  30+3\n");
}

static void what_is_not_over_goes_on_until_now(void **unused)
{
	AUTO(json_decref)
	json_t *timeline =
	    timeline_at("[" STATE("00", "queued") "," STATE("03", "provisioning") "," SAYS(
			    "05", "net", "started") "]",
			"2026-01-01T00:00:20Z");
	AUTO(free) char *all = steps(timeline);

	(void)unused;
	assert_sum(timeline);
	assert_string_equal(all, "queued queued 0+3\nbuilt provisioning 3+17\nnet running 5+15\n"
				 "unattributed  3+2\n");
	assert_true(json_is_null(json_object_get(timeline, "until_ready_ms")));
}

static void a_layer_ends_with_the_work_that_was_cut_off(void **unused)
{
	AUTO(json_decref)
	json_t *timeline = timeline_at(
	    "[" STATE("00", "queued") "," STATE("01", "provisioning") "," SAYS(
		"02", "net",
		"started") "," JOB("05") "," SAYS("09", "net",
						  "started") "," SAYS("10", "net",
								      "ready") "," STATE("11",
											 "ready") "]",
	    "2026-01-01T00:00:12Z");
	AUTO(free) char *all = steps(timeline);

	(void)unused;
	assert_sum(timeline);
	/* The pause between two attempts is nobody's. */
	assert_string_equal(all, "queued queued 0+1\nbuilt provisioning 1+10\nnet interrupted 2+3\n"
				 "net ready 9+1\nunattributed  1+6\nin use ready 11+1\n");
}

static void of_nothing_there_is_nothing(void **unused)
{
	AUTO(json_decref) json_t *timeline = timeline_at("[]", "2026-01-01T00:00:12Z");

	(void)unused;
	assert_sum(timeline);
	assert_int_equal(json_array_size(json_object_get(timeline, "steps")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layers_at_the_same_time_count_once_in_the_sum),
		cmocka_unit_test(what_is_not_over_goes_on_until_now),
		cmocka_unit_test(a_layer_ends_with_the_work_that_was_cut_off),
		cmocka_unit_test(of_nothing_there_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
