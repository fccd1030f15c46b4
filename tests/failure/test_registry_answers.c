/*
 * What a registry is asked for, refuses and answers, on both runtimes; and images that nothing
 * needs any more. The thin thread is in tests/scenario/test_registry.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/support/registry.h"

/* ---- asked ---- */

static void pull_policies_decide_when_a_registry_is_asked(void **state)
{
	struct stage *stage = stage_new(*state);
	struct registry *registry = registry_new(stage, (struct registry_wish){ 0 });
	AUTO(free) char *image = registry_image(registry, "story/policy:1");
	AUTO(free) char *old_id = NULL;

	registry_push(registry, "story/policy", "1", 8);
	registry_write_service(stage, image, ", pull_policy: never");
	stage_must_not(stage, "plan", "image_missing");
	stage_contains(stage->err.message, "pull_policy is \"never\"");

	registry_write_service(stage, image, ", pull_policy: if_not_present");
	stage_must(stage, "plan");
	old_id = xstrdup(json_get_string(stage_dig(stage->data, "lock", "services", "web", NULL),
					 "image_id", ""));
	registry_write_service(stage, image, ", pull_policy: never");
	stage_must(stage, "plan");

	/* Another image of that name, pushed and not on the target: it has the old one. */
	registry_push(registry, "story/policy", "1", 8);
	assert_int_equal(stage_ask(stage, "POST",
				   "/v1.41/images/%s/tag?repo=%s%%2Fstory%%2Fpolicy&tag=1", old_id,
				   registry->name),
			 201);
	registry_write_service(stage, image, ", pull_policy: missing");
	stage_must(stage, "plan");
	assert_string_equal(json_get_string(stage_dig(stage->data, "lock", "services", "web", NULL),
					    "image_id", ""),
			    old_id);
	registry_write_service(stage, image, ", pull_policy: always");
	stage_must(stage, "plan");
	assert_string_not_equal(
	    json_get_string(stage_dig(stage->data, "lock", "services", "web", NULL), "image_id",
			    ""),
	    old_id);
	registry_forget(registry, image);
	registry_forget(registry, old_id);
	registry_free(registry);
	stage_free(stage);
}

static void a_platform_that_the_target_is_not_is_refused_before_anything_is_pulled(void **state)
{
	struct stage *stage = stage_new(*state);
	struct registry *registry = registry_new(stage, (struct registry_wish){ 0 });
	AUTO(free) char *image = registry_image(registry, "story/platform:1");

	registry_push(registry, "story/platform", "1", 8);
	registry_write_service(stage, image, ", platform: linux/s390x");
	stage_must_not(stage, "plan", "wrong_architecture");
	stage_contains(stage->err.message, "\"linux/s390x\" of service \"web\"");
	assert_false(registry_has_image(registry, image));
	registry_free(registry);
	stage_free(stage);
}

/* ---- refused ---- */

static void a_missing_tag_names_image_service_and_registry(void **state)
{
	struct stage *stage = stage_new(*state);
	struct registry *registry = registry_new(stage, (struct registry_wish){ 0 });
	AUTO(free) char *image = registry_image(registry, "story/none:9");

	registry_write_service(stage, image, "");
	stage_must_not(stage, "create", "image_missing");
	stage_contains(stage->err.message, image);
	stage_contains(stage->err.message, "\"web\"");
	stage_contains(stage->err.message, registry->name);
	stage_contains(stage->err.hint, "tag");
	assert_int_equal(stage_count_all(stage), 0);
	registry_free(registry);
	stage_free(stage);
}

static void a_wrong_password_no_password_and_no_trust_are_told_apart(void **state)
{
	struct stage *stage = stage_new(*state);
	struct registry *registry =
	    registry_new(stage, (struct registry_wish){ .has_password = true });
	AUTO(free) char *image = registry_image(registry, "story/secret:1");

	registry_push(registry, "story/secret", "1", 8);
	registry_write_service(stage, image, "");
	stage->request.may_use_credentials = true;
	setenv("DOCKER_CONFIG", "/nowhere", 1);
	stage_must_not(stage, "plan", "registry_denied");
	stage_contains(stage->err.message, registry->name);
	stage_contains(stage->err.hint, "no credentials");

	registry_log_in(registry, registry->name, "not-" REGISTRY_PASSWORD);
	stage_must_not(stage, "plan", "registry_denied");
	stage_contains(stage->err.hint, "were refused");
	registry_assert_no_password(stage);

	registry_log_in(registry, registry->name, REGISTRY_PASSWORD);
	stage->request.may_use_credentials = false;
	stage_must_not(stage, "plan", "registry_denied");
	stage_contains(stage->err.hint, "not trusted");
	unsetenv("DOCKER_CONFIG");
	assert_false(registry_has_image(registry, image));
	registry_free(registry);
	stage_free(stage);
}

static void a_certificate_of_an_unknown_ca_is_refused_and_said(void **state)
{
	struct stage *stage = stage_new(*state);
	struct registry *registry =
	    registry_new(stage, (struct registry_wish){ .has_tls = true, .is_not_trusted = true });
	AUTO(free) char *image = registry_image(registry, "story/web:1");

	registry_write_service(stage, image, "");
	stage_must_not(stage, "plan", "registry_tls");
	stage_contains(stage->err.message, registry->name);
	stage_contains(stage->err.hint, "certs.d");
	registry_free(registry);
	stage_free(stage);
}

/* ---- collected ---- */

/* A look `later_ms` from now, with what the look before answered; what it removed. */
static size_t collect(struct stage *stage, int64_t keep_ms, int64_t keep_bytes, int64_t later_ms)
{
	json_t *before = json_object_get(stage->data, "unused");

	json_object_set_new(stage->whole, "images",
			    json_pack("{s:I, s:I, s:I, s:o}", "keep_ms", (json_int_t)keep_ms,
				      "keep_bytes", (json_int_t)keep_bytes, "now_ms",
				      (json_int_t)(clock_wall_ms() + later_ms), "unused",
				      before ? json_deep_copy(before) : json_object()));
	stage_must(stage, "images");
	return json_array_size(json_object_get(stage->data, "removed"));
}

static void begin_instance(struct stage *stage)
{
	static struct env_id instance;

	instance = env_id_new();
	stage->request.instance = instance.text;
}

static void an_image_that_nothing_needs_any_more_is_collected_and_no_other(void **state)
{
	struct stage *stage = stage_new(*state);
	struct registry *registry = registry_new(stage, (struct registry_wish){ 0 });
	AUTO(free) char *image = registry_image(registry, "story/old:1");
	AUTO(free) char *had = registry_image(registry, "story/had:1");
	AUTO(free) char *id = NULL;

	begin_instance(stage);
	registry_push(registry, "story/old", "1", 8);
	registry_push(registry, "story/had", "1", 8);
	/* One that the user had before: the test pulls it itself, in the engine's stead. */
	registry_write_service(stage, had, "");
	stage_must(stage, "plan");
	begin_instance(stage);
	registry_write_service(stage, had, ", pull_policy: always");
	stage_must(stage, "plan");

	registry_write_service(stage, image, "");
	stage_must(stage, "create");
	id = xstrdup(registry_locked(stage, "image_id"));
	assert_int_equal(collect(stage, 0, 0, 1), 0);
	assert_int_equal(collect(stage, 0, 0, 7200000), 0); /* a container is made from it */
	stage_must(stage, "destroy");
	assert_int_equal(collect(stage, 0, 0, 1), 0); /* seen unused for the first time */
	assert_int_equal(json_object_size(json_object_get(stage->data, "unused")), 1);
	assert_int_equal(collect(stage, 3600000, INT64_MAX, 60000), 0); /* not for long enough */
	assert_int_equal(collect(stage, INT64_MAX, 0, 60000), 0); /* too young for want of space */
	assert_true(registry_has_image(registry, id));
	assert_int_equal(collect(stage, INT64_MAX, 0, 3600000), 1);
	assert_false(registry_has_image(registry, id));
	assert_false(registry_has_image(registry, image));
	assert_true(registry_has_image(registry, had));
	assert_true(registry_has_image(registry, STAGE_IMAGE));
	registry_forget(registry, had);
	registry_free(registry);
	stage_free(stage);
}

static void a_name_that_somebody_else_gave_keeps_the_image(void **state)
{
	struct stage *stage = stage_new(*state);
	struct registry *registry = registry_new(stage, (struct registry_wish){ 0 });
	AUTO(free) char *image = registry_image(registry, "story/shared:1");
	AUTO(free) char *own = registry_image(registry, "users/own:1");

	begin_instance(stage);
	registry_push(registry, "story/shared", "1", 8);
	registry_write_service(stage, image, "");
	stage_must(stage, "plan");
	assert_int_equal(stage_ask(stage, "POST",
				   "/v1.41/images/%s/tag?repo=%s%%2Fusers%%2Fown&tag=1", image,
				   registry->name),
			 201);
	assert_int_equal(collect(stage, 0, 0, 1), 0);
	assert_int_equal(collect(stage, 0, 0, 3600000), 1);
	assert_false(registry_has_image(registry, image));
	assert_true(registry_has_image(registry, own));
	registry_forget(registry, own);
	registry_free(registry);
	stage_free(stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STAGE_ON_BOTH(pull_policies_decide_when_a_registry_is_asked),
		STAGE_ON_PODMAN(
		    a_platform_that_the_target_is_not_is_refused_before_anything_is_pulled),
		STAGE_ON_BOTH(a_missing_tag_names_image_service_and_registry),
		STAGE_ON_BOTH(a_wrong_password_no_password_and_no_trust_are_told_apart),
		STAGE_ON_PODMAN(a_certificate_of_an_unknown_ca_is_refused_and_said),
		STAGE_ON_BOTH(an_image_that_nothing_needs_any_more_is_collected_and_no_other),
		STAGE_ON("ENVD_TEST_DOCKER", "docker",
			 a_name_that_somebody_else_gave_keeps_the_image),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
