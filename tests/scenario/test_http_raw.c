/*
 * What a hostile or broken client can send to the real envd over its socket: every answer is the
 * right one, and envd is there afterwards. No container runtime is needed.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <cmocka.h>
#include <linux/sockios.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "tests/support/eventually.h"
#include "tests/support/http_client.h"
#include "tests/support/world.h"

static int start(void **state)
{
	struct world *world;

	setenv("ENVD_TEST_PODMAN", "/nonexistent/podman.sock", 0);
	world = world_new("ENVD_TEST_PODMAN");
	world_write_small_template(world, "small", false);
	world_argument(world, "--no-reaper");
	world_start(world);
	*state = world;
	return 0;
}

static bool is_healthy(void *arg)
{
	struct world *world = arg;

	return kill(world->envd, 0) == 0 &&
	       http_ask(world->socket, "GET", "/healthz", NULL, NULL, NULL) == 200;
}

#define BYTES(literal) literal, sizeof(literal) - 1
#define POST "POST /v1/environments HTTP/1.1\r\nHost: h\r\n"
#define GET "GET /v1/environments HTTP/1.1\r\nHost: h\r\n"

// clang-format off
static const struct {
	const char *what;
	const char *bytes;
	size_t length;
	int status;
	const char *code;
	bool is_whole; /* nothing is wrong with its bytes: what follows it is what is refused */
} cases[] = {
	{ "a good request", BYTES(GET "\r\n"), 200, NULL, true },
	{ "length and Transfer-Encoding", BYTES(POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 411, "length_required", false },
	{ "Transfer-Encoding: gzip, chunked", BYTES(POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), 411, "length_required", false },
	{ "two Transfer-Encodings", BYTES(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 411, "length_required", false },
	{ "Transfer-Encoding in HTTP/1.0", BYTES("POST /v1/environments HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 411, "length_required", false },
	{ "two lengths", BYTES(POST "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"), 400, "header_repeated", false },
	{ "a length with a plus", BYTES(POST "Content-Length: +5\r\n\r\nhello"), 400, "content_length_invalid", false },
	{ "a length with a minus", BYTES(POST "Content-Length: -5\r\n\r\nhello"), 400, "content_length_invalid", false },
	{ "a length in hexadecimal", BYTES(POST "Content-Length: 0x5\r\n\r\nhello"), 400, "content_length_invalid", false },
	{ "a list of lengths", BYTES(POST "Content-Length: 5, 5\r\n\r\nhello"), 400, "content_length_invalid", false },
	{ "a length that overflows", BYTES(POST "Content-Length: 18446744073709551621\r\n\r\nhello"), 400, "content_length_invalid", false },
	{ "an empty length", BYTES(POST "Content-Length:\r\n\r\nhello"), 400, "content_length_invalid", false },
	{ "the same length twice", BYTES(POST "Content-Length: 5\r\ncontent-length: 5\r\n\r\nhello"), 400, "header_repeated", false },
	{ "a blank before the colon", BYTES(POST "Content-Length : 5\r\n\r\nhello"), 400, "header_malformed", false },
	{ "a chunk size of 0x5", BYTES(POST "Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n"), 411, "length_required", false },
	{ "a chunk size of +5", BYTES(POST "Transfer-Encoding: chunked\r\n\r\n+5\r\nhello\r\n0\r\n\r\n"), 411, "length_required", false },
	{ "a chunk size after a blank", BYTES(POST "Transfer-Encoding: chunked\r\n\r\n 5\r\nhello\r\n0\r\n\r\n"), 411, "length_required", false },
	{ "a chunk size with junk", BYTES(POST "Transfer-Encoding: chunked\r\n\r\n5 junk\r\nhello\r\n0\r\n\r\n"), 411, "length_required", false },
	{ "a chunk extension", BYTES(POST "Transfer-Encoding: chunked\r\n\r\n5;ext=1\r\nhello\r\n0\r\n\r\n"), 411, "length_required", false },
	{ "no CR LF after a chunk", BYTES(POST "Transfer-Encoding: chunked\r\n\r\n5\r\nhello0\r\n\r\n"), 411, "length_required", false },
	{ "a trailer", BYTES(POST "Transfer-Encoding: chunked\r\n\r\n0\r\nAuthorization: x\r\n\r\n"), 411, "length_required", false },
	{ "a Transfer-Encoding that is none", BYTES(POST "Transfer-Encoding: identity\r\nContent-Length: 2\r\n\r\n{}"), 411, "length_required", false },
	{ "a blank before a Transfer-Encoding's colon", BYTES(POST "Transfer-Encoding : chunked\r\nContent-Length: 2\r\n\r\n{}"), 400, "header_malformed", false },
	{ "a Transfer-Encoding after a vertical tab", BYTES(POST "Transfer-Encoding:\vchunked\r\n\r\n0\r\n\r\n"), 400, "control_character", false },
	{ "a header without a colon", BYTES(GET "nothing\r\n\r\n"), 400, "header_malformed", false },
	{ "an empty header name", BYTES(GET ": v\r\n\r\n"), 400, "header_malformed", false },
	{ "a blank in a header name", BYTES(GET "X Y: v\r\n\r\n"), 400, "header_malformed", false },
	{ "a bare line feed", BYTES("GET / HTTP/1.1\nHost: h\n\n"), 400, "line_end_invalid", false },
	{ "a folded header", BYTES(GET "A: b\r\n c\r\n\r\n"), 400, "header_folded", false },
	{ "NUL in a value", BYTES(GET "A: b\0c\r\n\r\n"), 400, "control_character", false },
	{ "a bare carriage return", BYTES(GET "A: b\rc\r\n\r\n"), 400, "line_end_invalid", false },
	{ "NUL in the target", BYTES("GET /v1/en\0vironments HTTP/1.1\r\nHost: h\r\n\r\n"), 400, "control_character", false },
	{ "a folded first header", BYTES("GET /healthz HTTP/1.1\r\n Host: h\r\n\r\n"), 400, "header_folded", false },
	{ "a blank line first", BYTES("\r\n" GET "\r\n"), 400, "request_malformed", false },
	{ "two blanks in the request line", BYTES("GET  /healthz HTTP/1.1\r\nHost: h\r\n\r\n"), 400, NULL, false },
	{ "a request line of HTTP/0.9", BYTES("GET /healthz\r\n\r\n"), 400, "request_malformed", false },
	{ "HTTP/2's preface", BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 501, "method_unknown", false },
	{ "the beginning of a TLS handshake", BYTES("\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\r\n"), 400, "control_character", false },
	{ "a whole URL as the target", BYTES("GET http://h/healthz HTTP/1.1\r\nHost: h\r\n\r\n"), 400, NULL, false },
	{ "a body with GET", BYTES(GET "Content-Length: 2\r\n\r\n{}"), 400, "body_not_allowed", false },
	{ "OPTIONS of everything", BYTES("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"), 400, "target_invalid", false },
	{ "OPTIONS", BYTES("OPTIONS /healthz HTTP/1.1\r\nHost: h\r\n\r\n"), 405, "\r\nAllow: GET\r\n", true },
	{ "TRACE", BYTES("TRACE /healthz HTTP/1.1\r\nHost: h\r\n\r\n"), 405, "method_not_allowed", true },
	{ "HEAD", BYTES("HEAD /healthz HTTP/1.1\r\nHost: h\r\n\r\n"), 405, "\r\nAllow: GET\r\n", true },
	{ "CONNECT", BYTES("CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n"), 501, "method_unknown", false },
	{ "a method in small letters", BYTES("get /healthz HTTP/1.1\r\nHost: h\r\n\r\n"), 501, "method_unknown", false },
	{ "dot segments", BYTES("GET /v1/../healthz HTTP/1.1\r\nHost: h\r\n\r\n"), 400, "target_invalid", false },
	{ "%00", BYTES("GET /v1/environments/a%00b HTTP/1.1\r\nHost: h\r\n\r\n"), 400, "target_invalid", false },
	{ "encoded dot segments", BYTES("GET /v1/%2e%2e/healthz HTTP/1.1\r\nHost: h\r\n\r\n"), 400, "target_invalid", false },
	{ "two slashes", BYTES("GET //healthz HTTP/1.1\r\nHost: h\r\n\r\n"), 400, "target_invalid", false },
	{ "an encoded slash", BYTES("GET /v1%2fversion HTTP/1.1\r\nHost: h\r\n\r\n"), 400, "target_invalid", false },
	{ "no Host", BYTES("GET /healthz HTTP/1.1\r\n\r\n"), 400, "host_missing", false },
	{ "two Hosts", BYTES("GET /healthz HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n"), 400, "header_repeated", false },
	{ "HTTP/1.4294967297", BYTES("GET /healthz HTTP/1.4294967297\r\nHost: h\r\n\r\n"), 505, "version_unsupported", false },
	{ "a method nobody knows", BYTES("BREW /pot HTTP/1.1\r\nHost: h\r\n\r\n"), 501, "method_unknown", false },
	{ "a body over the limit", BYTES(POST "Content-Length: 1048577\r\n\r\n"), 413, "body_too_large", false },
	{ "two requests at once", BYTES(GET "\r\n" GET "\r\n"), 400, "request_pipelined", false },
	{ "a method that a path lacks", BYTES("PUT /v1/environments HTTP/1.1\r\nHost: h\r\n\r\n"), 405, "method_not_allowed", true },
	{ "a path that is not there", BYTES("GET /v2 HTTP/1.1\r\nHost: h\r\n\r\n"), 404, "route_not_found", true },
	{ "an unknown query parameter", BYTES("GET /v1/environments?limti=1 HTTP/1.1\r\nHost: h\r\n\r\n"), 400, "unknown_query_parameter", true },
	{ "a query parameter twice", BYTES("GET /v1/environments?limit=1&limit=2 HTTP/1.1\r\nHost: h\r\n\r\n"), 400, "query_invalid", true },
	{ "a limit of 0", BYTES("GET /v1/environments?limit=0 HTTP/1.1\r\nHost: h\r\n\r\n"), 400, "query_invalid", true },
	{ "a page that nobody gave", BYTES("GET /v1/environments?next=abc HTTP/1.1\r\nHost: h\r\n\r\n"), 400, "query_invalid", true },
	{ "another content type", BYTES(POST "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}"), 415, "content_type_unsupported", true },
	{ "no body", BYTES(POST "\r\n"), 400, "body_missing", true },
	{ "no JSON", BYTES(POST "Content-Length: 3\r\n\r\nabc"), 400, "json_malformed", true },
	{ "a key twice", BYTES(POST "Content-Length: 36\r\n\r\n{\"template\":\"small\",\"template\":\"x\" }"), 400, "json_malformed", true },
	{ "bytes after the JSON", BYTES(POST "Content-Length: 4\r\n\r\n{} x"), 400, "json_malformed", true },
	{ "a list", BYTES(POST "Content-Length: 2\r\n\r\n[]"), 400, "invalid", true },
	{ "an unknown field", BYTES(POST "Content-Length: 10\r\n\r\n{\"ttl2\":1}"), 400, "unknown_field", true },
	{ "NUL in a string", BYTES(POST "Content-Length: 26\r\n\r\n{\"template\":\"sm\\u0000all\"}"), 400, NULL, true },
	{ "bytes that are no UTF-8", BYTES(POST "Content-Length: 18\r\n\r\n{\"template\":\"\xff\xfe\"} "), 400, "json_malformed", true },
};
// clang-format on

/* All that is said until the server closes, which it must; consumes the descriptor. */
static char *hear(int fd, const char *what)
{
	struct text heard = TEXT_EMPTY;
	char bytes[4096];
	ssize_t count;

	while ((count = recv(fd, bytes, sizeof(bytes), 0)) > 0)
		text_add_bytes(&heard, bytes, (size_t)count);
	if (count < 0 && errno == EAGAIN)
		fail_msg("%s: the connection was not closed: %s", what, text_get(&heard));
	close(fd);
	return text_take(&heard);
}

static size_t count_answers(const char *heard)
{
	size_t count = 0;

	for (const char *at = heard; (at = strstr(at, "HTTP/1.1 ")); at += 9)
		count += at[9] >= '0' && at[9] <= '9';
	return count;
}

/* Exactly one answer, the wanted one, and it is a problem unless it is 200. */
static void judge(const char *what, const char *answer, int status, const char *code)
{
	if (http_status_of(answer) != status)
		fail_msg("%s: wanted %d, got %s", what, status, answer);
	if (count_answers(answer) != 1)
		fail_msg("%s: what followed it was a second request: %s", what, answer);
	if (!strcasestr(answer, "\r\nConnection: close\r\n"))
		fail_msg("%s: the end of the connection is not announced: %s", what, answer);
	if (!strstr(answer, "\r\nEnvd-Version: "))
		fail_msg("%s: no version: %s", what, answer);
	if (status != 200 && !strstr(answer, "application/problem+json"))
		fail_msg("%s: no problem: %s", what, answer);
	if (code && !strstr(answer, code))
		fail_msg("%s: wanted %s, got %s", what, code, answer);
}

static void every_bad_request_gets_its_answer_and_the_connection_closes(void **state)
{
	struct world *world = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int fd = http_dial(world->socket);

		http_say(fd, cases[i].bytes, cases[i].length);
		AUTO(free) char *answer = hear(fd, cases[i].what);

		judge(cases[i].what, answer, cases[i].status, cases[i].code);
	}
	assert_true(is_healthy(world));
}

/* What a proxy that reads the first request otherwise would take for somebody else's. */
#define SMUGGLED                                                                                   \
	"POST /v1/environments HTTP/1.1\r\nHost: h\r\nContent-Length: 38\r\n\r\n"                  \
	"{\"template\":\"small\",\"name\":\"smuggled\"}"

static void what_follows_a_request_in_the_same_breath_is_never_a_request(void **state)
{
	struct world *world = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(text_release) struct text bytes = TEXT_EMPTY;
		int fd = http_dial(world->socket);

		text_add_bytes(&bytes, cases[i].bytes, cases[i].length);
		text_add(&bytes, SMUGGLED);
		http_say(fd, bytes.bytes, bytes.length);
		AUTO(free) char *answer = hear(fd, cases[i].what);

		if (cases[i].is_whole)
			judge(cases[i].what, answer, 400, "request_pipelined");
		else
			judge(cases[i].what, answer, cases[i].status, cases[i].code);
	}
	assert_true(is_healthy(world));
}

/* In a second write, when the first may be answered already: one answer all the same. */
static void what_follows_a_request_a_breath_later_is_never_a_request(void **state)
{
	struct world *world = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int fd = http_dial(world->socket), waiting = 1;

		http_say(fd, cases[i].bytes, cases[i].length);
		for (int tries = 0; waiting && tries < 1000000; tries++)
			assert_int_equal(ioctl(fd, SIOCOUTQ, &waiting), 0);
		/* It may be closed by now, and then this cannot be sent. */
		send(fd, SMUGGLED, sizeof(SMUGGLED) - 1, MSG_NOSIGNAL);
		AUTO(free) char *answer = hear(fd, cases[i].what);

		if (http_status_of(answer) != -1 && http_status_of(answer) != 400)
			judge(cases[i].what, answer, cases[i].status, NULL);
		assert_true(count_answers(answer) <= 1);
	}
	assert_true(is_healthy(world));
}

static void an_answer_to_head_has_no_body(void **state)
{
	static const char request[] = "HEAD /v1/version HTTP/1.1\r\nHost: h\r\n\r\n";
	struct world *world = *state;
	AUTO(free) char *answer = http_raw(world->socket, request, sizeof(request) - 1);
	const char *end_of_head = strstr(answer, "\r\n\r\n");

	assert_int_equal(http_status_of(answer), 405);
	assert_non_null(end_of_head);
	assert_string_equal(end_of_head, "\r\n\r\n");
}

static void headers_are_bounded_in_number_and_size(void **state)
{
	struct world *world = *state;
	AUTO(text_release) struct text many = TEXT_EMPTY, large = TEXT_EMPTY;
	AUTO(text_release) struct text endless = TEXT_EMPTY;

	text_add(&many, GET);
	for (int i = 0; i < 500; i++)
		text_add(&many, "A: b\r\n");
	text_add(&large, GET "A: ");
	for (int i = 0; i < 17000; i++)
		text_add_char(&large, 'x');
	text_add(&endless, "GET /");
	for (int i = 0; i < 5000; i++)
		text_add_char(&endless, 'x');
	text_add(&endless, " HTTP/1.1\r\n");

	AUTO(free) char *too_many = http_raw(world->socket, many.bytes, many.length);
	AUTO(free) char *too_large = http_raw(world->socket, large.bytes, large.length);
	AUTO(free) char *too_long = http_raw(world->socket, endless.bytes, endless.length);

	judge("500 headers", too_many, 431, "too_many_headers");
	judge("17000 bytes of headers", too_large, 431, "headers_too_large");
	judge("a target of 5000 bytes", too_long, 414, "target_too_long");
}

static void an_answer_never_echoes_what_cannot_be_printed(void **state)
{
	static const char request[] = "GET /v1/environments/%1b%5bx HTTP/1.1\r\nHost: h\r\n\r\n";
	static const char unicode[] =
	    "GET /v1/templates/%c2%9b2J%e2%80%ae HTTP/1.1\r\nHost: h\r\n\r\n";
	struct world *world = *state;
	AUTO(free) char *escape = http_raw(world->socket, request, sizeof(request) - 1);
	AUTO(free) char *control = http_raw(world->socket, unicode, sizeof(unicode) - 1);

	assert_int_equal(http_status_of(escape), 400);
	assert_null(strchr(escape, '\x1b'));
	assert_int_equal(http_status_of(control), 400);
	assert_null(strstr(control, "\xc2\x9b"));
}

static void json_that_is_too_deep_is_refused(void **state)
{
	struct world *world = *state;
	AUTO(text_release) struct text body = TEXT_EMPTY;
	AUTO(free) char *answer = NULL;

	text_add(&body, "{\"template\":");
	for (int i = 0; i < 100000; i++)
		text_add_char(&body, '[');
	assert_int_equal(
	    http_ask(world->socket, "POST", "/v1/environments", NULL, text_get(&body), &answer),
	    400);
	assert_non_null(strstr(answer, "json_too_deep"));
	assert_true(is_healthy(world));
}

static void a_body_of_the_largest_size_is_read(void **state)
{
	struct world *world = *state;
	AUTO(text_release) struct text body = TEXT_EMPTY;
	AUTO(free) char *answer = NULL;

	text_add(&body, "{\"template\":\"nobody\",\"name\":\"x\"");
	while (body.length < 1048576 - 1)
		text_add_char(&body, ' ');
	text_add_char(&body, '}');
	assert_int_equal(
	    http_ask(world->socket, "POST", "/v1/environments", NULL, text_get(&body), &answer),
	    404);
}

static void noise_does_no_harm(void **state)
{
	struct world *world = *state;

	srandom(20261124);
	for (int i = 0; i < 300; i++) {
		unsigned char noise[512];
		AUTO(free) char *answer = NULL;
		size_t length = 1 + (size_t)random() % sizeof(noise);

		/* Half of it begins like a request. */
		for (size_t at = 0; at < length; at++)
			noise[at] = (unsigned char)random();
		if (i % 2 && length > 40)
			memcpy(noise, "GET /v1/version HTTP/1.1\r\nHost: h\r\nX: ", 39);
		noise[length - 1] = '\n'; /* nothing that could wait for more */
		answer = http_raw(world->socket, (const char *)noise, length);
		if (*answer && http_status_of(answer) < 400)
			fail_msg("noise number %d was answered %s", i, answer);
	}
	assert_true(is_healthy(world));
}

static void a_reader_of_events_that_sends_more_is_dropped(void **state)
{
	static const char request[] = "GET /v1/events HTTP/1.1\r\nHost: h\r\n\r\n";
	struct world *world = *state;
	int fd = http_dial(world->socket);
	char bytes[512];
	ssize_t count;

	http_say(fd, request, sizeof(request) - 1);
	assert_true(recv(fd, bytes, sizeof(bytes), 0) > 0);
	memset(bytes, 'x', sizeof(bytes));
	while (send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL) > 0)
		;
	while ((count = recv(fd, bytes, sizeof(bytes), 0)) > 0)
		;
	assert_true(count == 0 || errno != EAGAIN);
	close(fd);
	assert_true(is_healthy(world));
}

static void nothing_that_was_refused_was_made(void **state)
{
	struct world *world = *state;
	AUTO(free) char *body = NULL;

	assert_int_equal(
	    http_ask(world->socket, "GET", "/v1/environments?all=true", NULL, NULL, &body), 200);
	assert_non_null(strstr(body, "{\"items\":[],\"next\":null}"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_bad_request_gets_its_answer_and_the_connection_closes),
		cmocka_unit_test(what_follows_a_request_in_the_same_breath_is_never_a_request),
		cmocka_unit_test(what_follows_a_request_a_breath_later_is_never_a_request),
		cmocka_unit_test(an_answer_to_head_has_no_body),
		cmocka_unit_test(headers_are_bounded_in_number_and_size),
		cmocka_unit_test(an_answer_never_echoes_what_cannot_be_printed),
		cmocka_unit_test(json_that_is_too_deep_is_refused),
		cmocka_unit_test(a_body_of_the_largest_size_is_read),
		cmocka_unit_test(noise_does_no_harm),
		cmocka_unit_test(a_reader_of_events_that_sends_more_is_dropped),
		cmocka_unit_test(nothing_that_was_refused_was_made),
	};

	return cmocka_run_group_tests(tests, start, world_close);
}
