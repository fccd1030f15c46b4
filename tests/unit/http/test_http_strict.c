#include "http/http_strict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct http_limits limits = {
	.target_bytes_max = 64,
	.header_bytes_max = 512,
	.header_count_max = 8,
	.body_bytes_max = 100,
};

#define GET "GET / HTTP/1.1\r\nHost: h\r\n"
#define POST "POST / HTTP/1.1\r\nHost: h\r\n"
#define BYTES(literal) literal, sizeof(literal) - 1
#define TARGET(target) "GET " target " HTTP/1.1\r\nHost: h\r\n\r\n"

struct judged {
	const char *name;
	const char *bytes;
	size_t length;
	int status; /* 0: accepted */
	const char *slug;
};

// clang-format off
static const struct judged cases[] = {
	{ "a plain GET", BYTES(GET "\r\n"), 0, NULL },
	{ "HTTP/1.0", BYTES("GET / HTTP/1.0\r\nHost: h\r\n\r\n"), 0, NULL },
	{ "a body", BYTES(POST "Content-Length: 5\r\n\r\nhello"), 0, NULL },
	{ "a POST without a body", BYTES(POST "\r\n"), 0, NULL },
	{ "a body of nothing", BYTES(POST "Content-Length: 0\r\n\r\n"), 0, NULL },
	{ "any bytes in a body", BYTES(POST "Content-Length: 4\r\n\r\n\0\r\n\x7f"), 0, NULL },
	{ "blanks around a value", BYTES(GET "Accept: \t a b \t\r\n\r\n"), 0, NULL },
	{ "an empty value", BYTES(GET "Accept:\r\n\r\n"), 0, NULL },
	{ "UTF-8 in a value", BYTES(GET "User-Agent: caf\xc3\xa9\r\n\r\n"), 0, NULL },
	{ "two of a header that may repeat", BYTES(GET "Accept: a\r\nAccept: b\r\n\r\n"), 0, NULL },
	{ "100-continue", BYTES(POST "Expect: 100-continue\r\nContent-Length: 1\r\n\r\nx"), 0, NULL },
	{ "a query", BYTES(TARGET("/a?b=c&d=%20+")), 0, NULL },
	{ "an encoded space", BYTES(TARGET("/a%20b")), 0, NULL },
	{ "dots inside a segment", BYTES(TARGET("/a..b/...c/.d")), 0, NULL },
	{ "a percent sign that was encoded twice", BYTES(TARGET("/%252e%252e/x")), 0, NULL },

	{ "length and Transfer-Encoding", BYTES(POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"), 411, "length_required" },
	{ "Transfer-Encoding alone", BYTES(POST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 411, "length_required" },
	{ "Transfer-Encoding: gzip, chunked", BYTES(POST "Transfer-Encoding: gzip, chunked\r\n\r\n"), 411, "length_required" },
	{ "Transfer-Encoding: identity", BYTES(POST "transfer-encoding:identity\r\n\r\n"), 411, "length_required" },
	{ "Transfer-Encoding in HTTP/1.0", BYTES("POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"), 411, "length_required" },
	{ "two lengths", BYTES(POST "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"), 400, "header_repeated" },
	{ "the same length twice", BYTES(POST "Content-Length: 5\r\ncontent-length: 5\r\n\r\nhello"), 400, "header_repeated" },
	{ "a list of lengths", BYTES(POST "Content-Length: 5, 5\r\n\r\nhello"), 400, "content_length_invalid" },
	{ "a length with a sign", BYTES(POST "Content-Length: +5\r\n\r\nhello"), 400, "content_length_invalid" },
	{ "a negative length", BYTES(POST "Content-Length: -5\r\n\r\nhello"), 400, "content_length_invalid" },
	{ "a hexadecimal length", BYTES(POST "Content-Length: 0x5\r\n\r\nhello"), 400, "content_length_invalid" },
	{ "no length at all", BYTES(POST "Content-Length:\r\n\r\n"), 400, "content_length_invalid" },
	{ "a length that overflows", BYTES(POST "Content-Length: 99999999999999999999\r\n\r\n"), 400, "content_length_invalid" },
	{ "a length over the limit", BYTES(POST "Content-Length: 101\r\n\r\n"), 413, "body_too_large" },
	{ "a blank before the colon", BYTES(POST "Content-Length : 5\r\n\r\nhello"), 400, "header_malformed" },
	{ "an empty header name", BYTES(GET ": v\r\n\r\n"), 400, "header_malformed" },
	{ "a blank in a header name", BYTES(GET "X Y: v\r\n\r\n"), 400, "header_malformed" },
	{ "a header without a colon", BYTES(GET "Accept\r\n\r\n"), 400, "header_malformed" },
	{ "a bare line feed after the request line", BYTES("GET / HTTP/1.1\nHost: h\r\n\r\n"), 400, "line_end_invalid" },
	{ "a bare line feed after a header", BYTES("GET / HTTP/1.1\r\nHost: h\n\r\n"), 400, "line_end_invalid" },
	{ "a bare line feed at the end", BYTES(GET "\n"), 400, "line_end_invalid" },
	{ "a bare carriage return", BYTES(GET "Accept: a\rb\r\n\r\n"), 400, "line_end_invalid" },
	{ "two carriage returns", BYTES(GET "Accept: a\r\r\n\r\n"), 400, "line_end_invalid" },
	{ "a folded header", BYTES(GET "Accept: a\r\n b\r\n\r\n"), 400, "header_folded" },
	{ "a header folded by a tab", BYTES(GET "Accept: a\r\n\tb\r\n\r\n"), 400, "header_folded" },
	{ "a blank before the first header", BYTES("GET / HTTP/1.1\r\n Host: h\r\n\r\n"), 400, "header_folded" },
	{ "NUL in a value", BYTES(GET "Accept: a\0b\r\n\r\n"), 400, "control_character" },
	{ "NUL in the target", BYTES("GET /a\0b HTTP/1.1\r\nHost: h\r\n\r\n"), 400, "control_character" },
	{ "DEL in a value", BYTES(GET "Accept: \x7f\r\n\r\n"), 400, "control_character" },
	{ "a TLS hello", BYTES("\x16\x03\x01\x02\x00"), 400, "control_character" },
	{ "no Host", BYTES("GET / HTTP/1.1\r\n\r\n"), 400, "host_missing" },
	{ "no Host in HTTP/1.0", BYTES("GET / HTTP/1.0\r\n\r\n"), 400, "host_missing" },
	{ "two Hosts", BYTES(GET "Host: i\r\n\r\n"), 400, "header_repeated" },
	{ "an empty Host", BYTES("GET / HTTP/1.1\r\nHost:\r\n\r\n"), 400, "host_invalid" },
	{ "a Host with a path", BYTES("GET / HTTP/1.1\r\nHost: h/x\r\n\r\n"), 400, "host_invalid" },
	{ "two keys", BYTES(POST "Idempotency-Key: a\r\nIdempotency-Key: b\r\n\r\n"), 400, "header_repeated" },
	{ "%00", BYTES(TARGET("/a%00b")), 400, "target_invalid" },
	{ "%00 in a query", BYTES(TARGET("/a?b=%00")), 400, "target_invalid" },
	{ "an encoded line feed", BYTES(TARGET("/a%0ab")), 400, "target_invalid" },
	{ "an encoded C1 control character", BYTES(TARGET("/a%c2%9bb")), 400, "target_invalid" },
	{ "encoded dot segments", BYTES(TARGET("/x/%2e%2e/etc")), 400, "target_invalid" },
	{ "half encoded dot segments", BYTES(TARGET("/x/.%2E/etc")), 400, "target_invalid" },
	{ "dot segments", BYTES(TARGET("/x/../etc")), 400, "target_invalid" },
	{ "a dot segment at the end", BYTES(TARGET("/x/.")), 400, "target_invalid" },
	{ "an encoded slash", BYTES(TARGET("/x%2fy")), 400, "target_invalid" },
	{ "two slashes", BYTES(TARGET("//x")), 400, "target_invalid" },
	{ "two slashes in the middle", BYTES(TARGET("/x//y")), 400, "target_invalid" },
	{ "a broken percent-encoding", BYTES(TARGET("/x%2")), 400, "target_invalid" },
	{ "a percent sign alone", BYTES(TARGET("/%zz")), 400, "target_invalid" },
	{ "bytes that are no UTF-8", BYTES(TARGET("/%ff%fe")), 400, "target_invalid" },
	{ "raw bytes over 127", BYTES(TARGET("/\xc3\xa9")), 400, "target_invalid" },
	{ "a backslash", BYTES(TARGET("/a\\b")), 400, "target_invalid" },
	{ "a fragment", BYTES(TARGET("/a#b")), 400, "target_invalid" },
	{ "an absolute target", BYTES(TARGET("http://h/")), 400, "target_invalid" },
	{ "an asterisk", BYTES(TARGET("*")), 400, "target_invalid" },
	{ "two blanks", BYTES("GET  / HTTP/1.1\r\nHost: h\r\n\r\n"), 400, "request_malformed" },
	{ "a long target", BYTES(TARGET("/0123456789012345678901234567890123456789012345678901234567890123456789")), 414, "target_too_long" },
	{ "version 1.4294967297", BYTES("GET / HTTP/1.4294967297\r\nHost: h\r\n\r\n"), 505, "version_unsupported" },
	{ "version 2.0", BYTES("PRI * HTTP/2.0\r\n\r\n"), 501, "method_unknown" },
	{ "a blank after the version", BYTES("GET / HTTP/1.1 \r\nHost: h\r\n\r\n"), 505, "version_unsupported" },
	{ "no version", BYTES("GET /\r\n\r\n"), 400, "request_malformed" },
	{ "an empty first line", BYTES("\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"), 400, "request_malformed" },
	{ "HEAD", BYTES("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n"), 0, NULL },
	{ "TRACE", BYTES("TRACE / HTTP/1.1\r\nHost: h\r\n\r\n"), 0, NULL },
	{ "CONNECT", BYTES("CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n"), 501, "method_unknown" },
	{ "a method in small letters", BYTES("get / HTTP/1.1\r\nHost: h\r\n\r\n"), 501, "method_unknown" },
	{ "a method that is no token", BYTES("G(T / HTTP/1.1\r\nHost: h\r\n\r\n"), 400, "request_malformed" },
	{ "a body with GET", BYTES(GET "Content-Length: 1\r\n\r\nx"), 400, "body_not_allowed" },
	{ "a compressed body", BYTES(POST "Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx"), 415, "content_encoding_unsupported" },
	{ "another expectation", BYTES(POST "Expect: a miracle\r\n\r\n"), 417, "expectation_failed" },
	{ "a second request", BYTES(GET "\r\nGET /x HTTP/1.1\r\n"), 400, "request_pipelined" },
	{ "a line end too many", BYTES(GET "\r\n\r\n"), 400, "request_pipelined" },
	{ "a byte more than the length", BYTES(POST "Content-Length: 2\r\n\r\nabc"), 400, "request_pipelined" },
	{ "too many headers", BYTES(GET "a:\r\nb:\r\nc:\r\nd:\r\ne:\r\nf:\r\ng:\r\nh:\r\n\r\n"), 431, "too_many_headers" },
};
// clang-format on

static void assert_judged(const struct judged *judged, const struct http_strict *strict,
			  enum http_verdict verdict)
{
	if (!judged->status && verdict == HTTP_COMPLETE)
		return;
	if (judged->status && verdict == HTTP_REFUSED && strict->refusal_status == judged->status &&
	    strcmp(strict->refusal.slug, judged->slug) == 0)
		return;
	fail_msg("%s: wanted %d %s, got verdict %d, %d %s", judged->name, judged->status,
		 judged->slug ? judged->slug : "", verdict, strict->refusal_status,
		 verdict == HTTP_REFUSED ? strict->refusal.slug : "");
}

static void every_request_is_judged_as_the_table_says(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct http_strict strict;

		http_strict_init(&strict, &limits);
		assert_judged(&cases[i], &strict,
			      http_strict_feed(&strict, cases[i].bytes, cases[i].length));
		http_strict_release(&strict);
	}
}

static void it_does_not_matter_where_a_request_is_cut(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		for (size_t cut = 0; cut <= cases[i].length; cut++) {
			struct http_strict strict;

			http_strict_init(&strict, &limits);
			(void)http_strict_feed(&strict, cases[i].bytes, cut);
			assert_judged(
			    &cases[i], &strict,
			    http_strict_feed(&strict, cases[i].bytes + cut, cases[i].length - cut));
			http_strict_release(&strict);
		}
	}
}

static void a_request_is_complete_with_its_last_byte_and_not_before(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(cases) && !cases[i].status; i++) {
		for (size_t cut = 0; cut < cases[i].length; cut++) {
			struct http_strict strict;

			http_strict_init(&strict, &limits);
			assert_int_equal(http_strict_feed(&strict, cases[i].bytes, cut), HTTP_MORE);
			http_strict_release(&strict);
		}
	}
}

static void a_refusal_is_for_ever(void **unused)
{
	struct http_strict strict;

	(void)unused;
	http_strict_init(&strict, &limits);
	assert_int_equal(http_strict_feed(&strict, "\n", 1), HTTP_REFUSED);
	assert_int_equal(http_strict_feed(&strict, GET "\r\n", strlen(GET "\r\n")), HTTP_REFUSED);
	assert_string_equal(strict.refusal.slug, "line_end_invalid");
	http_strict_release(&strict);
}

static void headers_that_never_end_are_refused_at_the_limit(void **unused)
{
	struct http_strict strict;
	size_t fed = 0;

	(void)unused;
	http_strict_init(&strict, &limits);
	assert_int_equal(http_strict_feed(&strict, GET "X: ", strlen(GET "X: ")), HTTP_MORE);
	while (http_strict_feed(&strict, "a", 1) == HTTP_MORE)
		assert_true(++fed < limits.header_bytes_max);
	assert_int_equal(strict.refusal_status, 431);
	assert_true(strict.line.length <= limits.header_bytes_max);
	http_strict_release(&strict);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_request_is_judged_as_the_table_says),
		cmocka_unit_test(it_does_not_matter_where_a_request_is_cut),
		cmocka_unit_test(a_request_is_complete_with_its_last_byte_and_not_before),
		cmocka_unit_test(a_refusal_is_for_ever),
		cmocka_unit_test(headers_that_never_end_are_refused_at_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
