#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "engine/container/dns_message.h"

static void a_question_is_written_as_the_rfc_says(void **unused)
{
	static const unsigned char expected[] = { 0x12, 0x34, 0x01, 0x00, 0, 1,   0,   0,
						  0,    0,    0,    0,    3, 'w', 'e', 'b',
						  2,    'd',  'n',  0,    0, 1,   0,   1 };
	unsigned char bytes[DNS_QUESTION_BYTES_MAX];

	(void)unused;
	assert_int_equal(dns_question("web.dn", 0x1234, bytes), sizeof(expected));
	assert_memory_equal(bytes, expected, sizeof(expected));
}

static void a_name_that_cannot_be_asked_for_is_no_question(void **unused)
{
	unsigned char bytes[DNS_QUESTION_BYTES_MAX];
	char longest[300];

	(void)unused;
	assert_int_equal(dns_question("", 1, bytes), 0);
	assert_int_equal(dns_question("a..b", 1, bytes), 0);
	assert_int_equal(dns_question(".a", 1, bytes), 0);
	memset(longest, 'x', sizeof(longest));
	longest[64] = '\0';
	assert_int_equal(dns_question(longest, 1, bytes), 0);
	longest[64] = 'x';
	for (size_t i = 63; i < sizeof(longest); i += 64)
		longest[i] = '.';
	longest[253] = '\0';
	assert_true(dns_question(longest, 1, bytes) > 253);
	longest[253] = 'x';
	longest[254] = '\0';
	assert_int_equal(dns_question(longest, 1, bytes), 0);
}

static void only_an_answer_to_our_question_is_one(void **unused)
{
	unsigned char known[] = { 0x12, 0x34, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0, 9, 9, 9 };

	(void)unused;
	assert_int_equal(dns_answer(known, sizeof(known), 0x1234), DNS_KNOWN);
	assert_int_equal(dns_answer(known, sizeof(known), 0x1235), DNS_NOT_OURS);
	for (size_t length = 0; length < 12; length++)
		assert_int_equal(dns_answer(known, length, 0x1234), DNS_NOT_OURS);
	known[2] = 0x01; /* a question */
	assert_int_equal(dns_answer(known, sizeof(known), 0x1234), DNS_NOT_OURS);
}

static void no_record_and_every_refusal_mean_unknown(void **unused)
{
	unsigned char answer[] = { 0x12, 0x34, 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0 };

	(void)unused;
	assert_int_equal(dns_answer(answer, sizeof(answer), 0x1234), DNS_UNKNOWN);
	answer[7] = 1;
	for (unsigned char code = 1; code < 16; code++) {
		answer[3] = code;
		assert_int_equal(dns_answer(answer, sizeof(answer), 0x1234), DNS_UNKNOWN);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_question_is_written_as_the_rfc_says),
		cmocka_unit_test(a_name_that_cannot_be_asked_for_is_no_question),
		cmocka_unit_test(only_an_answer_to_our_question_is_one),
		cmocka_unit_test(no_record_and_every_refusal_mean_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
