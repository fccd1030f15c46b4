#include "wire/layers_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/json_read.h"

#define PLAN                                                                                       \
	"{\"kind\":\"progress\",\"at\":\"2026-01-01T00:00:00.000Z\",\"data\":{\"layers\":["        \
	"{\"name\":\"net\",\"needs\":[],\"level\":0},"                                             \
	"{\"name\":\"app\",\"needs\":[\"net\"],\"level\":1}]}},"
#define STATE(name) "{\"kind\":\"state\",\"state\":\"" name "\"},"
#define SAYS(second, name, state, more)                                                            \
	"{\"kind\":\"layer\",\"at\":\"2026-01-01T00:00:" second ".000Z\",\"data\":{\"name\":"      \
	"\"" name "\",\"state\":\"" state "\"" more "}},"
#define END "{\"kind\":\"lease\"}]"

static void assert_layer(const json_t *layers, size_t index, const char *expected)
{
	AUTO(free) char *seen = json_dumps(json_array_get(layers, index), JSON_COMPACT);

	assert_string_equal(seen, expected);
}

static json_t *read_layers(const char *history)
{
	AUTO(json_decref) json_t *json = json_loads(history, 0, NULL);

	assert_non_null(json);
	return layers_json(json);
}

static void what_is_planned_waits_and_knows_what_it_needs(void **unused)
{
	AUTO(json_decref) json_t *layers = read_layers("[" STATE("provisioning") PLAN END);

	(void)unused;
	assert_int_equal(json_array_size(layers), 2);
	assert_layer(layers, 1,
		     "{\"name\":\"app\",\"needs\":[\"net\"],\"level\":1,\"state\":\"waiting\","
		     "\"started_at\":null,\"ended_at\":null,\"elapsed_ms\":null,\"attempts\":0,"
		     "\"removed_at\":null,\"message\":\"\"}");
}

static void a_second_try_is_counted_and_one_that_was_there_already_is_not_news(void **unused)
{
	AUTO(json_decref)
	json_t *layers = read_layers(
	    "[" STATE("provisioning") PLAN SAYS("01", "net", "started", "")
		SAYS("02", "net", "ready", ",\"elapsed_ms\":900") SAYS("02", "app", "started", "")
		    SAYS("03", "app", "failed", ",\"elapsed_ms\":1000,\"message\":\"no room\"")
			SAYS("09", "net", "ready", ",\"elapsed_ms\":0")
			    SAYS("10", "app", "started", "") END);

	(void)unused;
	assert_layer(layers, 0,
		     "{\"name\":\"net\",\"needs\":[],\"level\":0,\"state\":\"ready\","
		     "\"started_at\":\"2026-01-01T00:00:01.000Z\",\"ended_at\":"
		     "\"2026-01-01T00:00:02.000Z\",\"elapsed_ms\":900,\"attempts\":1,"
		     "\"removed_at\":null,\"message\":\"\"}");
	assert_layer(layers, 1,
		     "{\"name\":\"app\",\"needs\":[\"net\"],\"level\":1,\"state\":\"building\","
		     "\"started_at\":\"2026-01-01T00:00:10.000Z\",\"ended_at\":null,"
		     "\"elapsed_ms\":null,\"attempts\":2,\"removed_at\":null,\"message\":\"\"}");
}

static void when_it_ends_the_times_of_building_stay(void **unused)
{
	AUTO(json_decref)
	json_t *layers =
	    read_layers("[" STATE("provisioning") SAYS("01", "net", "started", "")
			    SAYS("02", "net", "ready", ",\"elapsed_ms\":900") STATE("ready")
				STATE("destroying") SAYS("20", "net", "started", "")
				    SAYS("25", "net", "removed", ",\"elapsed_ms\":5000") END);

	(void)unused;
	/* No plan was told: what it needs is not known. */
	assert_layer(layers, 0,
		     "{\"name\":\"net\",\"needs\":[],\"level\":null,\"state\":\"removed\","
		     "\"started_at\":\"2026-01-01T00:00:01.000Z\",\"ended_at\":"
		     "\"2026-01-01T00:00:02.000Z\",\"elapsed_ms\":900,\"attempts\":1,"
		     "\"removed_at\":\"2026-01-01T00:00:25.000Z\",\"message\":\"\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_planned_waits_and_knows_what_it_needs),
		cmocka_unit_test(
		    a_second_try_is_counted_and_one_that_was_there_already_is_not_news),
		cmocka_unit_test(when_it_ends_the_times_of_building_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
