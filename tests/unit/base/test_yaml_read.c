#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/files.h"
#include "base/json_read.h"
#include "base/text.h"
#include "base/yaml_read.h"

static struct yaml_document *parse(const char *yaml)
{
	struct yaml_document *document = NULL;
	struct error err;

	if (!yaml_parse(yaml, strlen(yaml), "f.yaml", &document, &err))
		fail_msg("%s: %s", yaml, err.message);
	return document;
}

/* The same data as JSON text. */
static char *to_json(const char *yaml)
{
	AUTO(yaml_free) struct yaml_document *document = parse(yaml);
	AUTO(json_decref) json_t *json = yaml_to_json(document->root);

	return json_to_text(json);
}

static void assert_refused_bytes(const char *yaml, size_t length, const char *message)
{
	struct yaml_document *document = NULL;
	struct error err;

	if (yaml_parse(yaml, length, "f.yaml", &document, &err)) {
		yaml_free(document);
		fail_msg("accepted: %s", yaml);
	}
	assert_null(document);
	assert_string_equal(err.message, message);
	assert_string_equal(err.slug, "yaml_malformed");
	assert_int_equal(err.code, ERR_INVALID);
}

static void assert_refused(const char *yaml, const char *message)
{
	assert_refused_bytes(yaml, strlen(yaml), message);
}

static void plain_scalars_follow_the_core_schema(void **unused)
{
	static const struct {
		const char *yaml, *json;
	} cases[] = {
		{ "", "null" },
		{ "~", "null" },
		{ "null", "null" },
		{ "'null'", "\"null\"" },
		{ "true", "true" },
		{ "FALSE", "false" },
		{ "yes", "\"yes\"" },
		{ "no", "\"no\"" },
		{ "off", "\"off\"" },
		{ "12", "12" },
		{ "-12", "-12" },
		{ "+12", "12" },
		{ "012", "12" },
		{ "0o14", "12" },
		{ "0xC", "12" },
		{ "-0x1", "\"-0x1\"" },
		{ "9223372036854775807", "9223372036854775807" },
		{ "1.5", "1.5" },
		{ "-.5", "-0.5" },
		{ "5.", "5.0" },
		{ "1e3", "1000.0" },
		{ "1e", "\"1e\"" },
		{ "1e+", "\"1e+\"" },
		{ ".", "\".\"" },
		{ ".inf", "\".inf\"" },
		{ ".nan", "\".nan\"" },
		{ "1e999", "\"1e999\"" },
		{ "'1.20'", "\"1.20\"" },
		{ "\"12\"", "\"12\"" },
		{ "!!str 12", "\"12\"" },
		{ "! 12", "\"12\"" },
		{ "!!int '12'", "12" },
		{ "22:22", "\"22:22\"" },
		{ "1_000", "\"1_000\"" },
		{ "2026-11-24", "\"2026-11-24\"" },
		{ "a b", "\"a b\"" },
		{ "|\n  a\n  b\n", "\"a\\nb\\n\"" },
		{ ">-\n  a\n  b\n", "\"a b\"" },
		{ "\"\\u00e9\\t\"", "\"é\\t\"" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(free) char *json = to_json(cases[i].yaml);

		assert_string_equal(json, cases[i].json);
	}
}

static void lists_and_maps_keep_their_order(void **unused)
{
	AUTO(free) char *json = to_json("b: [1, {x: y}]\na:\n- c\n-\n? k\n: v\n");

	(void)unused;
	assert_string_equal(json, "{\"b\":[1,{\"x\":\"y\"}],\"a\":[\"c\",null],\"k\":\"v\"}");
}

static void anchors_and_merge_keys_are_resolved(void **unused)
{
	static const struct {
		const char *yaml, *json;
	} cases[] = {
		{ "a: &x 1\nb: *x\n", "{\"a\":1,\"b\":1}" },
		{ "a: &x {k: 1}\nb: { <<: *x, l: 2 }\n",
		  "{\"a\":{\"k\":1},\"b\":{\"l\":2,\"k\":1}}" },
		/* What is written out wins, wherever "<<" stands; an earlier map wins over a later
		   one. */
		{ "a: &x {k: 1, m: 1}\nb: { <<: *x, k: 2 }\n",
		  "{\"a\":{\"k\":1,\"m\":1},\"b\":{\"k\":2,\"m\":1}}" },
		{ "a: &x {k: 1}\nb: &y {k: 2, l: 2}\nc: { <<: [*x, *y] }\n",
		  "{\"a\":{\"k\":1},\"b\":{\"k\":2,\"l\":2},\"c\":{\"k\":1,\"l\":2}}" },
		/* An anchor inside a merged map outlives it. */
		{ "a: { <<: &x { k: &z [1] } }\nb: *x\nc: *z\n",
		  "{\"a\":{\"k\":[1]},\"b\":{\"k\":[1]},\"c\":[1]}" },
		{ "a: &x { <<: { k: 1 } }\nb: { <<: *x }\n", "{\"a\":{\"k\":1},\"b\":{\"k\":1}}" },
		{ "a: &x 1\nb: &x 2\nc: *x\n", "{\"a\":1,\"b\":2,\"c\":2}" },
		{ "'<<': 1\n", "{\"<<\":1}" },
		{ "&k a: 1\nb: *k\n", "{\"a\":1,\"b\":\"a\"}" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(free) char *json = to_json(cases[i].yaml);

		assert_string_equal(json, cases[i].json);
	}
}

static void every_node_knows_where_it_stands(void **unused)
{
	AUTO(yaml_free)
	struct yaml_document *document = parse("a: 1\nkey:\n  - {x: &n é, y: z}\n  - *n\n");
	const struct yaml_node *list = yaml_get(document->root, "key");
	const struct yaml_node *y = yaml_get(list->items[0], "y");

	(void)unused;
	assert_int_equal(document->root->line, 1);
	assert_int_equal(document->root->keys[1]->line, 2);
	assert_int_equal(list->line, 3);
	assert_int_equal(list->column, 3);
	assert_int_equal(y->line, 3);
	/* Columns are characters, not bytes. */
	assert_int_equal(y->column, 18);
	/* An alias points to what it stands for. */
	assert_int_equal(list->items[1]->line, 3);
	assert_null(yaml_get(document->root, "none"));
	assert_null(yaml_get(list, "x"));
}

static void malformed_text_is_refused_with_its_place(void **unused)
{
	static const struct {
		const char *yaml, *message;
	} cases[] = {
		{ "a: [1,\n", "f.yaml:2:1: did not find expected node content" },
		{ "a: 1\n b: 2\n", "f.yaml:2:3: mapping values are not allowed in this context" },
		{ "a:\n\t- 1\n", "f.yaml:2:1: a tab cannot indent: use blanks" },
		{ "a: 1\na: 2\n", "f.yaml:2:1: key \"a\" is there twice (first at line 1)" },
		{ "a: 1\n<<: {x: 1}\n<<: {y: 1}\n",
		  "f.yaml:3:1: key \"<<\" is there twice (first at line 2)" },
		{ "a: 1\n---\nb: 2\n", "f.yaml:2:1: more than one document" },
		{ "a: *x\n", "f.yaml:1:4: alias \"*x\" has no anchor before it" },
		{ "a: &x [*x]\n", "f.yaml:1:8: alias \"*x\" has no anchor before it" },
		{ "[a]: 1\n", "f.yaml:1:1: a key must be text, not a list or a map" },
		{ "? {a: b}\n: 1\n", "f.yaml:1:3: a key must be text, not a list or a map" },
		{ "'': 1\n", "f.yaml:1:1: a key must not be empty" },
		{ "a: \"x\\0y\"\n", "f.yaml:1:4: text with a NUL character in it" },
		{ "a: !!binary aGk=\n",
		  "f.yaml:1:4: tag \"tag:yaml.org,2002:binary\" is not supported" },
		{ "a: !mine 1\n", "f.yaml:1:4: tag \"!mine\" is not supported" },
		{ "a: !!str [1]\n", "f.yaml:1:4: tag \"tag:yaml.org,2002:str\" is not supported" },
		{ "<<: 1\n", "f.yaml:1:5: \"<<\" takes a map or a list of maps" },
		{ "<<: [{a: 1}, 2]\n", "f.yaml:1:14: \"<<\" takes a map or a list of maps" },
		{ "a: \x01\n", "f.yaml:1:4: control characters are not allowed" },
		{ "ab: 1\nc: \xff\n", "f.yaml:2:4: invalid leading UTF-8 octet" },
		{ "%YAML 3.0\n---\na\n", "f.yaml:1:1: found incompatible YAML document" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_refused(cases[i].yaml, cases[i].message);
	assert_refused_bytes("a: 1\nb: \0", 9, "f.yaml:2:4: control characters are not allowed");
}

/* nine^9 values in a few lines. */
static void aliases_are_counted_written_out(void **unused)
{
	AUTO(text_release) struct text bomb = TEXT_EMPTY;
	struct yaml_document *document;
	struct error err;

	(void)unused;
	text_add(&bomb, "a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
	for (int i = 1; i <= 9; i++) {
		text_format(&bomb, "a%d: &a%d [", i, i);
		for (int j = 0; j < 9; j++)
			text_format(&bomb, "%s*a%d", j ? ", " : "", i - 1);
		text_add(&bomb, "]\n");
	}
	assert_false(yaml_parse(text_get(&bomb), bomb.length, "f.yaml", &document, &err));
	assert_non_null(strstr(err.message, "more than 100000 values, aliases written out"));
}

static void depth_keys_and_anchors_are_bounded(void **unused)
{
	AUTO(text_release) struct text deep = TEXT_EMPTY, wide = TEXT_EMPTY, anchored = TEXT_EMPTY;
	AUTO(yaml_free) struct yaml_document *fits = NULL;
	struct yaml_document *document;
	struct error err;

	(void)unused;
	for (int i = 0; i < 32; i++)
		text_add(&deep, "[");
	for (int i = 0; i < 32; i++)
		text_add(&deep, "]");
	assert_true(yaml_parse(text_get(&deep), deep.length, "f.yaml", &fits, &err));
	text_clear(&deep);
	for (int i = 0; i < 100000; i++)
		text_add(&deep, "[");
	assert_false(yaml_parse(text_get(&deep), deep.length, "f.yaml", &document, &err));
	assert_string_equal(err.message, "f.yaml:1:34: nested deeper than 32 levels");
	for (int i = 0; i < 2001; i++)
		text_format(&wide, "k%d: 1\n", i);
	assert_false(yaml_parse(text_get(&wide), wide.length, "f.yaml", &document, &err));
	assert_string_equal(err.message, "f.yaml:2001:1: more than 2000 keys in one map");
	for (int i = 0; i < 1001; i++)
		text_format(&anchored, "- &k%d 1\n", i);
	assert_false(yaml_parse(text_get(&anchored), anchored.length, "f.yaml", &document, &err));
	assert_string_equal(err.message, "f.yaml:1001:3: more than 1000 anchors");
}

static void typed_reads_take_what_is_right(void **unused)
{
	AUTO(yaml_free)
	struct yaml_document *document =
	    parse("s: text\nn: 1.20\ni: -5\nb: True\nd: 1h30m\nq: '5'\n");
	const struct yaml_node *map = document->root;
	AUTO(free) char *copy = NULL;
	AUTO(free) char *otherwise = NULL;
	char *none = NULL;
	const char *text;
	int64_t number;
	bool truth;
	struct error err;

	(void)unused;
	assert_true(yaml_read_string(document, map, "s", &text, &err));
	assert_string_equal(text, "text");
	assert_true(yaml_read_string(document, map, "n", &text, &err));
	assert_string_equal(text, "1.20");
	assert_true(yaml_read_int64(document, map, "i", &number, &err));
	assert_int_equal(number, -5);
	assert_true(yaml_read_bool(document, map, "b", &truth, &err));
	assert_true(truth);
	assert_true(yaml_read_duration_ms(document, map, "d", &number, &err));
	assert_int_equal(number, 5400000);
	assert_true(yaml_copy_string(document, map, "s", NULL, &copy, &err));
	assert_string_equal(copy, "text");
	assert_true(yaml_copy_string(document, map, "none", "else", &otherwise, &err));
	assert_string_equal(otherwise, "else");
	assert_true(yaml_copy_string(document, map, "none", NULL, &none, &err));
	assert_null(none);
}

static void typed_reads_refuse_the_rest_by_name_and_place(void **unused)
{
	AUTO(yaml_free)
	struct yaml_document *document =
	    parse("m: {}\nz: ~\nq: '5'\ni: 99999999999999999999\nb: yes\nd: 90\nx: 0x\n");
	const struct yaml_node *map = document->root;
	const char *text = "untouched";
	int64_t number = 7;
	bool truth = true;
	struct error err;

	(void)unused;
	assert_false(yaml_read_string(document, map, "none", &text, &err));
	assert_string_equal(err.message, "f.yaml:1:1: \"none\" is missing");
	assert_string_equal(err.slug, "yaml_invalid");
	assert_false(yaml_read_string(document, map, "m", &text, &err));
	assert_string_equal(err.message, "f.yaml:1:4: \"m\" must be text (got a map)");
	assert_false(yaml_read_string(document, map, "z", &text, &err));
	assert_string_equal(err.message, "f.yaml:2:4: \"z\" must be text (got nothing)");
	assert_false(yaml_read_int64(document, map, "q", &number, &err));
	assert_string_equal(err.message, "f.yaml:3:4: \"q\" must be a whole number (got \"5\")");
	assert_false(yaml_read_int64(document, map, "i", &number, &err));
	assert_false(yaml_read_int64(document, map, "x", &number, &err));
	assert_false(yaml_read_bool(document, map, "b", &truth, &err));
	assert_string_equal(err.message, "f.yaml:5:4: \"b\" must be true or false (got \"yes\")");
	assert_false(yaml_read_duration_ms(document, map, "d", &number, &err));
	assert_non_null(strstr(err.message, "f.yaml:6:4: d \"90\" is not a duration"));
	assert_string_equal(text, "untouched");
	assert_int_equal(number, 7);
	assert_true(truth);
}

static void an_unknown_key_is_named_with_the_nearest_known_one(void **unused)
{
	static const char *const known[] = { "image", "command", NULL };
	AUTO(yaml_free) struct yaml_document *document = parse("image: x\n\"imagge\": y\n");
	AUTO(yaml_free) struct yaml_document *far = parse("zebra: y\n");
	AUTO(yaml_free) struct yaml_document *list = parse("[]");
	AUTO(yaml_free) struct yaml_document *fine = parse("command: x\n");
	struct error err;

	(void)unused;
	assert_false(yaml_only_keys(document, document->root, known, &err));
	assert_string_equal(err.message, "f.yaml:2:1: unknown key \"imagge\"");
	assert_string_equal(err.hint, "did you mean \"image\"?");
	assert_false(yaml_only_keys(far, far->root, known, &err));
	assert_string_equal(err.hint, "known: image, command");
	assert_false(yaml_only_keys(list, list->root, known, &err));
	assert_string_equal(err.message, "f.yaml:1:1: must be a map (got a list)");
	assert_true(yaml_only_keys(fine, fine->root, known, &err));
}

static void a_file_is_read_up_to_its_bound(void **unused)
{
	char path[] = "/tmp/test-yaml-XXXXXX";
	AUTO(close) int fd = mkstemp(path);
	AUTO(yaml_free) struct yaml_document *document = NULL;
	struct yaml_document *none = NULL;
	struct error err;

	(void)unused;
	assert_int_equal(write(fd, "a: 1\n", 5), 5);
	assert_true(yaml_read_file(path, 5, &document, &err));
	assert_string_equal(document->file, path);
	assert_false(yaml_read_file(path, 4, &none, &err));
	assert_int_equal(err.code, ERR_LIMIT);
	unlink(path);
	assert_false(yaml_read_file(path, 5, &none, &err));
	assert_int_equal(err.code, ERR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_scalars_follow_the_core_schema),
		cmocka_unit_test(lists_and_maps_keep_their_order),
		cmocka_unit_test(anchors_and_merge_keys_are_resolved),
		cmocka_unit_test(every_node_knows_where_it_stands),
		cmocka_unit_test(malformed_text_is_refused_with_its_place),
		cmocka_unit_test(aliases_are_counted_written_out),
		cmocka_unit_test(depth_keys_and_anchors_are_bounded),
		cmocka_unit_test(typed_reads_take_what_is_right),
		cmocka_unit_test(typed_reads_refuse_the_rest_by_name_and_place),
		cmocka_unit_test(an_unknown_key_is_named_with_the_nearest_known_one),
		cmocka_unit_test(a_file_is_read_up_to_its_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
