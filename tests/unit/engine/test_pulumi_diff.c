/* What an operation changed, from events as the real CLI writes them; and nobody's secrets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/text.h"
#include "engine/pulumi/pulumi_diff.h"

#define SECRET                                                                                     \
	"{\"4dabf18193072939515e22adb298388d\":\"1b47061264138c4ac30d75fd1eb44270\","              \
	"\"ciphertext\":\"[secret]\"}"

/* "path: from -> to", one a line; the caller frees. */
static char *differences(const char *metadata, const json_t *secrets, size_t *left_out)
{
	AUTO(json_decref) json_t *json = json_loads(metadata, 0, NULL);
	AUTO(json_decref) json_t *attributes = NULL;
	struct text text = TEXT_EMPTY;
	const json_t *attribute;
	size_t i;

	assert_non_null(json);
	attributes = diff_attributes(json, secrets, left_out);
	json_array_foreach(attributes, i, attribute)
		text_format(&text, "%s: %s -> %s\n", json_get_string(attribute, "path", "?"),
			    json_get_string(attribute, "from", "nothing"),
			    json_get_string(attribute, "to", "nothing"));
	return text_take(&text);
}

static void assert_differences(const char *metadata, const char *expected)
{
	size_t left_out;
	AUTO(free) char *seen = differences(metadata, NULL, &left_out);

	assert_string_equal(seen, expected);
	assert_int_equal(left_out, 0);
}

static void an_update_names_what_is_different_down_to_the_leaf(void **unused)
{
	(void)unused;
	assert_differences("{\"op\":\"update\",\"type\":\"x:y:Z\","
			   "\"old\":{\"inputs\":{\"name\":\"a\",\"nested\":{\"x\":[1,2,\"1\"]},"
			   "\"gone\":true,\"__provider\":\"old code\"}},"
			   "\"new\":{\"inputs\":{\"name\":\"a\",\"nested\":{\"x\":[1,2,\"2\",{}]},"
			   "\"added\":1.5,\"__provider\":\"new code\"}},"
			   "\"detailedDiff\":null}",
			   "nested.x[2]: 1 -> 2\ngone: true -> nothing\nadded: nothing -> 1.5\n");
}

static void of_what_is_new_all_is_told_and_of_what_goes_nothing(void **unused)
{
	(void)unused;
	assert_differences("{\"op\":\"create\",\"old\":null,\"new\":{\"inputs\":{\"spec\":"
			   "{\"replicas\":2,\"empty\":[]},\"tags\":{}}}}",
			   "spec.replicas: nothing -> 2\n");
	assert_differences("{\"op\":\"delete\",\"old\":{\"inputs\":{\"a\":1}},\"new\":null}", "");
}

static void a_refresh_and_a_stack_tell_by_outputs(void **unused)
{
	(void)unused;
	assert_differences("{\"op\":\"update\",\"old\":{\"inputs\":{\"a\":1},\"outputs\":{\"size\":"
			   "\"small\"}},\"new\":{\"inputs\":{\"a\":1},\"outputs\":{\"size\":"
			   "\"large\"}}}",
			   "size: small -> large\n");
	assert_differences("{\"op\":\"create\",\"type\":\"pulumi:pulumi:Stack\",\"old\":null,"
			   "\"new\":{\"inputs\":{},\"outputs\":{\"url\":\"http://a\",\"pw\":" SECRET
			   "}}}",
			   "url: nothing -> http://a\npw: nothing -> [secret]\n");
}

static void what_pulumi_masks_stays_masked_and_its_change_is_still_told(void **unused)
{
	(void)unused;
	assert_differences(
	    "{\"op\":\"update\",\"old\":{\"inputs\":{\"pw\":" SECRET ",\"v\":1}},"
	    "\"new\":{\"inputs\":{\"pw\":" SECRET ",\"v\":2}},"
	    "\"detailedDiff\":{\"pw\":{\"diffKind\":\"update\",\"inputDiff\":true}}}",
	    "v: 1 -> 2\npw: [secret] -> [secret]\n");
	assert_differences("{\"op\":\"update\",\"old\":{\"inputs\":{\"pw\":" SECRET "}},"
			   "\"new\":{\"inputs\":{\"pw\":" SECRET "}},\"diffs\":[\"pw\"]}",
			   "pw: [secret] -> [secret]\n");
}

static void names_and_texts_that_say_so_are_secrets(void **unused)
{
	(void)unused;
	assert_differences("{\"op\":\"create\",\"old\":null,\"new\":{\"inputs\":{"
			   "\"adminPassword\":\"hunter22\",\"api_key\":\"abcdef\","
			   "\"kubeconfig\":\"apiVersion: v1\",\"auth\":{\"token\":{\"deep\":1}},"
			   "\"pem\":\"-----BEGIN RSA PRIVATE KEY-----\\nx\",\"name\":\"open\"}}}",
			   "adminPassword: nothing -> [secret]\napi_key: nothing -> [secret]\n"
			   "kubeconfig: nothing -> [secret]\nauth.token.deep: nothing -> [secret]\n"
			   "pem: nothing -> [secret]\nname: nothing -> open\n");
	/* A whole object in the place of a scalar is shown as one. */
	assert_differences("{\"op\":\"update\",\"old\":{\"inputs\":{\"a\":{\"password\":\"x\","
			   "\"b\":1}}},\"new\":{\"inputs\":{\"a\":\"none\"}}}",
			   "a: {\"password\":\"[secret]\",\"b\":1} -> none\n");
	assert_differences("{\"op\":\"create\",\"type\":\"kubernetes:core/v1:Secret\",\"old\":null,"
			   "\"new\":{\"inputs\":{\"data\":{\"plain\":\"eA==\"},\"stringData\":"
			   "{\"x\":\"y\"},\"kind\":\"Secret\"}}}",
			   "data.plain: nothing -> [secret]\nstringData.x: nothing -> [secret]\n"
			   "kind: nothing -> Secret\n");
}

static void known_values_are_hidden_wherever_they_turn_up(void **unused)
{
	AUTO(json_decref) json_t *secrets = json_pack("[s, s]", "s3cr3t-value", "ab");
	size_t left_out;
	AUTO(free)
	char *seen = differences("{\"op\":\"create\",\"old\":null,\"new\":{\"inputs\":{\"args\":["
				 "\"--with=s3cr3t-value\",\"about\"]}}}",
				 secrets, &left_out);

	(void)unused;
	/* Two letters are no secret that could be told from a word. */
	assert_string_equal(seen, "args[0]: nothing -> [secret]\nargs[1]: nothing -> about\n");
}

static void whatever_a_provider_writes_the_list_is_bounded(void **unused)
{
	AUTO(text_release) struct text text = TEXT_EMPTY;
	size_t left_out;
	AUTO(free) char *seen = NULL;
	AUTO(json_decref) json_t *long_one = NULL;
	AUTO(json_decref) json_t *attributes = NULL;
	char value[1000];

	(void)unused;
	text_add(&text, "{\"op\":\"create\",\"old\":null,\"new\":{\"inputs\":{");
	for (int i = 0; i < 100; i++)
		text_format(&text, "%s\"k%d\":%d", i ? "," : "", i, i);
	text_add(&text, "}}}");
	seen = differences(text_get(&text), NULL, &left_out);
	assert_int_equal(left_out, 100 - DIFF_ATTRIBUTES_MAX);

	memset(value, 'x', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	memcpy(value + DIFF_VALUE_BYTES_MAX - 4, "\xc3\xa9", 2);
	long_one = json_pack("{s:n, s:{s:{s:s}}}", "old", "new", "inputs", "a", value);
	attributes = diff_attributes(long_one, NULL, &left_out);
	assert_true(strlen(json_get_string(json_array_get(attributes, 0), "to", "")) <=
		    DIFF_VALUE_BYTES_MAX);
	assert_true(
	    text_ends_with(json_get_string(json_array_get(attributes, 0), "to", ""), "x..."));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_update_names_what_is_different_down_to_the_leaf),
		cmocka_unit_test(of_what_is_new_all_is_told_and_of_what_goes_nothing),
		cmocka_unit_test(a_refresh_and_a_stack_tell_by_outputs),
		cmocka_unit_test(what_pulumi_masks_stays_masked_and_its_change_is_still_told),
		cmocka_unit_test(names_and_texts_that_say_so_are_secrets),
		cmocka_unit_test(known_values_are_hidden_wherever_they_turn_up),
		cmocka_unit_test(whatever_a_provider_writes_the_list_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
