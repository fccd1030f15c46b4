#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "engine/engine.h"
#include "model/template.h"

static void every_name_in_the_list_is_an_engine_and_the_other_way_round(void **state)
{
	(void)state;
	for (const char *const *name = template_engines; *name; name++) {
		const struct engine *engine = engine_find(*name);

		assert_non_null(engine);
		assert_string_equal(engine->name, *name);
	}
	assert_null(engine_find("terraform"));
	assert_null(engine_find(""));
}

static void every_engine_has_every_verb_that_proofs_need(void **state)
{
	(void)state;
	for (const char *const *name = template_engines; *name; name++) {
		const struct engine *engine = engine_find(*name);

		assert_true(engine->plan && engine->create && engine->inspect && engine->recover &&
			    engine->destroy && engine->inventory && engine->probe);
		assert_true(engine->settle_ms >= 500);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_name_in_the_list_is_an_engine_and_the_other_way_round),
		cmocka_unit_test(every_engine_has_every_verb_that_proofs_need),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
