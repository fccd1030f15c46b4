#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "kube/websocket.h"

static void the_example_of_the_standard_is_accepted(void **unused)
{
	(void)unused;
	assert_true(websocket_accepts("dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
	assert_false(websocket_accepts("dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOO="));
}

static void keys_are_sixteen_bytes_and_never_the_same(void **unused)
{
	char a[WEBSOCKET_KEY_SIZE], b[WEBSOCKET_KEY_SIZE];

	(void)unused;
	websocket_key(a);
	websocket_key(b);
	assert_int_equal(strlen(a), 24);
	assert_string_not_equal(a, b);
}

/* As the other side reads it. */
static void assert_frame(size_t length)
{
	AUTO(free) char *bytes = xcalloc(1, length + 1);
	AUTO(text_release) struct text frame = TEXT_EMPTY;
	const unsigned char *at;
	size_t head = length > 0xffff ? 10 : length > 125 ? 4 : 2, said = 0;

	memset(bytes, 'q', length);
	websocket_frame_add(&frame, WEBSOCKET_BINARY, bytes, length);
	at = (const unsigned char *)frame.bytes;
	assert_int_equal(at[0], 0x82);
	assert_true(at[1] & 0x80);
	assert_int_equal(at[1] & 0x7f, head == 2 ? length : head == 4 ? 126 : 127);
	for (size_t i = 2; i < head; i++)
		said = said << 8 | at[i];
	assert_int_equal(head == 2 ? length : said, length);
	assert_int_equal(frame.length, head + 4 + length);
	for (size_t i = 0; i < length; i++)
		assert_int_equal(at[head + 4 + i] ^ at[head + i % 4], 'q');
}

static void what_is_sent_is_masked_and_of_any_length(void **unused)
{
	(void)unused;
	assert_frame(0);
	assert_frame(125);
	assert_frame(126);
	assert_frame(65535);
	assert_frame(65536);
}

static void parts_are_put_together_byte_by_byte_with_a_ping_between(void **unused)
{
	static const char said[] = "\x02\x03"
				   "abc"
				   "\x89\x02"
				   "hi"
				   "\x80\x02"
				   "de"
				   "\x82\x01"
				   "f";
	struct websocket_reader reader = { .taken = 0 };
	struct text heard = TEXT_EMPTY;
	struct error err;

	(void)unused;
	for (size_t i = 0; i + 1 < sizeof(said); i++) {
		struct websocket_message message = { .is_there = true };

		websocket_feed(&reader, said + i, 1);
		while (message.is_there) {
			assert_true(websocket_next(&reader, &message, &err));
			if (message.is_there)
				text_format(&heard, "%d:%.*s ", (int)message.opcode,
					    (int)message.length, message.bytes);
		}
	}
	assert_string_equal(text_get(&heard), "9:hi 2:abcde 2:f ");
	text_release(&heard);
	websocket_reader_release(&reader);
}

static void a_stream_of_frames_does_not_grow_the_buffer(void **unused)
{
	struct websocket_reader reader = { .taken = 0 };
	struct websocket_message message;
	struct error err;
	size_t heard = 0;

	(void)unused;
	/* Blocks that end in the middle of a frame, as they do. */
	for (int i = 0; i < 100000; i++) {
		websocket_feed(&reader, i ? "z\x82\x03xy" : "\x82\x03xy", i ? 5 : 4);
		for (message.is_there = true; message.is_there; heard += message.is_there)
			assert_true(websocket_next(&reader, &message, &err));
	}
	assert_int_equal(heard, 99999);
	assert_true(reader.bytes.length < 16);
	websocket_reader_release(&reader);
}

static void what_breaks_the_rules_is_refused(void **unused)
{
	static const struct {
		const char *bytes;
		size_t length;
	} cases[] = {
		{ "\xc2\x01x", 3 },                                 /* a reserved bit */
		{ "\x82\x81\1\1\1\1x", 7 },                         /* masked by a server */
		{ "\x09\x01x", 3 },                                 /* a ping in parts */
		{ "\x89\x7e\x00\x80", 4 },                          /* a ping too long */
		{ "\x80\x01x", 3 },                                 /* the rest of nothing */
		{ "\x02\x01x\x82\x01y", 6 },                        /* two messages mixed */
		{ "\x82\x7f\x00\x00\x00\x00\x40\x00\x00\x00", 10 }, /* a gibibyte */
		{ "\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff", 10 }, /* and more */
	};

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct websocket_reader reader = { .taken = 0 };
		struct websocket_message message;
		struct error err;

		websocket_feed(&reader, cases[i].bytes, cases[i].length);
		if (websocket_next(&reader, &message, &err))
			fail_msg("case %zu was accepted", i);
		assert_string_equal(err.slug, "websocket_broken");
		websocket_reader_release(&reader);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_example_of_the_standard_is_accepted),
		cmocka_unit_test(keys_are_sixteen_bytes_and_never_the_same),
		cmocka_unit_test(what_is_sent_is_masked_and_of_any_length),
		cmocka_unit_test(parts_are_put_together_byte_by_byte_with_a_ping_between),
		cmocka_unit_test(a_stream_of_frames_does_not_grow_the_buffer),
		cmocka_unit_test(what_breaks_the_rules_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
