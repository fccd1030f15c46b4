#include "settings/project.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/text.h"

static bool read_projects(const char *text, struct project_list *projects, struct error *err)
{
	AUTO(yaml_free) struct yaml_document *file = NULL;

	*projects = (struct project_list){ NULL, 0 };
	if (!yaml_parse(text, strlen(text), "envd.yaml", &file, err))
		fail_msg("%s", err->message);
	return projects_read(file, yaml_get(file->root, "projects"), projects, err);
}

static void a_budget_is_an_amount_a_month_and_whom_to_ask(void **unused)
{
	struct project_list projects;
	const struct budget *budget;
	struct error err;

	(void)unused;
	assert_true(
	    read_projects("projects:\n  - { name: web, budget: { month: 200.00 EUR, contact: "
			  "'#platform' } }\n  - { name: shop }\n"
			  "  - { name: none, budget: { month: 0 USD } }\n",
			  &projects, &err));
	budget = project_budget(&projects, "web");
	assert_int_equal(budget->month_microcents, 200 * (int64_t)MICROCENTS_PER_UNIT);
	assert_string_equal(budget->currency, "EUR");
	assert_string_equal(budget->contact, "#platform");
	assert_int_equal(project_budget(&projects, "shop")->month_microcents, BUDGET_UNLIMITED);
	assert_int_equal(project_budget(&projects, "default")->month_microcents, BUDGET_UNLIMITED);
	assert_int_equal(project_budget(&projects, "none")->month_microcents, 0);
	projects_release(&projects);
}

static void a_budget_that_is_none_is_refused_where_it_is_written(void **unused)
{
	static const struct {
		const char *budget, *message;
	} cases[] = {
		{ "200.00", "\"budget\" must be a map" },
		{ "{}", "\"month\" of a budget must be" },
		{ "{ month: 200.00 }", "such as \"200.00 USD\" (got \"200.00\")" },
		{ "{ month: -5 USD }", "(got \"-5 USD\")" },
		{ "{ month: 50% USD }", "(got \"50% USD\")" },
		{ "{ month: 5 usd }", "(got \"5 usd\")" },
		{ "{ month: 5  USD }", "(got \"5  USD\")" },
		{ "{ month: 1000000001 USD }", "(got \"1000000001 USD\")" },
		{ "{ month: 0.000000001 USD }", "(got \"0.000000001 USD\")" },
		{ "{ month: 5 USD, year: 60 USD }", "unknown key \"year\"" },
		{ "{ month: [5, USD] }", "\"month\" of a budget must be" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(free)
		char *text =
		    xasprintf("projects: [ { name: web, budget: %s } ]\n", cases[i].budget);
		struct project_list projects;
		struct error err;

		if (read_projects(text, &projects, &err))
			fail_msg("case %zu was taken", i);
		if (!strstr(err.message, cases[i].message))
			fail_msg("case %zu: %s", i, err.message);
		assert_true(text_starts_with(err.message, "envd.yaml:1:"));
		projects_release(&projects);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_budget_is_an_amount_a_month_and_whom_to_ask),
		cmocka_unit_test(a_budget_that_is_none_is_refused_where_it_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
