#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "control/proofs.h"

#define ID "11111111-2222-4333-8444-555555555555"
#define OTHER "99999999-2222-4333-8444-555555555555"

static const char good[] =
    "{'state_empty':true,'pending':0,'left':[],'inventories':["
    "{'at_ms':1000,'complete':true,'items':[]},{'at_ms':1500,'complete':true,'items':[]}]}";

/* `text` with ' for ", and one piece of it replaced. */
static bool judge(const char *text, const char *what, const char *with, struct error *err,
		  json_t **blocked)
{
	char json[2048], *at;
	AUTO(json_decref) json_t *data = NULL;

	snprintf(json, sizeof(json), "%s", text);
	if (what) {
		at = strstr(json, what);
		assert_non_null(at);
		memmove(at + strlen(with), at + strlen(what), strlen(at + strlen(what)) + 1);
		memcpy(at, with, strlen(with));
	}
	for (at = json; *at; at++)
		if (*at == '\'')
			*at = '"';
	data = json_loads(json, 0, NULL);
	assert_non_null(data);
	return proofs_judge(data, "container", env_id_from(ID), blocked, err);
}

static void complete_evidence_is_a_proof(void **unused)
{
	json_t *blocked;
	struct error err;

	(void)unused;
	assert_true(judge(good, NULL, NULL, &err, &blocked));
	assert_int_equal(json_array_size(blocked), 0);
	json_decref(blocked);
}

static void anything_missing_or_unclear_is_no_proof(void **unused)
{
	static const struct {
		const char *what, *with, *slug;
	} cases[] = {
		{ "'state_empty':true", "'state_empty':false", "state_not_empty" },
		{ "'state_empty':true", "'state_empty':1", "state_not_empty" },
		{ "'state_empty':true,", "", "state_not_empty" },
		{ "'pending':0", "'pending':1", "state_not_empty" },
		{ "'pending':0,", "", "state_not_empty" },
		{ "'complete':true,'items':[]},{", "'complete':false,'items':[]},{",
		  "inventory_incomplete" },
		{ "'complete':true,'items':[]}]", "'complete':false,'items':[]}]",
		  "inventory_incomplete" },
		{ "'complete':true,'items':[]}]", "'items':[]}]", "inventory_incomplete" },
		{ "'complete':true,'items':[]}]", "'complete':true}]", "inventory_incomplete" },
		{ ",{'at_ms':1500,'complete':true,'items':[]}", "", "inventory_missing" },
		{ "'at_ms':1500", "'at_ms':1499", "inventory_too_soon" },
		/* A cloud asks for more time than the engine. */
		{ "'at_ms':1000", "'settle_ms':501,'at_ms':1000", "inventory_too_soon" },
		{ "'items':[]}]", "'items':[{'kind':'volume','id':'v','environment':'" ID "'}]}]",
		  "left_over" },
		{ "'items':[]},{", "'items':[{'kind':'volume','id':'v','environment':'" ID "'}]},{",
		  "left_over" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_t *blocked;
		struct error err;

		assert_false(judge(good, cases[i].what, cases[i].with, &err, &blocked));
		assert_string_equal(err.slug, cases[i].slug);
		json_decref(blocked);
	}
}

static void what_is_left_is_named(void **unused)
{
	json_t *blocked;
	struct error err;

	(void)unused;
	assert_false(judge(good, "'items':[]}]",
			   "'items':[{'kind':'volume','name':'data','environment':'" ID "'}]}]",
			   &err, &blocked));
	assert_string_equal(json_string_value(json_array_get(blocked, 0)), "volume data");
	json_decref(blocked);
}

static void what_belongs_to_another_environment_does_not_count(void **unused)
{
	json_t *blocked;
	struct error err;

	(void)unused;
	assert_true(judge(good, "'items':[]}]",
			  "'items':[{'kind':'volume','id':'v','environment':'" OTHER "'}]}]", &err,
			  &blocked));
	json_decref(blocked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(complete_evidence_is_a_proof),
		cmocka_unit_test(anything_missing_or_unclear_is_no_proof),
		cmocka_unit_test(what_is_left_is_named),
		cmocka_unit_test(what_belongs_to_another_environment_does_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
