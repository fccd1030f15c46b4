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
#include <sys/socket.h>
#include <sys/un.h>
#include <cmocka.h>

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

static int end(void **state)
{
	world_free(*state);
	return 0;
}

static bool is_healthy(void *arg)
{
	struct world *world = arg;

	return kill(world->envd, 0) == 0 &&
	       http_ask(world->socket, "GET", "/healthz", NULL, NULL, NULL) == 200;
}

static int status_of(const char *answer)
{
	int status = -1;

	return sscanf(answer, "HTTP/1.%*d %d ", &status) == 1 ? status : -1;
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
} cases[] = {
	{ "a good request", BYTES(GET "\r\n"), 200, NULL },
	{ "length and Transfer-Encoding", BYTES(POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 411, "length_required" },
	{ "Transfer-Encoding: gzip, chunked", BYTES(POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), 411, "length_required" },
	{ "two Transfer-Encodings", BYTES(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 411, "length_required" },
	{ "Transfer-Encoding in HTTP/1.0", BYTES("POST /v1/environments HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 411, "length_required" },
	{ "two lengths", BYTES(POST "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"), 400, "header_repeated" },
	{ "a length with a plus", BYTES(POST "Content-Length: +5\r\n\r\nhello"), 400, "content_length_invalid" },
	{ "a blank before the colon", BYTES(POST "Content-Length : 5\r\n\r\nhello"), 400, "header_malformed" },
	{ "a chunk size of 0x5", BYTES(POST "Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n"), 411, "length_required" },
	{ "an empty header name", BYTES(GET ": v\r\n\r\n"), 400, "header_malformed" },
	{ "a blank in a header name", BYTES(GET "X Y: v\r\n\r\n"), 400, "header_malformed" },
	{ "a bare line feed", BYTES("GET / HTTP/1.1\nHost: h\n\n"), 400, "line_end_invalid" },
	{ "a folded header", BYTES(GET "A: b\r\n c\r\n\r\n"), 400, "header_folded" },
	{ "NUL in a value", BYTES(GET "A: b\0c\r\n\r\n"), 400, "control_character" },
	{ "a bare carriage return", BYTES(GET "A: b\rc\r\n\r\n"), 400, "line_end_invalid" },
	{ "%00", BYTES("GET /v1/environments/a%00b HTTP/1.1\r\nHost: h\r\n\r\n"), 400, "target_invalid" },
	{ "encoded dot segments", BYTES("GET /v1/%2e%2e/healthz HTTP/1.1\r\nHost: h\r\n\r\n"), 400, "target_invalid" },
	{ "two slashes", BYTES("GET //healthz HTTP/1.1\r\nHost: h\r\n\r\n"), 400, "target_invalid" },
	{ "an encoded slash", BYTES("GET /v1%2fversion HTTP/1.1\r\nHost: h\r\n\r\n"), 400, "target_invalid" },
	{ "no Host", BYTES("GET /healthz HTTP/1.1\r\n\r\n"), 400, "host_missing" },
	{ "two Hosts", BYTES("GET /healthz HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n"), 400, "header_repeated" },
	{ "HTTP/1.4294967297", BYTES("GET /healthz HTTP/1.4294967297\r\nHost: h\r\n\r\n"), 505, "version_unsupported" },
	{ "a method nobody knows", BYTES("BREW /pot HTTP/1.1\r\nHost: h\r\n\r\n"), 501, "method_unknown" },
	{ "a body over the limit", BYTES(POST "Content-Length: 1048577\r\n\r\n"), 413, "body_too_large" },
	{ "two requests at once", BYTES(GET "\r\n" GET "\r\n"), 400, "request_pipelined" },
	{ "a method that a path lacks", BYTES("PUT /v1/environments HTTP/1.1\r\nHost: h\r\n\r\n"), 405, "method_not_allowed" },
	{ "a path that is not there", BYTES("GET /v2 HTTP/1.1\r\nHost: h\r\n\r\n"), 404, "route_not_found" },
	{ "an unknown query parameter", BYTES("GET /v1/environments?limti=1 HTTP/1.1\r\nHost: h\r\n\r\n"), 400, "unknown_query_parameter" },
	{ "a query parameter twice", BYTES("GET /v1/environments?limit=1&limit=2 HTTP/1.1\r\nHost: h\r\n\r\n"), 400, "query_invalid" },
	{ "a limit of 0", BYTES("GET /v1/environments?limit=0 HTTP/1.1\r\nHost: h\r\n\r\n"), 400, "query_invalid" },
	{ "a page that nobody gave", BYTES("GET /v1/environments?next=abc HTTP/1.1\r\nHost: h\r\n\r\n"), 400, "query_invalid" },
	{ "another content type", BYTES(POST "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}"), 415, "content_type_unsupported" },
	{ "no body", BYTES(POST "\r\n"), 400, "body_missing" },
	{ "no JSON", BYTES(POST "Content-Length: 3\r\n\r\nabc"), 400, "json_malformed" },
	{ "a key twice", BYTES(POST "Content-Length: 36\r\n\r\n{\"template\":\"small\",\"template\":\"x\" }"), 400, "json_malformed" },
	{ "bytes after the JSON", BYTES(POST "Content-Length: 4\r\n\r\n{} x"), 400, "json_malformed" },
	{ "a list", BYTES(POST "Content-Length: 2\r\n\r\n[]"), 400, "invalid" },
	{ "an unknown field", BYTES(POST "Content-Length: 10\r\n\r\n{\"ttl2\":1}"), 400, "unknown_field" },
	{ "NUL in a string", BYTES(POST "Content-Length: 26\r\n\r\n{\"template\":\"sm\\u0000all\"}"), 400, NULL },
	{ "bytes that are no UTF-8", BYTES(POST "Content-Length: 18\r\n\r\n{\"template\":\"\xff\xfe\"} "), 400, "json_malformed" },
};
// clang-format on

static void every_bad_request_gets_its_answer(void **state)
{
	struct world *world = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(free) char *answer = http_raw(world->socket, cases[i].bytes, cases[i].length);

		if (status_of(answer) != cases[i].status)
			fail_msg("%s: wanted %d, got %s", cases[i].what, cases[i].status, answer);
		if (cases[i].status != 200 && !strstr(answer, "application/problem+json"))
			fail_msg("%s: no problem: %s", cases[i].what, answer);
		if (cases[i].code && !strstr(answer, cases[i].code))
			fail_msg("%s: wanted %s, got %s", cases[i].what, cases[i].code, answer);
	}
	assert_true(is_healthy(world));
}

static void an_answer_never_echoes_what_cannot_be_printed(void **state)
{
	static const char request[] = "GET /v1/environments/%1b%5bx HTTP/1.1\r\nHost: h\r\n\r\n";
	static const char unicode[] =
	    "GET /v1/templates/%c2%9b2J%e2%80%ae HTTP/1.1\r\nHost: h\r\n\r\n";
	struct world *world = *state;
	AUTO(free) char *escape = http_raw(world->socket, request, sizeof(request) - 1);
	AUTO(free) char *control = http_raw(world->socket, unicode, sizeof(unicode) - 1);

	assert_int_equal(status_of(escape), 400);
	assert_null(strchr(escape, '\x1b'));
	assert_int_equal(status_of(control), 400);
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

static int dial(const struct world *world)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval patience = { .tv_sec = 20 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, world->socket);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

static void clients_that_leave_at_any_byte_do_no_harm(void **state)
{
	static const char request[] = "POST /v1/environments HTTP/1.1\r\nHost: h\r\n"
				      "Content-Length: 21\r\n\r\n{\"template\":\"nobody\"}";
	struct world *world = *state;

	for (size_t cut = 0; cut < sizeof(request); cut++) {
		int fd = dial(world);

		assert_int_equal(send(fd, request, cut, MSG_NOSIGNAL), cut);
		close(fd);
	}
	assert_true(eventually(is_healthy, world, 10000));
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
		if (*answer && status_of(answer) < 400)
			fail_msg("noise number %d was answered %s", i, answer);
	}
	assert_true(is_healthy(world));
}

static void more_connections_than_there_is_room_for_are_told_and_the_rest_is_served(void **state)
{
	enum { OPEN = 600 };
	struct world *world = *state;
	int open[OPEN], refused = 0;

	for (size_t i = 0; i < OPEN; i++)
		open[i] = dial(world);
	/* Asked after them, so all of them have been seen when this is answered. */
	assert_false(is_healthy(world));
	for (size_t i = 0; i < OPEN; i++) {
		char answer[512] = "";

		if (recv(open[i], answer, sizeof(answer) - 1, MSG_DONTWAIT) > 0 &&
		    status_of(answer) == 503)
			refused++;
	}
	for (size_t i = 0; i < OPEN; i++)
		close(open[i]);
	assert_true(refused > 0);
	assert_true(eventually(is_healthy, world, 10000));
}

static void a_reader_of_events_that_sends_more_is_dropped(void **state)
{
	static const char request[] = "GET /v1/events HTTP/1.1\r\nHost: h\r\n\r\n";
	struct world *world = *state;
	int fd = dial(world);
	char bytes[512];
	ssize_t count;

	assert_int_equal(send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL), sizeof(request) - 1);
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
		cmocka_unit_test(every_bad_request_gets_its_answer),
		cmocka_unit_test(an_answer_never_echoes_what_cannot_be_printed),
		cmocka_unit_test(json_that_is_too_deep_is_refused),
		cmocka_unit_test(a_body_of_the_largest_size_is_read),
		cmocka_unit_test(clients_that_leave_at_any_byte_do_no_harm),
		cmocka_unit_test(noise_does_no_harm),
		cmocka_unit_test(
		    more_connections_than_there_is_room_for_are_told_and_the_rest_is_served),
		cmocka_unit_test(a_reader_of_events_that_sends_more_is_dropped),
		cmocka_unit_test(nothing_that_was_refused_was_made),
	};

	return cmocka_run_group_tests(tests, start, end);
}
