#include "cli/output_document.h"

#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#include "base/yaml_read.h"
#include "cli/exit_status.h"
#include "cli/output_table.h"

static const char *const headers[] = { "NAME", "STATE", "MESSAGE", NULL };

/* What the table looks like on a terminal of `width` columns (0: a pipe). */
static char *print(size_t width, bool has_colour, bool has_headers)
{
	AUTO(table_free) struct table *table = table_new(headers);
	char *bytes = NULL;
	size_t length;
	FILE *stream = open_memstream(&bytes, &length);
	struct terminal terminal = { .stream = stream,
				     .is_terminal = width != 0,
				     .has_colour = has_colour,
				     .width = width };

	table_add_row(table, (const char *const[]){ "pr-812", "ready", NULL });
	table_add_row(table, (const char *const[]){ "a", "provisioning",
						    "waiting for the größte database of all" });
	table_set_tone(table, 1, TONE_WARNING);
	table_print(table, &terminal, has_headers);
	fclose(stream);
	return bytes;
}

static void a_pipe_gets_every_column_whole(void **unused)
{
	AUTO(free) char *text = print(0, false, true);

	(void)unused;
	assert_string_equal(text, "NAME    STATE         MESSAGE\n"
				  "pr-812  ready         -\n"
				  "a       provisioning  waiting for the größte database of all\n");
}

static void headers_can_be_left_out(void **unused)
{
	AUTO(free) char *text = print(0, false, false);

	(void)unused;
	assert_null(strstr(text, "NAME"));
	assert_true(text_starts_with(text, "pr-812  ready"));
}

static void a_narrow_terminal_gets_lines_that_fit(void **unused)
{
	static const size_t widths[] = { 40, 46, 58 };

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(widths); i++) {
		AUTO(free) char *text = print(widths[i], true, true);

		assert_non_null(strstr(text, "..."));
		for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
			assert_true(text_columns(line) <= widths[i]);
			assert_true(text_is_utf8(line, strlen(line)));
		}
	}
}

static void colour_takes_no_room(void **unused)
{
	AUTO(free) char *plain = print(100, false, true);
	AUTO(free) char *coloured = print(100, true, true);

	(void)unused;
	assert_null(strstr(plain, "\033"));
	assert_non_null(strstr(coloured, "\033[33mprovisioning\033[0m"));
	assert_int_equal(text_columns(plain), text_columns(coloured));
}

static void yaml_reads_back_as_the_same_document(void **unused)
{
	static const char document[] =
	    "{\"apiVersion\":\"envd/v1\",\"empty\":{},\"none\":[],\"null\":null,\"yes\":true,"
	    "\"text\":[\"true\",\"no\",\"1.20\",\"-\",\"\",\" x\",\"x \",\"a: b\",\"# c\",\"it's\","
	    "\"two\\nlines\",\"größe\",\"~\",\"null\",\"0x10\",\"2026-11-24\",\"a\\\"b\",\"@x\",\"%"
	    "y\"],"
	    "\"nested\":[[1,2],[],{\"a\":[{\"b\":1.5,\"c\":-3}],\"d e\":{}}],\"last\":\"plain "
	    "words\"}";
	AUTO(json_decref) json_t *json = json_loads(document, 0, NULL);
	AUTO(text_release) struct text yaml = TEXT_EMPTY;
	AUTO(yaml_free) struct yaml_document *read = NULL;
	AUTO(json_decref) json_t *again = NULL;
	struct error err;

	(void)unused;
	assert_non_null(json);
	output_yaml(json, &yaml);
	if (!yaml_parse(text_get(&yaml), yaml.length, "output", &read, &err))
		fail_msg("%s\n%s", err.message, text_get(&yaml));
	again = yaml_to_json(read->root);
	if (!json_equal(json, again)) {
		AUTO(free) char *got = json_dumps(again, 0);

		fail_msg("%s\nbecame %s", text_get(&yaml), got);
	}
}

static void every_error_code_has_its_exit_status(void **unused)
{
	static const struct {
		enum error_code code;
		const char *slug;
		enum exit_status status;
	} cases[] = {
		{ ERR_INVALID, "option_value", EXIT_USAGE },
		{ ERR_STRANGER, "stranger", EXIT_NOT_ALLOWED },
		{ ERR_DENIED, "denied", EXIT_NOT_ALLOWED },
		{ ERR_NOT_FOUND, "template_not_found", EXIT_NOT_FOUND },
		{ ERR_CONFLICT, "name_taken", EXIT_OTHER },
		{ ERR_GONE, "environment_ended", EXIT_CANCELLED },
		{ ERR_LIMIT, "quota", EXIT_REFUSED },
		{ ERR_UNAVAILABLE, "busy", EXIT_UNREACHABLE },
		{ ERR_TIMEOUT, "timed_out", EXIT_TIMED_OUT },
		{ ERR_INTERNAL, "internal", EXIT_INTERNAL },
		{ ERR_EXTERNAL, "environment_failed", EXIT_BUILD_FAILED },
		{ ERR_EXTERNAL, "check_failed", EXIT_CHECK_FAILED },
		{ ERR_EXTERNAL, "check_inconclusive", EXIT_BUILD_FAILED },
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = { .code = cases[i].code, .slug = cases[i].slug };

		assert_int_equal(exit_status_for(&err), cases[i].status);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pipe_gets_every_column_whole),
		cmocka_unit_test(headers_can_be_left_out),
		cmocka_unit_test(a_narrow_terminal_gets_lines_that_fit),
		cmocka_unit_test(colour_takes_no_room),
		cmocka_unit_test(yaml_reads_back_as_the_same_document),
		cmocka_unit_test(every_error_code_has_its_exit_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
