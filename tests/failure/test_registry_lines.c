/*
 * A registry that is gone, or at the end of a bad line: slow, standing still, cut. The pull is
 * tried again where that can help, the deadline holds, and nothing is left.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/support/registry.h"

static void write_service(struct stage *stage, const char *image)
{
	AUTO(free)
	char *compose = xasprintf("services:\n  web: { image: '%s', command: [httpd, -f, -p, '80', "
				  "-h, /www] }\n",
				  image);

	stage_write(stage, compose, NULL);
}

static void a_registry_that_is_not_there_is_tried_again_and_named(void **state)
{
	struct stage *stage = stage_new(*state);
	struct registry *registry = registry_new(stage, (struct registry_wish){ 0 });
	AUTO(free) char *image = registry_image(registry, "story/web:1");

	registry_kill(registry);
	write_service(stage, image);
	stage_must_not(stage, "plan", "registry_unreachable");
	stage_contains(stage->err.message, registry->name);
	stage_contains(stage->err.message, "tried 3 times");
	stage_contains(stage->said, "trying again");
	registry_free(registry);
	stage_free(stage);
}

static void a_slow_pull_says_how_far_it_is(void **state)
{
	struct stage *stage = stage_new(*state);
	struct registry *registry = registry_new(stage, (struct registry_wish){ 0 });
	AUTO(free) char *image = NULL;

	/* It is said after 1, 3 and 7 s: what takes 8 s is caught at it, however late it begins. */
	registry_push(registry, "story/slow", "1", 2000);
	registry_bad_line(registry, "--rate", "250000", NULL);
	image = registry_image(registry, "story/slow:1");
	write_service(stage, image);
	stage_must(stage, "plan");
	stage_contains(stage->said, " layers");
	registry_forget(registry, image);
	registry_free(registry);
	stage_free(stage);
}

static void a_pull_that_stands_still_ends_at_the_deadline_and_leaves_nothing(void **state)
{
	struct stage *stage = stage_new(*state);
	struct registry *registry = registry_new(stage, (struct registry_wish){ 0 });
	AUTO(free) char *image = NULL;

	registry_push(registry, "story/still", "1", 1000);
	registry_bad_line(registry, "--hold-after", "300000", NULL);
	image = registry_image(registry, "story/still:1");
	write_service(stage, image);
	stage->request.deadline_at_ms = clock_wall_ms() + 5000;
	stage_must_not(stage, "plan", "image_pull_timeout");
	stage_contains(stage->err.message, image);
	stage_contains(stage->err.hint, "limits.provision");
	stage->request.deadline_at_ms = 0;
	assert_false(registry_has_image(registry, image));
	assert_int_equal(stage_count_all(stage), 0);
	registry_free(registry);
	stage_free(stage);
}

static void a_pull_that_is_cut_half_way_once_is_taken_up_again(void **state)
{
	struct stage *stage = stage_new(*state);
	struct registry *registry = registry_new(stage, (struct registry_wish){ 0 });
	AUTO(free) char *image = NULL;

	registry_push(registry, "story/cut", "1", 1000);
	registry_bad_line(registry, "--cut-after", "300000", "--cuts", "1", NULL);
	image = registry_image(registry, "story/cut:1");
	write_service(stage, image);
	stage_must(stage, "create");
	stage_must(stage, "destroy");
	registry_forget(registry, image);
	registry_free(registry);
	stage_free(stage);
}

static void a_pull_that_is_cut_every_time_fails_and_leaves_nothing(void **state)
{
	struct stage *stage = stage_new(*state);
	struct registry *registry = registry_new(stage, (struct registry_wish){ 0 });
	AUTO(free) char *image = NULL;

	registry_push(registry, "story/cut", "2", 1000);
	registry_bad_line(registry, "--cut-after", "300000", NULL);
	image = registry_image(registry, "story/cut:2");
	write_service(stage, image);
	stage_must_not(stage, "create", "image_pull_failed");
	stage_contains(stage->err.message, image);
	stage_contains(stage->err.message, "tried 3 times");
	assert_false(registry_has_image(registry, image));
	assert_int_equal(stage_count_all(stage), 0);
	registry_free(registry);
	stage_free(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_ON_BOTH(a_registry_that_is_not_there_is_tried_again_and_named),
		STAGE_ON_BOTH(a_slow_pull_says_how_far_it_is),
		STAGE_ON_BOTH(a_pull_that_stands_still_ends_at_the_deadline_and_leaves_nothing),
		STAGE_ON_BOTH(a_pull_that_is_cut_half_way_once_is_taken_up_again),
		STAGE_ON_PODMAN(a_pull_that_is_cut_every_time_fails_and_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
