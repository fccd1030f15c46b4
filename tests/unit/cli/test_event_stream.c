#include "cli/event_stream.h"

#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

struct heard {
	struct text words;
	size_t stops_after; /* 0: never */
	size_t count;
};

static bool on_event(void *arg, const char *kind, const char *data)
{
	struct heard *heard = arg;

	text_format(&heard->words, "[%s|%s]", kind, data);
	return ++heard->count != heard->stops_after;
}

static struct event_stream stream_to(struct heard *heard)
{
	return (struct event_stream){ .on_event = on_event, .arg = heard };
}

static const char sample[] = ": hello\n\nid: 1\nevent: state\ndata: {\"a\":1}\n\n"
			     "id: 2\r\nevent:layer\r\ndata:one\r\ndata: two\r\n\r\n"
			     "retry: 5\nid: 3\n\ndata: last\n\n";

static void events_come_whole_however_the_bytes_are_cut(void **unused)
{
	(void)unused;
	for (size_t cut = 0; cut < sizeof(sample) - 1; cut++) {
		struct heard heard = { 0 };
		struct event_stream stream = stream_to(&heard);

		assert_true(event_stream_feed(&stream, sample, cut));
		assert_true(event_stream_feed(&stream, sample + cut, sizeof(sample) - 1 - cut));
		assert_string_equal(text_get(&heard.words),
				    "[state|{\"a\":1}][layer|one\ntwo][|last]");
		assert_string_equal(stream.id, "3");
		event_stream_release(&stream);
		text_release(&heard.words);
	}
}

static void the_id_of_an_event_that_was_cut_off_is_not_kept(void **unused)
{
	static const char part[] = "id: 7\ndata: x\n\nid: 8\ndata: half";
	struct heard heard = { 0 };
	struct event_stream stream = stream_to(&heard);

	(void)unused;
	assert_true(event_stream_feed(&stream, part, strlen(part)));
	assert_string_equal(stream.id, "7");
	event_stream_restart(&stream);
	assert_true(event_stream_feed(&stream, "data: y\n\n", 9));
	assert_string_equal(text_get(&heard.words), "[|x][|y]");
	assert_string_equal(stream.id, "7");
	event_stream_release(&stream);
	text_release(&heard.words);
}

static void a_listener_that_has_heard_enough_ends_the_stream(void **unused)
{
	struct heard heard = { .stops_after = 1 };
	struct event_stream stream = stream_to(&heard);

	(void)unused;
	assert_false(event_stream_feed(&stream, sample, sizeof(sample) - 1));
	assert_int_equal(heard.count, 1);
	assert_string_equal(stream.id, "1");
	event_stream_release(&stream);
	text_release(&heard.words);
}

static void a_line_without_end_ends_the_stream(void **unused)
{
	struct heard heard = { 0 };
	struct event_stream stream = stream_to(&heard);
	AUTO(free) char *much = xcalloc(1, STREAM_LINE_MAX);

	(void)unused;
	memset(much, 'x', STREAM_LINE_MAX);
	assert_true(event_stream_feed(&stream, much, STREAM_LINE_MAX));
	assert_false(event_stream_feed(&stream, much, 1));
	event_stream_release(&stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_come_whole_however_the_bytes_are_cut),
		cmocka_unit_test(the_id_of_an_event_that_was_cut_off_is_not_kept),
		cmocka_unit_test(a_listener_that_has_heard_enough_ends_the_stream),
		cmocka_unit_test(a_line_without_end_ends_the_stream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
