/* Frames arrive whole and in order, however the bytes are cut. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "wire/tunnel_frames.h"

static void take(struct tunnel_reader *reader, struct text *told)
{
	struct tunnel_frame frame;
	struct error err;

	do {
		assert_true(tunnel_reader_next(reader, &frame, &err));
		if (frame.type != TUNNEL_NONE)
			text_format(told, "%c%zu:%.*s ", (char)frame.type, frame.length,
				    (int)frame.length, frame.length ? frame.bytes : "");
	} while (frame.type != TUNNEL_NONE);
}

static void frames_are_the_same_wherever_the_bytes_are_cut(void **unused)
{
	AUTO(text_release) struct text sent = TEXT_EMPTY;

	(void)unused;
	tunnel_frame_add(&sent, TUNNEL_INPUT, "some words", 10);
	tunnel_frame_add(&sent, TUNNEL_ALIVE, NULL, 0);
	tunnel_frame_add(&sent, TUNNEL_SIGNAL, "INT", 3);
	tunnel_frame_add(&sent, TUNNEL_INPUT, NULL, 0);
	for (size_t step = 1; step <= sent.length; step++) {
		struct tunnel_reader reader = { .taken = 0 };
		AUTO(text_release) struct text told = TEXT_EMPTY;

		for (size_t at = 0; at < sent.length; at += step) {
			size_t left = sent.length - at;

			tunnel_reader_feed(&reader, sent.bytes + at, left < step ? left : step);
			take(&reader, &told);
		}
		assert_string_equal(text_get(&told), "i10:some words a0: s3:INT i0: ");
		tunnel_reader_release(&reader);
	}
}

static void what_is_long_becomes_several_frames_of_the_allowed_length(void **unused)
{
	AUTO(text_release) struct text sent = TEXT_EMPTY;
	size_t length = 2 * TUNNEL_FRAME_BYTES_MAX + 5, heard = 0;
	AUTO(free) char *bytes = xcalloc(1, length);
	struct tunnel_reader reader = { .taken = 0 };
	struct tunnel_frame frame;
	struct error err;
	int frames = 0;

	(void)unused;
	for (size_t i = 0; i < length; i++)
		bytes[i] = (char)(i * 31 >> 3);
	tunnel_frame_add(&sent, TUNNEL_OUTPUT, bytes, length);
	tunnel_reader_feed(&reader, sent.bytes, sent.length);
	while (tunnel_reader_next(&reader, &frame, &err) && frame.type != TUNNEL_NONE) {
		assert_true(frame.length <= TUNNEL_FRAME_BYTES_MAX);
		assert_memory_equal(frame.bytes, bytes + heard, frame.length);
		heard += frame.length;
		frames++;
	}
	assert_int_equal(heard, length);
	assert_int_equal(frames, 3);
	tunnel_reader_release(&reader);
}

static void a_frame_that_is_too_long_is_refused_before_it_is_there(void **unused)
{
	static const char head[] = { 'i', 1, 0, 1 };
	struct tunnel_reader reader = { .taken = 0 };
	struct tunnel_frame frame;
	struct error err;

	(void)unused;
	tunnel_reader_feed(&reader, head, sizeof(head));
	assert_false(tunnel_reader_next(&reader, &frame, &err));
	assert_string_equal(err.slug, "tunnel_broken");
	tunnel_reader_release(&reader);
}

static void a_window_has_a_size_or_is_none(void **unused)
{
	static const struct {
		int rows, columns;
		bool is_good;
	} cases[] = { { 24, 80, true }, { 1, 1, true },   { 300, 10000, true },
		      { 0, 80, false }, { 24, 0, false }, { 24, 10001, false } };

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(text_release) struct text sent = TEXT_EMPTY;
		struct tunnel_reader reader = { .taken = 0 };
		struct tunnel_frame frame;
		struct error err;
		int rows = -1, columns = -1;

		tunnel_window_add(&sent, cases[i].rows, cases[i].columns);
		tunnel_reader_feed(&reader, sent.bytes, sent.length);
		assert_true(tunnel_reader_next(&reader, &frame, &err));
		assert_int_equal(tunnel_window_read(&frame, &rows, &columns), cases[i].is_good);
		assert_int_equal(rows, cases[i].rows);
		assert_int_equal(columns, cases[i].columns);
		tunnel_reader_release(&reader);
	}
}

static void what_a_slow_reader_does_not_take_waits_in_order(void **unused)
{
	struct tunnel_queue queue = { .sent = 0 };
	AUTO(text_release) struct text heard = TEXT_EMPTY;
	AUTO(free) char *bytes = xcalloc(1, 1000001);
	char block[7777];
	int ends[2];
	ssize_t got;

	(void)unused;
	for (size_t i = 0; i < 1000000; i++)
		bytes[i] = (char)('a' + i % 26);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	fcntl(ends[1], F_SETFL, O_NONBLOCK);
	text_add(&queue.bytes, bytes);
	while (tunnel_queue_length(&queue) || heard.length < 1000000) {
		assert_true(tunnel_queue_write(&queue, ends[0]));
		while ((got = read(ends[1], block, sizeof(block))) > 0)
			text_add_bytes(&heard, block, (size_t)got);
	}
	assert_string_equal(text_get(&heard), bytes);
	close(ends[1]);
	text_add(&queue.bytes, "more");
	assert_false(tunnel_queue_write(&queue, ends[0]));
	close(ends[0]);
	tunnel_queue_release(&queue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_are_the_same_wherever_the_bytes_are_cut),
		cmocka_unit_test(what_is_long_becomes_several_frames_of_the_allowed_length),
		cmocka_unit_test(a_frame_that_is_too_long_is_refused_before_it_is_there),
		cmocka_unit_test(a_window_has_a_size_or_is_none),
		cmocka_unit_test(what_a_slow_reader_does_not_take_waits_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
