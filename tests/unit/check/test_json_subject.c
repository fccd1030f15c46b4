#include "check/json_subject.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/json_read.h"
#include "base/text.h"

static void a_path_leads_through_objects_and_lists(void **unused)
{
	static const struct {
		const char *path, *text; /* NULL: nothing is there */
	} cases[] = {
		{ "status", "UP" },
		{ "items[1].id", "7" },
		{ "items.#", "2" },
		{ "items[2].id", NULL },
		{ "data[tls.crt]", "a certificate" },
		{ "data[tls.crt].more", NULL },
		{ "data[plain]", "text" },
		{ "data.tls.crt", NULL },
		{ "data[tls.key]", NULL },
		{ "data[1]", "one" },
		{ "data[tls.crt", "a certificate" },
	};
	AUTO(json_decref)
	json_t *json =
	    json_pack("{s:s, s:[{s:i}, {s:i}], s:{s:s, s:s, s:s}}", "status", "UP", "items", "id",
		      3, "id", 7, "data", "tls.crt", "a certificate", "plain", "text", "1", "one");

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct observed seen = json_subject(json, cases[i].path);

		if (!text_equal(seen.text, cases[i].text))
			fail_msg("%s: %s", cases[i].path, seen.text ? seen.text : "nothing");
		observed_release(&seen);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_leads_through_objects_and_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
