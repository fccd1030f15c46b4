/*
 * Images from a registry: a real one (tests/support/registry.h), with what real ones give and
 * refuse. The registry and the runtime are the witnesses. What takes longer is in
 * tests/failure/test_registry_answers.c and test_registry_lines.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/registry.h"

static void an_image_is_pulled_by_tag_and_again_by_the_digest_of_the_lock(void **state)
{
	struct stage *stage = stage_new(*state);
	struct registry *registry = registry_new(stage, (struct registry_wish){ 0 });
	AUTO(free) char *image = registry_image(registry, "story/web:1");
	AUTO(free) char *first_id = NULL;
	AUTO(free) char *digest = NULL;

	registry_push(registry, "story/web", "1", 8);
	registry_write_service(stage, image, "");
	stage_must(stage, "create");
	assert_int_equal(stage_fetch(stage, "web", "web"), 0);
	stage_contains(registry_locked(stage, "digest"), "/story/web@sha256:");
	first_id = xstrdup(registry_locked(stage, "image_id"));
	digest = xstrdup(registry_locked(stage, "digest"));

	/* The tag moves on, the image goes; the lock still means the first one. */
	stage_must(stage, "destroy");
	registry_forget(registry, first_id);
	registry_push(registry, "story/web", "1", 8);
	stage_must(stage, "create");
	assert_string_equal(json_get_string(stage_service(stage, "web"), "image_id", ""), first_id);
	assert_true(registry_has_image(registry, digest));
	assert_false(registry_has_image(registry, image));
	stage_must(stage, "destroy");
	registry_forget(registry, first_id);
	registry_free(registry);
	stage_free(stage);
}

static void a_password_comes_from_dockers_configuration_and_is_written_nowhere(void **state)
{
	struct stage *stage = stage_new(*state);
	struct registry *registry =
	    registry_new(stage, (struct registry_wish){ .has_password = true });
	AUTO(free) char *image = registry_image(registry, "story/secret:1");

	registry_push(registry, "story/secret", "1", 8);
	stage->request.may_use_credentials = true;
	registry_log_in(registry, registry->name, REGISTRY_PASSWORD);
	registry_write_service(stage, image, "");
	stage_must(stage, "create");
	registry_assert_no_password(stage);
	unsetenv("DOCKER_CONFIG");
	stage_must(stage, "destroy");
	registry_forget(registry, image);
	registry_free(registry);
	stage_free(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_ON_BOTH(an_image_is_pulled_by_tag_and_again_by_the_digest_of_the_lock),
		STAGE_ON_PODMAN(a_password_comes_from_dockers_configuration_and_is_written_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
