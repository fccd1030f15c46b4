/*
 * Everything of an environment by the real Pulumi killed in the middle, envd and plugins included:
 * nothing is made twice and nothing is left. The witness is a world of files
 * (tests/fixtures/pulumi/counted), never Pulumi's state or our store.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/json_read.h"
#include "tests/support/eventually.h"
#include "tests/support/engine_stage.h"
#include "tests/support/pulumi_bench.h"

enum { BUILD_MS = 150000, THINGS = 7 };

/* The CLI knows of nothing that was made: a plain `up` would make it all again. */
static void an_interrupted_create_is_not_made_twice(void **state)
{
	struct pulumi_bench *bench = *state;
	AUTO(free) char *history = NULL;
	char id[37];

	pulumi_bench_build_halfway(bench, id);
	pulumi_bench_kill_everything(bench);
	pulumi_bench_unswitch(bench, "gate");
	assert_int_equal(pulumi_bench_programs(bench), 0);
	world_start(bench->world);
	world_wait(bench->world, id, "ready", BUILD_MS);
	history = pulumi_bench_history(bench, id);
	stage_contains(history, "layer net was interrupted: looking");
	assert_int_equal(pulumi_bench_count(bench, ""), THINGS);
	assert_int_equal(pulumi_bench_count(bench, "net"), 3);
	pulumi_bench_end(bench, id);
	assert_int_equal(pulumi_bench_count(bench, ""), 0);
}

/* As a kill in the middle of a save leaves it: seen with the real CLI now and then. */
static void a_save_cut_off_in_the_middle_is_mended(void **state)
{
	struct pulumi_bench *bench = *state;
	AUTO(free) char *name = NULL;
	AUTO(free) char *path = NULL;
	FILE *file;
	char id[37];

	pulumi_bench_template(bench, "three");
	world_start(bench->world);
	pulumi_bench_build(bench, "a", "three", id);
	name = xasprintf("backend/.pulumi/stacks/one/envd-%.8s.json.attrs", id);
	path = pulumi_bench_path(bench, id, name);
	file = fopen(path, "we");
	assert_non_null(file);
	fclose(file);
	pulumi_bench_end(bench, id);
}

static bool is_cli_killed(void *arg)
{
	return pulumi_bench_kill_cli(arg);
}

/* Its plugin lives on and finishes the create that nobody hears of any more. */
static void the_cli_killed_alone_is_looked_after_as_well(void **state)
{
	struct pulumi_bench *bench = *state;
	AUTO(free) char *history = NULL;
	char id[37];

	pulumi_bench_build_halfway(bench, id);
	assert_true(eventually(is_cli_killed, bench, 10000));
	pulumi_bench_unswitch(bench, "gate");
	world_wait(bench->world, id, "ready", BUILD_MS);
	history = pulumi_bench_history(bench, id);
	stage_contains(history, "signal 9 (Killed)");
	stage_contains(history, "layer net was interrupted: looking");
	assert_int_equal(pulumi_bench_count(bench, ""), THINGS);
	pulumi_bench_end(bench, id);
	assert_int_equal(pulumi_bench_count(bench, ""), 0);
}

static void an_interrupted_create_that_is_unwanted_leaves_nothing(void **state)
{
	struct pulumi_bench *bench = *state;
	char id[37];

	pulumi_bench_build_halfway(bench, id);
	pulumi_bench_destroy(bench, id);
	pulumi_bench_kill_everything(bench);
	pulumi_bench_unswitch(bench, "gate");
	world_start(bench->world);
	world_wait(bench->world, id, "destroyed", BUILD_MS);
	assert_int_equal(pulumi_bench_count(bench, ""), 0);
}

struct moment {
	int64_t at_mono_ms;
};

static bool has_come(void *arg)
{
	return clock_mono_ms() >= ((struct moment *)arg)->at_mono_ms;
}

static void kill_at_a_random_moment(struct pulumi_bench *bench, int within_ms)
{
	struct moment moment = { clock_mono_ms() + rand() % within_ms };

	eventually(has_come, &moment, within_ms);
	pulumi_bench_kill_everything(bench);
	world_start(bench->world);
}

static void live_once(struct pulumi_bench *bench, int number)
{
	AUTO(free) char *name = xasprintf("life-%d", number);
	char id[37];

	pulumi_bench_create(bench, name, "counted", id);
	kill_at_a_random_moment(bench, 9000);
	world_wait(bench->world, id, "ready", BUILD_MS);
	assert_int_equal(pulumi_bench_count(bench, ""), THINGS);
	pulumi_bench_destroy(bench, id);
	kill_at_a_random_moment(bench, 4000);
	world_wait(bench->world, id, "destroyed", BUILD_MS);
	assert_int_equal(pulumi_bench_count(bench, ""), 0);
	assert_int_equal(pulumi_bench_programs(bench), 0);
}

/* Once while it is built and once while it is destroyed, at random moments. SEED=n plays the same
 * ones again; LIVES=n. */
static void whatever_moment_it_is_killed_at_the_world_is_right(void **state)
{
	struct pulumi_bench *bench = *state;
	const char *seed_text = getenv("SEED"), *lives = getenv("LIVES");
	unsigned seed = seed_text ? (unsigned)atoi(seed_text) : (unsigned)clock_mono_us();

	print_message("SEED=%u\n", seed);
	srand(seed);
	pulumi_bench_template(bench, "counted");
	world_start(bench->world);
	for (int i = 0; i < (lives ? atoi(lives) : 3); i++)
		live_once(bench, i);
}

#define ON_BENCH(story)                                                                            \
	cmocka_unit_test_setup_teardown(story, pulumi_bench_open, pulumi_bench_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BENCH(an_interrupted_create_is_not_made_twice),
		ON_BENCH(a_save_cut_off_in_the_middle_is_mended),
		ON_BENCH(the_cli_killed_alone_is_looked_after_as_well),
		ON_BENCH(an_interrupted_create_that_is_unwanted_leaves_nothing),
		ON_BENCH(whatever_moment_it_is_killed_at_the_world_is_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
