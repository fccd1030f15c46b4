#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/json_read.h"
#include "base/text.h"
#include "engine/pulumi/pulumi_secret.h"

#define VARIABLE "ENVD_SECRET_OF_A_TEST"

static char key[] = "k", variable_name[] = VARIABLE;

/* The first of `count` alternatives is read; each is told of the next. */
static bool read_first(struct layer_secret *alternatives, size_t count, const json_t *parameters,
		       char **value, struct error *err)
{
	struct engine_request request = { .template_folder = "/nonexistent",
					  .parameters = parameters };
	struct pulumi_place place = { .request = &request };

	for (size_t i = 0; i + 1 < count; i++)
		alternatives[i].otherwise = &alternatives[i + 1];
	return secret_read(&place, alternatives, value, err);
}

static void must_be(struct layer_secret *alternatives, size_t count, const char *expected)
{
	AUTO(free) char *value = NULL;
	struct error err;

	if (!read_first(alternatives, count, NULL, &value, &err))
		fail_msg("%s", err.message);
	if (!expected)
		assert_null(value);
	else
		assert_string_equal(value, expected);
}

static struct layer_secret variable(void)
{
	return (struct layer_secret){ .key = key,
				      .kind = LAYER_SECRET_VARIABLE,
				      .from = variable_name };
}

static struct layer_secret file(const char *path)
{
	return (struct layer_secret){ .key = key,
				      .kind = LAYER_SECRET_FILE,
				      .from = (char *)(uintptr_t)path };
}

static void the_first_that_is_there_is_taken(void **state)
{
	char path[] = "/tmp/envd-secret-XXXXXX";
	AUTO(close) int fd = mkstemp(path);
	struct layer_secret both[] = { variable(), file(path) };
	struct layer_secret neither[] = { variable(), { .key = key, .kind = LAYER_SECRET_NONE } };

	(void)state;
	assert_int_equal(write(fd, "from a file\n", 12), 12);
	unsetenv(VARIABLE);
	must_be(both, 2, "from a file");
	must_be(neither, 2, NULL);
	setenv(VARIABLE, "from a variable", 1);
	must_be(both, 2, "from a variable");
	must_be(neither, 2, "from a variable");
	unsetenv(VARIABLE);
	unlink(path);
}

static void where_it_was_looked_for_is_told(void **state)
{
	struct layer_secret both[] = { variable(), file("/nonexistent/token") };
	AUTO(free) char *value = NULL;
	struct error err;

	(void)state;
	unsetenv(VARIABLE);
	assert_false(read_first(both, 2, NULL, &value, &err));
	assert_string_equal(err.slug, "secret_missing");
	assert_string_equal(err.message, "secret \"k\": the server has neither variable " VARIABLE
					 " nor file /nonexistent/token");
}

static void a_secret_is_there_only_when_its_condition_holds(void **state)
{
	struct layer_secret one[] = { { .key = key,
					.kind = LAYER_SECRET_RANDOM,
					.length = 16,
					.when = json_pack("{s:[s]}", "provider", "linode") } };
	AUTO(json_decref) json_t *aws = json_pack("{s:s}", "provider", "aws");
	AUTO(json_decref) json_t *linode = json_pack("{s:s}", "provider", "linode");
	AUTO(free) char *none = NULL;
	AUTO(free) char *value = NULL;
	struct error err;

	(void)state;
	assert_true(read_first(one, 1, aws, &none, &err));
	assert_null(none);
	assert_true(read_first(one, 1, linode, &value, &err));
	assert_int_equal(strlen(value), 16);
	json_decref(one[0].when);
}

static void what_a_program_says_has_no_secret_in_it(void **state)
{
	char first[] = "s3cret-token", second[] = "another-one";
	char *hidden[] = { first, second, NULL };
	struct pulumi_place place = { .hidden = hidden };
	AUTO(free)
	char *masked = place_mask(&place, "401: s3cret-token, then another-one and s3cret-token");

	(void)state;
	assert_string_equal(masked, "401: ***, then *** and ***");
	assert_null(place_mask(&place, "nothing to see"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_that_is_there_is_taken),
		cmocka_unit_test(where_it_was_looked_for_is_told),
		cmocka_unit_test(a_secret_is_there_only_when_its_condition_holds),
		cmocka_unit_test(what_a_program_says_has_no_secret_in_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
