#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <signal.h>
#include <unistd.h>
#include <cmocka.h>

#include "worker/line_recorder.h"

#define HELLO "{\"type\":\"hello\",\"protocol\":1}\n"
#define PROGRESS "{\"type\":\"progress\",\"message\":\"x\"}\n"
#define RESULT "{\"type\":\"result\",\"ok\":true}\n"

static char *content_of(int fd)
{
	char content[65536];
	ssize_t length = pread(fd, content, sizeof(content) - 1, 0);

	assert_true(length >= 0);
	return xstrndup(content, (size_t)length);
}

static int new_file(void)
{
	int fd = memfd_create("lines", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_APPEND), 0);
	return fd;
}

static void a_good_story_is_written_down_word_by_word(void **state)
{
	static const char story[] = HELLO PROGRESS RESULT;
	struct line_recorder recorder;
	AUTO(close) int fd = new_file();
	AUTO(free) char *content = NULL;

	(void)state;
	line_recorder_init(&recorder, fd, 1000);
	for (size_t i = 0; i < strlen(story); i++)
		line_recorder_feed(&recorder, story + i, 1);
	line_recorder_finish(&recorder);
	content = content_of(fd);
	assert_string_equal(content, story);
	assert_int_equal(recorder.broken, JOB_COMPLETED);
	assert_true(json_get_bool(recorder.result, "ok", false));
	line_recorder_release(&recorder);
}

static void after_the_first_broken_rule_nothing_is_believed(void **state)
{
	static const struct {
		const char *said;
		const char *kept;
		enum job_outcome broken;
		const char *message;
	} cases[] = {
		{ PROGRESS RESULT, "", JOB_PROTOCOL, "did not say hello first" },
		{ HELLO "nonsense\n" RESULT, HELLO, JOB_PROTOCOL, "not a line of a worker" },
		{ HELLO RESULT RESULT, HELLO RESULT, JOB_PROTOCOL, "gave two results" },
		{ HELLO RESULT PROGRESS, HELLO RESULT, JOB_PROTOCOL, "went on after its result" },
		{ HELLO PROGRESS PROGRESS PROGRESS RESULT, HELLO PROGRESS, JOB_FLOODED,
		  "said more than 80 bytes" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct line_recorder recorder;
		AUTO(close) int fd = new_file();
		AUTO(free) char *content = NULL;

		line_recorder_init(&recorder, fd, cases[i].broken == JOB_FLOODED ? 80 : 1000);
		line_recorder_feed(&recorder, cases[i].said, strlen(cases[i].said));
		line_recorder_finish(&recorder);
		content = content_of(fd);
		assert_string_equal(content, cases[i].kept);
		assert_int_equal(recorder.broken, cases[i].broken);
		assert_non_null(strstr(recorder.message, cases[i].message));
		line_recorder_release(&recorder);
	}
}

static void a_line_without_an_end_is_found_out_before_the_end(void **state)
{
	struct line_recorder recorder;
	AUTO(close) int fd = new_file();
	char block[65536];

	(void)state;
	memset(block, 'x', sizeof(block));
	line_recorder_init(&recorder, fd, 64 << 20);
	for (int i = 0; i < 17; i++)
		line_recorder_feed(&recorder, block, sizeof(block));
	assert_int_equal(recorder.broken, JOB_PROTOCOL);
	line_recorder_release(&recorder);
}

/* What a full disk does: the file takes a part of a line, or nothing. */
static void a_line_that_cannot_be_written_is_lost_whole_and_the_result_is_kept(void **state)
{
	struct rlimit before, tight;
	struct line_recorder recorder;
	char path[] = "/tmp/envd-lines-XXXXXX";
	AUTO(close) int fd = mkostemp(path, O_APPEND);
	AUTO(free) char *content = NULL;

	(void)state;
	assert_true(fd >= 0);
	unlink(path);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	tight = before;
	tight.rlim_cur = strlen(HELLO) + 10;
	line_recorder_init(&recorder, fd, 1000);
	line_recorder_feed(&recorder, HELLO, strlen(HELLO));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	line_recorder_feed(&recorder, PROGRESS, strlen(PROGRESS));
	line_recorder_feed(&recorder, RESULT, strlen(RESULT));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	content = content_of(fd);
	assert_string_equal(content, HELLO);
	assert_int_equal(recorder.lines_lost, 2);
	assert_int_equal(recorder.broken, JOB_COMPLETED);
	assert_non_null(recorder.result);
	line_recorder_release(&recorder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_story_is_written_down_word_by_word),
		cmocka_unit_test(after_the_first_broken_rule_nothing_is_believed),
		cmocka_unit_test(a_line_without_an_end_is_found_out_before_the_end),
		cmocka_unit_test(
		    a_line_that_cannot_be_written_is_lost_whole_and_the_result_is_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
