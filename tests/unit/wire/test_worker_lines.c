#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/text.h"
#include "wire/worker_lines.h"

/* What was written between start and stop, as one text. */
struct paper {
	int ends[2];
	struct worker_lines *lines;
};

static int open_paper(void **state)
{
	struct paper *paper = xcalloc(1, sizeof(*paper));

	assert_int_equal(pipe2(paper->ends, O_CLOEXEC), 0);
	paper->lines = worker_lines_new(paper->ends[1]);
	*state = paper;
	return 0;
}

static int close_paper(void **state)
{
	struct paper *paper = *state;

	worker_lines_free(paper->lines);
	close(paper->ends[0]);
	close(paper->ends[1]);
	free(paper);
	return 0;
}

static json_t *next_line(struct paper *paper, enum worker_line_type *type)
{
	AUTO(text_release) struct text line = TEXT_EMPTY;
	json_t *object;
	struct error err;
	char c;

	while (read(paper->ends[0], &c, 1) == 1 && c != '\n')
		text_add_char(&line, c);
	if (!worker_line_parse(text_get(&line), line.length, type, &object, &err))
		fail_msg("%s", err.message);
	return object;
}

static void assert_line(struct paper *paper, enum worker_line_type expected, const char *text)
{
	enum worker_line_type type;
	AUTO(json_decref) json_t *object = next_line(paper, &type);
	AUTO(free) char *written = json_to_text(object);

	assert_int_equal(type, expected);
	assert_string_equal(written, text);
}

static void what_is_said_can_be_read(void **state)
{
	struct paper *paper = *state;
	AUTO(json_decref) json_t *data = json_pack("{s:i}", "n", 1);
	struct error err;

	worker_say_hello(paper->lines, "create");
	worker_say_progress(paper->lines, "%d of %d", 1, 2);
	worker_say_layer(paper->lines, "ingress", "ready", 12, NULL);
	worker_say_resource(paper->lines, "container", "abc", "name", "ingress");
	worker_say_log(paper->lines, "warn", "two\nlines and a \"quote\"");
	worker_say_check(paper->lines, "login", "app", "passed", NULL);
	error_set_as(&err, ERR_TIMEOUT, "too_slow", "took too long");
	error_hint(&err, "be quicker");
	worker_say_result(paper->lines, &err, data);

	assert_line(paper, WORKER_HELLO,
		    "{\"type\":\"hello\",\"protocol\":1,\"task\":\"create\",\"program\":"
		    "\"envd " ENVD_VERSION "\"}");
	assert_line(paper, WORKER_PROGRESS, "{\"type\":\"progress\",\"message\":\"1 of 2\"}");
	assert_line(
	    paper, WORKER_LAYER,
	    "{\"type\":\"layer\",\"name\":\"ingress\",\"state\":\"ready\",\"elapsed_ms\":12}");
	assert_line(
	    paper, WORKER_RESOURCE,
	    "{\"type\":\"resource\",\"kind\":\"container\",\"id\":\"abc\",\"name\":\"name\","
	    "\"service\":\"ingress\"}");
	assert_line(paper, WORKER_LOG,
		    "{\"type\":\"log\",\"level\":\"warn\",\"message\":\"two\\nlines and a "
		    "\\\"quote\\\"\"}");
	assert_line(
	    paper, WORKER_CHECK,
	    "{\"type\":\"check\",\"name\":\"login\",\"stage\":\"app\",\"status\":\"passed\"}");
	assert_line(paper, WORKER_RESULT,
		    "{\"type\":\"result\",\"ok\":false,\"error\":{\"code\":\"timeout\",\"slug\":"
		    "\"too_slow\","
		    "\"message\":\"took too long\",\"hint\":\"be quicker\"},\"data\":{\"n\":1}}");
}

static void bytes_that_are_no_utf8_are_said_all_the_same(void **state)
{
	struct paper *paper = *state;

	worker_say_log(paper->lines, "info", "caf\xe9 \xff");
	assert_line(paper, WORKER_LOG,
		    "{\"type\":\"log\",\"level\":\"info\",\"message\":\"caf? ?\"}");
}

static void an_error_survives_the_way_through_a_line(void **state)
{
	struct paper *paper = *state;
	struct error sent, received;
	enum worker_line_type type;

	error_set_as(&sent, ERR_CONFLICT, "template_changed", "it was changed");
	error_hint(&sent, "ask again");
	worker_say_result(paper->lines, &sent, NULL);
	AUTO(json_decref) json_t *line = next_line(paper, &type);
	assert_true(worker_result_error(line, &received));
	assert_int_equal(received.code, ERR_CONFLICT);
	assert_string_equal(received.slug, "template_changed");
	assert_string_equal(received.message, "it was changed");
	assert_string_equal(received.hint, "ask again");
}

static void a_result_file_tells_its_error(void **state)
{
	AUTO(json_decref)
	json_t *silent = json_pack("{s:s, s:b, s:n, s:s}", "outcome", "silent", "ok", 0, "result",
				   "message", "said nothing for 5s");
	AUTO(json_decref)
	json_t *failed =
	    json_pack("{s:s, s:b, s:{s:s, s:b, s:{s:s, s:s, s:s}}, s:s}", "outcome", "failed", "ok",
		      0, "result", "type", "result", "ok", 0, "error", "code", "not_found", "slug",
		      "image_missing", "message", "no such image", "message", "no such image");
	AUTO(json_decref) json_t *good = json_pack("{s:s, s:b}", "outcome", "completed", "ok", 1);
	struct error err;

	(void)state;
	assert_true(worker_result_error(silent, &err));
	assert_int_equal(err.code, ERR_TIMEOUT);
	assert_string_equal(err.slug, "job_silent");
	assert_string_equal(err.message, "said nothing for 5s");
	assert_true(worker_result_error(failed, &err));
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_string_equal(err.slug, "image_missing");
	assert_false(worker_result_error(good, &err));
}

static void lines_that_are_none_are_refused_with_a_reason(void **state)
{
	static const struct {
		const char *line;
		const char *why;
	} cases[] = {
		{ "", "" },
		{ "hello", "" },
		{ "[]", "not a JSON object" },
		{ "{}", "type" },
		{ "{\"type\":7}", "type" },
		{ "{\"type\":\"hello\"}", "protocol" },
		{ "{\"type\":\"hello\",\"protocol\":2}", "speaks protocol 2, expected 1" },
		{ "{\"type\":\"progress\"}", "message" },
		{ "{\"type\":\"layer\",\"name\":\"a\"}", "state" },
		{ "{\"type\":\"resource\",\"kind\":\"a\"}", "id" },
		{ "{\"type\":\"log\",\"level\":\"info\",\"message\":1}", "message" },
		{ "{\"type\":\"check\",\"name\":\"a\"}", "status" },
		{ "{\"type\":\"result\"}", "ok" },
		{ "{\"type\":\"result\",\"ok\":\"yes\"}", "ok" },
		{ "{\"type\":\"result\",\"ok\":true} trailing", "" },
		{ "{\"type\":\"result\",\"ok\":true,\"ok\":false}", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		enum worker_line_type type;
		json_t *object;
		struct error err;

		assert_false(
		    worker_line_parse(cases[i].line, strlen(cases[i].line), &type, &object, &err));
		assert_string_equal(err.slug, "worker_protocol");
		if (!strstr(err.message, cases[i].why))
			fail_msg("%s: %s", cases[i].line, err.message);
	}
}

static void a_type_that_is_not_known_is_no_error(void **state)
{
	static const char line[] = "{\"type\":\"line\",\"text\":\"x\"}";
	AUTO(json_decref) json_t *object = NULL;
	enum worker_line_type type;
	struct error err;

	(void)state;
	assert_true(worker_line_parse(line, strlen(line), &type, &object, &err));
	assert_int_equal(type, WORKER_OTHER);
}

static void a_dialogue_is_hello_anything_result_and_silence(void **state)
{
	static const struct {
		enum worker_line_type types[4];
		size_t count;
		const char *why; /* NULL: all of them are accepted */
	} cases[] = {
		{ { WORKER_HELLO, WORKER_PROGRESS, WORKER_OTHER, WORKER_RESULT }, 4, NULL },
		{ { WORKER_HELLO, WORKER_RESULT }, 2, NULL },
		{ { WORKER_PROGRESS }, 1, "did not say hello first" },
		{ { WORKER_RESULT }, 1, "did not say hello first" },
		{ { WORKER_HELLO, WORKER_HELLO }, 2, "said hello twice" },
		{ { WORKER_HELLO, WORKER_RESULT, WORKER_RESULT }, 3, "gave two results" },
		{ { WORKER_HELLO, WORKER_RESULT, WORKER_LOG }, 3, "went on after its result" },
		{ { WORKER_HELLO, WORKER_RESULT, WORKER_HELLO }, 3, "went on after its result" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct worker_dialogue dialogue = { false, false };
		struct error err;

		for (size_t j = 0; j < cases[i].count; j++) {
			bool is_last = j + 1 == cases[i].count;
			bool accepted = worker_dialogue_accept(&dialogue, cases[i].types[j], &err);

			assert_int_equal(accepted, !is_last || !cases[i].why);
		}
		if (cases[i].why)
			assert_string_equal(err.message, cases[i].why);
	}
}

static void nobody_to_listen_ends_the_speaker(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	if (pid == 0) {
		int ends[2];

		if (pipe(ends) != 0)
			_exit(7);
		close(ends[0]);
		worker_say_progress(worker_lines_new(ends[1]), "is anybody there");
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_said_can_be_read, open_paper, close_paper),
		cmocka_unit_test_setup_teardown(bytes_that_are_no_utf8_are_said_all_the_same,
						open_paper, close_paper),
		cmocka_unit_test_setup_teardown(an_error_survives_the_way_through_a_line,
						open_paper, close_paper),
		cmocka_unit_test(a_result_file_tells_its_error),
		cmocka_unit_test(lines_that_are_none_are_refused_with_a_reason),
		cmocka_unit_test(a_type_that_is_not_known_is_no_error),
		cmocka_unit_test(a_dialogue_is_hello_anything_result_and_silence),
		cmocka_unit_test(nobody_to_listen_ends_the_speaker),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
