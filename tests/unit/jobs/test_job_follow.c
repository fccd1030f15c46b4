#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/files.h"
#include "base/text.h"
#include "jobs/job_follow.h"
#include "wire/job_files.h"

struct reader {
	char folder[64];
	char *path;
	struct loop *loop;
	struct folder_watches *watches;
	struct job_follow *follow;
	struct text heard; /* "message@offset|" */
	int count;
	bool leaves; /* at the first line */
};

static int open_reader(void **state)
{
	struct reader *reader = xcalloc(1, sizeof(*reader));

	strcpy(reader->folder, "/tmp/envd-follow-XXXXXX");
	assert_non_null(mkdtemp(reader->folder));
	reader->path = path_join(reader->folder, JOB_LINES_FILE);
	reader->loop = loop_new();
	reader->watches = folder_watches_new(reader->loop);
	*state = reader;
	return 0;
}

static int close_reader(void **state)
{
	struct reader *reader = *state;
	struct error err;

	job_follow_free(reader->follow);
	folder_watches_free(reader->watches);
	loop_free(reader->loop);
	text_release(&reader->heard);
	assert_true(folder_remove(reader->folder, &err));
	free(reader->path);
	free(reader);
	return 0;
}

static void on_line(void *arg, enum worker_line_type type, const json_t *object,
		    int64_t offset_after)
{
	struct reader *reader = arg;

	(void)type;
	reader->count++;
	text_format(&reader->heard, "%s@%d|", json_get_string(object, "message", "?"),
		    (int)offset_after);
	if (reader->leaves) {
		job_follow_free(reader->follow);
		reader->follow = NULL;
	}
}

static void append(const struct reader *reader, const char *text)
{
	AUTO(close) int fd = open(reader->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void follow_from(struct reader *reader, int64_t offset)
{
	reader->follow =
	    job_follow_new(reader->loop, reader->watches, reader->folder, offset, on_line, reader);
	assert_int_equal(reader->count, 0);
}

static void turn_until(struct reader *reader, int wanted)
{
	while (reader->count < wanted)
		loop_turn(reader->loop);
}

#define LINE(c) "{\"type\":\"progress\",\"message\":\"" c "\"}\n" /* 34 bytes */

static void lines_are_heard_as_they_come_also_in_pieces(void **state)
{
	struct reader *reader = *state;

	/* The file is not there yet. */
	follow_from(reader, 0);
	append(reader, LINE("a") "{\"type\":\"prog");
	turn_until(reader, 1);
	append(reader, "ress\",\"message\":\"b\"}\n");
	turn_until(reader, 2);
	assert_string_equal(text_get(&reader->heard), "a@34|b@68|");
}

static void reading_goes_on_at_the_offset(void **state)
{
	struct reader *reader = *state;

	append(reader, LINE("a") LINE("b") LINE("c"));
	follow_from(reader, 34);
	turn_until(reader, 2);
	assert_string_equal(text_get(&reader->heard), "b@68|c@102|");
}

static void the_end_is_read_at_once_and_half_a_line_is_left(void **state)
{
	struct reader *reader = *state;

	append(reader, LINE("a") LINE("b") "{\"type\"");
	follow_from(reader, 0);
	job_follow_read_to_end(reader->follow);
	assert_string_equal(text_get(&reader->heard), "a@34|b@68|");
}

/* So that a turn does not wait. */
static void wake(void *arg)
{
	(void)arg;
}

static void who_leaves_at_a_line_hears_no_other(void **state)
{
	struct reader *reader = *state;

	reader->leaves = true;
	append(reader, LINE("a") LINE("b"));
	follow_from(reader, 0);
	turn_until(reader, 1);
	loop_defer(reader->loop, wake, NULL);
	loop_turn(reader->loop);
	assert_int_equal(reader->count, 1);
}

#define OPENED(test) cmocka_unit_test_setup_teardown(test, open_reader, close_reader)

int main(void)
{
	const struct CMUnitTest tests[] = {
		OPENED(lines_are_heard_as_they_come_also_in_pieces),
		OPENED(reading_goes_on_at_the_offset),
		OPENED(the_end_is_read_at_once_and_half_a_line_is_left),
		OPENED(who_leaves_at_a_line_hears_no_other),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
