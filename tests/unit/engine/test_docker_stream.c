#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/container/docker_stream.h"

/* "1:out|2:err|": what came, in order. */
static void note_line(void *arg, int stream, const char *line, size_t length)
{
	text_format(arg, "%d:%.*s|", stream, (int)length, line);
}

static void add_frame(struct text *bytes, int stream, const char *content)
{
	size_t length = strlen(content);
	const char header[8] = {
		(char)stream,        0,           0, 0, (char)(length >> 24), (char)(length >> 16),
		(char)(length >> 8), (char)length
	};

	text_add_bytes(bytes, header, sizeof(header));
	text_add(bytes, content);
}

static struct text example(void)
{
	struct text bytes = TEXT_EMPTY;

	add_frame(&bytes, DOCKER_STDOUT, "one\ntw");
	add_frame(&bytes, DOCKER_STDERR, "oops\n");
	add_frame(&bytes, DOCKER_STDOUT, "");
	add_frame(&bytes, DOCKER_STDOUT, "o\n\nlast");
	return bytes;
}

static void lines_are_the_same_however_the_bytes_come(void **unused)
{
	struct text bytes = example();

	(void)unused;
	for (size_t step = 1; step <= bytes.length; step++) {
		struct text seen = TEXT_EMPTY;
		struct docker_stream stream = { .on_line = note_line, .arg = &seen };

		for (size_t at = 0; at < bytes.length; at += step)
			docker_stream_feed(&stream, bytes.bytes + at,
					   at + step > bytes.length ? bytes.length - at : step);
		docker_stream_end(&stream);
		assert_string_equal(text_get(&seen), "1:one|2:oops|1:two|1:|1:last|");
		text_release(&seen);
	}
	text_release(&bytes);
}

static void count_line(void *arg, int stream, const char *line, size_t length)
{
	size_t *counts = arg;

	(void)line;
	(void)stream;
	counts[0]++;
	counts[1] = length > counts[1] ? length : counts[1];
}

static void a_line_without_end_comes_in_pieces(void **unused)
{
	AUTO(free) char *content = xcalloc(3 * DOCKER_LINE_BYTES_MAX + 11, 1);
	size_t counts[2] = { 0 };
	struct docker_stream stream = { .on_line = count_line, .arg = counts };
	struct text bytes = TEXT_EMPTY;

	(void)unused;
	memset(content, 'x', 3 * DOCKER_LINE_BYTES_MAX + 10);
	add_frame(&bytes, DOCKER_STDOUT, content);
	docker_stream_feed(&stream, bytes.bytes, bytes.length);
	docker_stream_end(&stream);
	assert_int_equal(counts[0], 4);
	assert_int_equal(counts[1], DOCKER_LINE_BYTES_MAX);
	text_release(&bytes);
}

static void the_text_of_both_streams_is_cut_at_its_bound(void **unused)
{
	struct text bytes = example();
	AUTO(free) char *whole = docker_stream_text(bytes.bytes, bytes.length, 1000);
	AUTO(free) char *cut = docker_stream_text(bytes.bytes, bytes.length, 9);

	(void)unused;
	assert_string_equal(whole, "one\ntwoops\no\n\nlast");
	assert_string_equal(cut, "one\ntwoop");
	text_release(&bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_the_same_however_the_bytes_come),
		cmocka_unit_test(a_line_without_end_comes_in_pieces),
		cmocka_unit_test(the_text_of_both_streams_is_cut_at_its_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
