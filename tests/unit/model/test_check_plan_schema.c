/* The schema that editors use and the reader know the same keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_read.h"
#include "model/check_plan.h"

#define HEAD "apiVersion: envd/v1\nkind: CheckPlan\nname: x\n"

static json_t *schema_read(void)
{
	json_t *schema = NULL;
	struct error err;

	if (!json_read_file("templates/schema/check-plan.schema.json", 1 << 20, &schema, &err))
		fail_msg("%s", err.message);
	return schema;
}

/* Is `key` known between these two parts of a plan? */
static bool is_known(const char *before, const char *key, const char *after)
{
	AUTO(free) char *text = xasprintf("%s%s: 1%s", before, key, after);
	AUTO(free) char *complaint = xasprintf("unknown key \"%s\"", key);
	struct check_plan *plan = NULL;
	struct error err;

	if (check_plan_parse(text, strlen(text), "x", &plan, &err)) {
		check_plan_free(plan);
		return true;
	}
	return !strstr(err.message, complaint);
}

static void every_key_of_the_schema_is_known_to_the_reader(void **unused)
{
	/* The part of the schema, and where its keys stand in a plan. */
	static const char *const rows[][3] = {
		{ "", HEAD, "\n" },
		{ "http", HEAD "smoke: [ { name: a, http: { ", " } } ]\n" },
		{ "tls", HEAD "smoke: [ { name: a, tls: { ", " } } ]\n" },
		{ "tcp", HEAD "smoke: [ { name: a, tcp: { ", " } } ]\n" },
		{ "dns", HEAD "smoke: [ { name: a, dns: { ", " } } ]\n" },
		{ "prometheus", HEAD "smoke: [ { name: a, prometheus: { ", " } } ]\n" },
		{ "exec", HEAD "smoke: [ { name: a, exec: { ", " } } ]\n" },
		{ "kube", HEAD "smoke: [ { name: a, kube: { ", " } } ]\n" },
		{ "eventually", HEAD "smoke: [ { name: a, eventually: { ", " } } ]\n" },
		{ "smoke", HEAD "smoke: [ { name: a, ", " } ]\n" },
		{ "step", HEAD "smoke: [ { name: a, steps: [ { ", " } ] } ]\n" },
		{ "expectation", HEAD "smoke: [ { name: a, tcp: { host: a, port: 1 }, expect: [ { ",
		  " } ] } ]\n" },
		{ "part", HEAD "smoke: [ { name: a, tcp: { host: a, port: 1 }, capture: { b: { ",
		  " } } } ]\n" },
		{ "load", HEAD "load: [ { ", " } ]\n" },
		{ "threshold",
		  HEAD "load: [ { name: a, rate: 1/s, duration: 1s, steps: [ { http: { base: a, "
		       "path: / }, "
		       "expect: [ \"status == 200\" ] } ], thresholds: [ { ",
		  " } ] } ]\n" },
	};
	AUTO(json_decref) json_t *schema = schema_read();

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const json_t *part =
		    *rows[i][0] ? json_object_get(json_object_get(schema, "$defs"), rows[i][0])
				: schema;
		json_t *properties = json_object_get(part, "properties");

		assert_true(json_object_size(properties) > 0);
		for (void *at = json_object_iter(properties); at;
		     at = json_object_iter_next(properties, at))
			if (!is_known(rows[i][1], json_object_iter_key(at), rows[i][2]))
				fail_msg("the reader does not know \"%s\" of \"%s\"",
					 json_object_iter_key(at), rows[i][0]);
		assert_false(is_known(rows[i][1], "nonsense", rows[i][2]));
	}
}

/* What the reader offers when a key is nearly right, the schema knows. */
static void a_wrong_key_is_answered_with_one_of_the_schema(void **unused)
{
	static const char text[] = HEAD "smoke: [ { name: a, htp: { path: / } } ]\n";
	struct check_plan *plan = NULL;
	struct error err;

	(void)unused;
	assert_false(check_plan_parse(text, strlen(text), "x", &plan, &err));
	assert_string_equal(err.hint, "did you mean \"http\"?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_of_the_schema_is_known_to_the_reader),
		cmocka_unit_test(a_wrong_key_is_answered_with_one_of_the_schema),
	};

	return cmocka_run_group_tests_name("check plan schema", tests, NULL, NULL);
}
