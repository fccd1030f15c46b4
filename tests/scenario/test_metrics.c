/*
 * What is told to Prometheus, by its own tools; tests/failure/test_metrics_live.c has a Prometheus.
 * The engine is tests/support/fake_engine: what it makes are files, so no runtime is needed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/files.h"
#include "base/json_read.h"
#include "base/text.h"
#include "control/metric_table.h"
#include "tests/support/eventually.h"
#include "tests/support/fake_world.h"
#include "tests/support/http_client.h"
#include "tests/support/metrics_look.h"

/* One that is destroyed, and one that cannot be built. */
static void live_through_it(struct world *world)
{
	char good[37], bad[37];

	metrics_create(world, "good", "", good);
	metrics_create(world, "bad", "create=half", bad);
	world_wait(world, good, "ready", 30000);
	json_decref(world_ask(world, "DELETE", "/v1/environments/good", NULL, NULL));
	world_wait(world, bad, "destroyed", 30000);
	world_wait(world, good, "destroyed", 40000);
}

static void a_life_is_counted_and_promtool_can_read_it(void **state)
{
	struct world *world = *state;
	AUTO(free) char *text = NULL;
	AUTO(free) char *file = path_join(world->folder, "metrics.txt");
	AUTO(free) char *check = xasprintf("promtool check metrics < %s", file);
	struct error err;

	live_through_it(world);
	http_ask(world->socket, "GET", "/v1/environments/whatever-a-client-says", NULL, NULL, NULL);
	text = metrics_scrape(world);
	metrics_assert_say(text, "\nenvd_environments_accepted_total 2\n");
	metrics_assert_say(text, "\nenvd_creates_total{outcome=\"ready\"} 1\n");
	metrics_assert_say(text, "\nenvd_creates_total{outcome=\"create_failed\"} 1\n");
	metrics_assert_say(text, "\nenvd_destroys_total{outcome=\"proved\"} 2\n");
	metrics_assert_say(text, "\nenvd_jobs_total{kind=\"create\",outcome=\"failed\"} 1\n");
	metrics_assert_say(text, "\nenvd_jobs_total{kind=\"evidence\",outcome=\"completed\"} 1\n");
	metrics_assert_say(text, "\nenvd_job_seconds_count{kind=\"destroy\"} 2\n");
	metrics_assert_say(text, "\nenvd_queue_seconds_count 2\n");
	metrics_assert_say(text, "\nenvd_destroy_seconds_count 2\n");
	metrics_assert_say(text, "\nenvd_reaper_up 1\n");
	metrics_assert_say(text, "\nenvd_environments{state=\"ready\"} 0\n");
	metrics_assert_say(text, "{route=\"/v1/environments/{env}\",status=\"404\"} 1\n");
	assert_null(strstr(text, "whatever-a-client-says"));
	assert_true(file_write_atomically(file, text, strlen(text), 0644, &err));
	assert_int_equal(system(check), 0);
}

static int metrics_port(struct world *world)
{
	AUTO(free) char *path = path_join(world->folder, "log");
	AUTO(free) char *text = NULL;
	const char *at;
	struct error err;

	assert_true(file_read(path, 1 << 20, &text, NULL, &err));
	at = strstr(text, "/metrics on 127.0.0.1:");
	assert_non_null(at);
	return atoi(at + strlen("/metrics on 127.0.0.1:"));
}

/* For everybody on this machine, and nothing else is to be had there. */
static void the_port_of_its_own_serves_the_numbers_and_nothing_else(void **state)
{
	struct world *world = *state;
	AUTO(free)
	char *numbers = xasprintf("curl -sf http://127.0.0.1:%d/metrics | grep -q ^envd_reaper_up",
				  metrics_port(world));
	AUTO(free)
	char *other =
	    xasprintf("curl -sf http://127.0.0.1:%d/v1/environments", metrics_port(world));

	assert_int_equal(system(numbers), 0);
	assert_int_not_equal(system(other), 0);
}

/* ---- what the docs say ---- */

static char *read_doc(const char *name)
{
	AUTO(free)
	char *path =
	    xasprintf("%s/docs/%s", getenv("ENVD_SOURCE") ? getenv("ENVD_SOURCE") : ".", name);
	char *text;
	struct error err;

	if (!file_read(path, 1 << 20, &text, NULL, &err))
		fail_msg("%s", err.message);
	return text;
}

static bool is_in_table(const char *name, size_t length)
{
	static const char *const suffixes[] = { "", "_bucket", "_sum", "_count" };

	for (size_t i = 0; i < METRIC_COUNT; i++)
		for (size_t s = 0; s < ARRAY_SIZE(suffixes); s++) {
			AUTO(free)
			char *whole = xasprintf("%s%s", metric_table[i].name, suffixes[s]);

			if (strlen(whole) == length && memcmp(whole, name, length) == 0)
				return true;
		}
	return false;
}

static size_t check_names(const char *text, const char *prefix)
{
	size_t found = 0;

	for (const char *at = text; (at = strstr(at, prefix));) {
		size_t length = strspn(at, "abcdefghijklmnopqrstuvwxyz_");

		if (!is_in_table(at, length))
			fail_msg("there is no metric \"%.*s\"", (int)length, at);
		at += length;
		found++;
	}
	return found;
}

static void the_board_and_the_alerts_ask_for_nothing_that_is_not_there(void **state)
{
	AUTO(free) char *board = read_doc("grafana/envd.json");
	AUTO(free) char *alerts = read_doc("alerts.yml");
	AUTO(json_decref) json_t *parsed = NULL;
	struct error err;

	(void)state;
	assert_true(json_parse(board, strlen(board), "board", &parsed, &err));
	assert_true(check_names(board, "envd_") > 20);
	assert_true(check_names(board, "process_") >= 3);
	assert_true(check_names(alerts, "envd_") >= 9);
}

static void the_table_in_the_docs_is_that_of_the_code(void **state)
{
	AUTO(free) char *doc = read_doc("metrics.md");
	AUTO(free) char *table = metric_table_markdown();

	(void)state;
	if (!strstr(doc, table))
		fail_msg("docs/metrics.md differs from `envd --print-metrics`");
}

static void promtool_accepts_the_alerts_and_their_tests_pass(void **state)
{
	(void)state;
	assert_int_equal(system("cd ${ENVD_SOURCE:-.} && promtool check rules docs/alerts.yml"), 0);
	assert_int_equal(system("cd ${ENVD_SOURCE:-.}/docs && promtool test rules alerts_test.yml"),
			 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_life_is_counted_and_promtool_can_read_it,
						metrics_open, metrics_close),
		cmocka_unit_test_setup_teardown(
		    the_port_of_its_own_serves_the_numbers_and_nothing_else, metrics_open,
		    metrics_close),
		cmocka_unit_test(the_board_and_the_alerts_ask_for_nothing_that_is_not_there),
		cmocka_unit_test(the_table_in_the_docs_is_that_of_the_code),
		cmocka_unit_test(promtool_accepts_the_alerts_and_their_tests_pass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
