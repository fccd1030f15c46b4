#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/text.h"
#include "engine/pulumi/pulumi_backend.h"

/* A place whose template says `backend`; released by the caller. */
static struct pulumi_place place_with(const char *backend)
{
	AUTO(free)
	char *text = xasprintf("pulumi: 3.259.0\ncheckout: { folder: a }\n%s"
			       "layers: [ { name: one, project: one } ]\n",
			       backend);
	struct pulumi_place place = { .folder = xstrdup("/data"), .stack = "envd-aaaa" };
	struct error err;

	if (!layer_list_parse(text, strlen(text), "layers.yaml", &place.list, &err) ||
	    !backend_open(&place, &err))
		fail_msg("%s", err.message);
	return place;
}

static char *init_line(const struct pulumi_place *place)
{
	const char *words[BACKEND_INIT_WORDS];

	backend_init_words(place, words);
	return text_join(words, " ");
}

static void files_are_the_environments_own(void **state)
{
	struct pulumi_place place = place_with("");
	AUTO(free) char *line = init_line(&place);
	char *const *variables;
	struct error err;

	(void)state;
	assert_false(backend_is_remote(&place));
	assert_string_equal(backend_stack(&place), "envd-aaaa");
	assert_string_equal(backend_owner(&place), "organization");
	assert_null(backend_link(&place, "one"));
	assert_string_equal(line, "stack init --no-select");
	assert_true(backend_variables(&place, &variables, &err));
	assert_string_equal(variables[0],
			    "PULUMI_BACKEND_URL=file:///data/backend?no_tmp_dir=true");
	assert_null(variables[1]);
	place_release(&place);
}

static void stacks_of_pulumi_cloud_have_an_owner_and_a_page(void **state)
{
	struct pulumi_place place = place_with(
	    "backend: { url: \"https://api.pulumi.com\", organization: acme, credentials: "
	    "{ variable: ENVD_SECRET_PULUMI_UNIT } }\n");
	AUTO(free) char *link = backend_link(&place, "one");
	char *const *variables;
	struct error err;

	(void)state;
	assert_true(backend_is_remote(&place));
	assert_string_equal(backend_stack(&place), "acme/envd-aaaa");
	assert_string_equal(backend_owner(&place), "acme");
	assert_string_equal(link, "https://app.pulumi.com/acme/one/envd-aaaa");
	assert_false(backend_variables(&place, &variables, &err));
	assert_string_equal(err.slug, "secret_missing");
	place_release(&place);
}

static void credentials_are_variables_and_no_words(void **state)
{
	struct pulumi_place place =
	    place_with("backend: { url: \"s3://states?region=x\", secrets: \"awskms://alias/a\", "
		       "credentials: { variable: ENVD_SECRET_PULUMI_UNIT } }\n");
	AUTO(free) char *line = init_line(&place);
	AUTO(free) char *all = NULL;
	char *const *variables;
	struct error err;

	(void)state;
	setenv(
	    "ENVD_SECRET_PULUMI_UNIT",
	    "{\"AccessKeyId\": \"A\", \"SecretAccessKey\": \"hunter2\", \"SessionToken\": \"t\"}",
	    1);
	assert_true(backend_variables(&place, &variables, &err));
	all = text_join((const char *const *)variables, " ");
	assert_string_equal(all, "PULUMI_BACKEND_URL=s3://states?region=x AWS_ACCESS_KEY_ID=A "
				 "AWS_SECRET_ACCESS_KEY=hunter2 AWS_SESSION_TOKEN=t "
				 "AWS_EC2_METADATA_DISABLED=true");
	assert_string_equal(line, "stack init --no-select --secrets-provider awskms://alias/a");
	unsetenv("ENVD_SECRET_PULUMI_UNIT");
	place_release(&place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_the_environments_own),
		cmocka_unit_test(stacks_of_pulumi_cloud_have_an_owner_and_a_page),
		cmocka_unit_test(credentials_are_variables_and_no_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
