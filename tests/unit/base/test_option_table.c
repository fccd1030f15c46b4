#include "base/option_table.h"

#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

struct values {
	bool is_quiet;
	bool is_help;
	const char *data;
	const char *output;
	struct option_list pins;
	int64_t ttl_ms;
	int64_t users;
};

static const char *const outputs[] = { "table", "json", NULL };

// clang-format off
static const struct option rows[] = {
	{ "data",   'd', OPTION_TEXT,     offsetof(struct values, data),   "DIR",      "TEST_DATA",   "where everything is kept", NULL },
	{ "output", 'o', OPTION_CHOICE,   offsetof(struct values, output), "FORMAT",   NULL,          "how to print it", outputs },
	{ "pin",    0,   OPTION_LIST,     offsetof(struct values, pins),   "C=V",      NULL,          "pin a component", NULL },
	{ "ttl",    0,   OPTION_DURATION, offsetof(struct values, ttl_ms), "DURATION", "TEST_TTL",    "how long", NULL },
	{ "users",  'u', OPTION_INTEGER,  offsetof(struct values, users),  "N",        NULL,          "how many", NULL },
	{ "quiet",  'q', OPTION_FLAG,     offsetof(struct values, is_quiet), NULL,     "TEST_QUIET",  "say less", NULL },
	{ "help",   'h', OPTION_ENDING,   offsetof(struct values, is_help), NULL,      NULL,          "print this", NULL },
	{ "secret", 0,   OPTION_TEXT,     offsetof(struct values, data),   "X",        NULL,          NULL, NULL },
	OPTIONS_END,
};
// clang-format on

struct reading {
	struct values values;
	struct option_list arguments;
	struct error err;
};

static struct option_spec spec_for(struct option_group *group, struct values *values)
{
	*group = (struct option_group){ "Options", rows, values };
	return (struct option_spec){
		.program = "tool",
		.synopsis = "NAME [OTHER]",
		.about = "Does things.",
		.groups = group,
		.group_count = 1,
		.arguments_min = 1,
		.arguments_max = 2,
	};
}

/* `words` ends with NULL. */
static bool parse(struct reading *reading, const char *const *words)
{
	struct option_group group;
	struct option_spec spec = spec_for(&group, &reading->values);
	char *argv[16] = { NULL };
	int argc = 0;

	argv[argc++] = xstrdup("tool");
	for (; *words; words++)
		argv[argc++] = (char *)(uintptr_t)*words;
	bool parsed = options_parse(&spec, argc, argv, &reading->arguments, &reading->err);

	free(argv[0]);
	return parsed;
}

#define PARSE(reading, ...) parse(reading, (const char *const[]){ __VA_ARGS__, NULL })

static void release(struct reading *reading)
{
	option_list_release(&reading->arguments);
	option_list_release(&reading->values.pins);
}

static void every_way_to_write_a_value_is_understood(void **unused)
{
	struct {
		const char *words[4];
	} cases[] = {
		{ { "--data", "x", "n", NULL } }, { { "--data=x", "n", NULL, NULL } },
		{ { "-d", "x", "n", NULL } },     { { "-dx", "n", NULL, NULL } },
		{ { "-d=x", "n", NULL, NULL } },  { { "n", "-qdx", NULL, NULL } },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct reading reading = { 0 };

		assert_true(parse(&reading, cases[i].words));
		assert_string_equal(reading.values.data, "x");
		assert_int_equal(reading.arguments.count, 1);
		assert_string_equal(reading.arguments.items[0], "n");
		release(&reading);
	}
}

static void values_are_read_as_their_kind(void **unused)
{
	struct reading reading = { 0 };

	(void)unused;
	assert_true(PARSE(&reading, "n", "--ttl", "1h30m", "-u", "12", "-qo", "json", "--pin",
			  "a=1", "--pin=b=2"));
	assert_int_equal(reading.values.ttl_ms, 5400000);
	assert_int_equal(reading.values.users, 12);
	assert_true(reading.values.is_quiet);
	assert_string_equal(reading.values.output, "json");
	assert_int_equal(reading.values.pins.count, 2);
	assert_string_equal(reading.values.pins.items[1], "b=2");
	release(&reading);
}

static void two_dashes_end_the_options(void **unused)
{
	struct reading reading = { 0 };

	(void)unused;
	assert_true(PARSE(&reading, "--", "--data", "-q"));
	assert_int_equal(reading.arguments.count, 2);
	assert_string_equal(reading.arguments.items[0], "--data");
	assert_false(reading.values.is_quiet);
	release(&reading);
}

static void bad_lines_are_refused_with_a_slug_and_a_hint(void **unused)
{
	static const struct {
		const char *words[5];
		const char *slug, *message, *hint;
	} cases[] = {
		{ { "n", "--qiet" },
		  "unknown_option",
		  "unknown option --qiet",
		  "did you mean --quiet?" },
		{ { "n", "--frobnicate" },
		  "unknown_option",
		  "unknown option --frobnicate",
		  "tool --help lists the options" },
		{ { "n", "-x" },
		  "unknown_option",
		  "unknown option -x",
		  "tool --help lists the options" },
		{ { "n", "--data" }, "option_value", "--data needs a value", "write --data DIR" },
		{ { "n", "--data", "--quiet" },
		  "option_value",
		  "--data needs a value",
		  "write --data DIR, or with = if the value starts with a dash" },
		{ { "n", "--output", "jsn" },
		  "option_value",
		  "--output is \"jsn\" (expected one of table, json)",
		  "did you mean json?" },
		{ { "n", "--users=-3" },
		  "option_value",
		  "--users is \"-3\" (expected a number)",
		  "" },
		{ { "n", "--ttl", "2 hours" }, "option_value", NULL, "" },
		{ { "n", "--quiet=maybe" },
		  "option_value",
		  "--quiet is \"maybe\" (expected true or false)",
		  "" },
		{ { "-q" },
		  "argument_missing",
		  "tool needs NAME [OTHER]",
		  "tool --help tells more" },
		{ { "a", "b", "c" },
		  "argument_unexpected",
		  "unexpected argument \"c\"",
		  "usage: tool NAME [OTHER]" },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct reading reading = { 0 };

		assert_false(parse(&reading, cases[i].words));
		assert_int_equal(reading.err.code, ERR_INVALID);
		assert_string_equal(reading.err.slug, cases[i].slug);
		if (cases[i].message)
			assert_string_equal(reading.err.message, cases[i].message);
		assert_string_equal(reading.err.hint, cases[i].hint);
		release(&reading);
	}
}

static void a_variable_is_read_only_when_the_option_is_not_given(void **unused)
{
	struct reading given = { 0 }, not_given = { 0 };

	(void)unused;
	setenv("TEST_DATA", "from-variable", 1);
	assert_true(PARSE(&given, "n", "--data", "from-line"));
	assert_string_equal(given.values.data, "from-line");
	assert_true(PARSE(&not_given, "n"));
	assert_string_equal(not_given.values.data, "from-variable");
	unsetenv("TEST_DATA");
	release(&given);
	release(&not_given);
}

static void an_empty_variable_counts_as_unset_and_a_bad_one_is_named(void **unused)
{
	struct reading empty = { 0 }, bad = { 0 };

	(void)unused;
	setenv("TEST_TTL", "", 1);
	assert_true(PARSE(&empty, "n"));
	setenv("TEST_TTL", "soon", 1);
	assert_false(PARSE(&bad, "n"));
	assert_non_null(strstr(bad.err.message, "TEST_TTL"));
	unsetenv("TEST_TTL");
	release(&empty);
	release(&bad);
}

static void help_needs_no_arguments_and_stops_reading(void **unused)
{
	struct reading reading = { 0 };

	(void)unused;
	assert_true(PARSE(&reading, "--help", "--no-such-option"));
	assert_true(reading.values.is_help);
	release(&reading);
}

static void options_end_at_the_command_where_asked(void **unused)
{
	struct values values = { 0 };
	struct option_group group;
	struct option_spec spec = spec_for(&group, &values);
	AUTO(option_list_release) struct option_list arguments = OPTION_LIST_EMPTY;
	char tool[] = "tool", quiet[] = "-q", verb[] = "create", data[] = "--unheard-of";
	char *argv[] = { tool, quiet, verb, data };
	struct error err;

	(void)unused;
	spec.stops_at_argument = true;
	assert_true(options_parse(&spec, 4, argv, &arguments, &err));
	assert_int_equal(arguments.count, 2);
	assert_string_equal(arguments.items[1], "--unheard-of");
}

static void help_lists_every_row_but_the_hidden_one(void **unused)
{
	struct values values = { 0 };
	struct option_group group;
	struct option_spec spec = spec_for(&group, &values);
	AUTO(text_release) struct text help = TEXT_EMPTY;

	(void)unused;
	options_help(&spec, 80, &help);
	assert_non_null(strstr(text_get(&help), "usage: tool NAME [OTHER] [OPTIONS]"));
	assert_non_null(strstr(text_get(&help), "-d, --data DIR"));
	assert_non_null(strstr(text_get(&help), "[$TEST_DATA]"));
	assert_non_null(strstr(text_get(&help), "table|json"));
	assert_null(strstr(text_get(&help), "--secret"));
}

static void help_fits_the_width_it_is_given(void **unused)
{
	static const size_t widths[] = { 40, 60, 80, 120 };
	struct values values = { 0 };
	struct option_group group;
	struct option_spec spec = spec_for(&group, &values);

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(widths); i++) {
		AUTO(text_release) struct text help = TEXT_EMPTY;

		options_help(&spec, widths[i], &help);
		for (const char *at = text_get(&help); *at;) {
			size_t length = strcspn(at, "\n");

			assert_true(length <= widths[i]);
			at += length + (at[length] == '\n');
		}
	}
}

static void a_pair_is_cut_at_the_first_equals_sign(void **unused)
{
	char name[16];
	const char *value;
	struct error err;

	(void)unused;
	assert_true(option_pair("nginx=1.2=x", "--pin", name, sizeof(name), &value, &err));
	assert_string_equal(name, "nginx");
	assert_string_equal(value, "1.2=x");
	assert_false(option_pair("nginx", "--pin", name, sizeof(name), &value, &err));
	assert_string_equal(err.message, "--pin \"nginx\" is not NAME=VALUE");
	assert_false(option_pair("=x", "--pin", name, sizeof(name), &value, &err));
	assert_false(
	    option_pair("a-name-that-is-too-long=x", "--pin", name, sizeof(name), &value, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_way_to_write_a_value_is_understood),
		cmocka_unit_test(values_are_read_as_their_kind),
		cmocka_unit_test(two_dashes_end_the_options),
		cmocka_unit_test(bad_lines_are_refused_with_a_slug_and_a_hint),
		cmocka_unit_test(a_variable_is_read_only_when_the_option_is_not_given),
		cmocka_unit_test(an_empty_variable_counts_as_unset_and_a_bad_one_is_named),
		cmocka_unit_test(help_needs_no_arguments_and_stops_reading),
		cmocka_unit_test(options_end_at_the_command_where_asked),
		cmocka_unit_test(help_lists_every_row_but_the_hidden_one),
		cmocka_unit_test(help_fits_the_width_it_is_given),
		cmocka_unit_test(a_pair_is_cut_at_the_first_equals_sign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
