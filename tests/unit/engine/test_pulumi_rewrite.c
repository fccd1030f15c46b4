#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/json_read.h"
#include "base/text.h"
#include "engine/pulumi/pulumi_rewrite.h"

static void must_become(const struct rewrite *rewrite, const char *before, const char *after,
			const char *found)
{
	AUTO(json_decref) json_t *values = json_array();
	AUTO(free) char *text = rewrite_values(rewrite, before, values);
	AUTO(free) char *shown = json_dumps(values, JSON_COMPACT);

	assert_string_equal(text, after);
	assert_string_equal(shown, found);
}

static void an_image_gets_the_tag_of_a_pin_and_the_rest_stays(void **state)
{
	static const struct rewrite rewrite = { "image", "*/bos-frontend[:@]*", "v2" };

	(void)state;
	must_become(&rewrite,
		    "# image: ghcr.io/x/bos-frontend:v1\n"
		    "      - image: ghcr.io/x/bos-frontend:v1   # ours\r\n"
		    "        image: \"ghcr.io:5000/x/bos-frontend@sha256:ab\"\n"
		    "        image: ghcr.io/x/bos-contacts:v1\n"
		    "        imagePullPolicy: Always",
		    "# image: ghcr.io/x/bos-frontend:v1\n"
		    "      - image: ghcr.io/x/bos-frontend:v2   # ours\r\n"
		    "        image: \"ghcr.io:5000/x/bos-frontend:v2\"\n"
		    "        image: ghcr.io/x/bos-contacts:v1\n"
		    "        imagePullPolicy: Always",
		    "[\"ghcr.io/x/bos-frontend:v2\",\"ghcr.io:5000/x/bos-frontend:v2\"]");
}

static void a_whole_image_takes_the_place_of_one(void **state)
{
	static const struct rewrite rewrite = { "image", "*", "localhost:5000/mine@sha256:cd" };

	(void)state;
	must_become(&rewrite, "  image: 'a:1'\n", "  image: 'localhost:5000/mine@sha256:cd'\n",
		    "[\"localhost:5000/mine@sha256:cd\"]");
}

static void another_key_gets_the_value_as_it_is(void **state)
{
	static const struct rewrite rewrite = { "value", "*", "INFO" };

	(void)state;
	must_become(&rewrite, "- value: DEBUG\n- values: DEBUG\n- name: value\n",
		    "- value: INFO\n- values: DEBUG\n- name: value\n", "[\"INFO\"]");
}

static void without_a_value_it_only_looks(void **state)
{
	static const struct rewrite rewrite = { "image", "b*", NULL };

	(void)state;
	must_become(&rewrite, "image: a:1\nimage: b:1\nimage:\n",
		    "image: a:1\nimage: b:1\nimage:\n", "[\"b:1\"]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_image_gets_the_tag_of_a_pin_and_the_rest_stays),
		cmocka_unit_test(a_whole_image_takes_the_place_of_one),
		cmocka_unit_test(another_key_gets_the_value_as_it_is),
		cmocka_unit_test(without_a_value_it_only_looks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
