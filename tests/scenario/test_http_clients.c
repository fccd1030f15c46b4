/*
 * Clients that are slow, gone, greedy or half-way through, against the real envd over its socket:
 * they get what they deserve, everybody else is answered meanwhile, and nothing is made by halves.
 * The engine is tests/support/fake_engine, so no container runtime is needed.
 */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include <linux/sockios.h>

#include "base/files.h"
#include "base/json_read.h"
#include "base/text.h"
#include "tests/support/eventually.h"
#include "tests/support/fake_world.h"
#include "tests/support/http_client.h"

static int start(void **state)
{
	struct world *world = fake_world_new();

	world_argument(world, "--request-deadline=2s");
	world_start(world);
	*state = world;
	return 0;
}

/* ---- a client ---- */

static bool is_healthy(void *arg)
{
	struct world *world = arg;

	return kill(world->envd, 0) == 0 &&
	       http_ask(world->socket, "GET", "/healthz", NULL, NULL, NULL) == 200;
}

static size_t count_environments(struct world *world)
{
	AUTO(json_decref) json_t *list = NULL;
	int status;

	list = world_ask(world, "GET", "/v1/environments?all=true&limit=500", NULL, &status);
	assert_int_equal(status, 200);
	return json_array_size(json_object_get(list, "items"));
}

/* ---- slow and half-open ---- */

/* One byte, then a look whether the server has had enough. */
static bool trickle(int fd, const char *byte)
{
	struct pollfd answer = { .fd = fd, .events = POLLIN };

	if (send(fd, byte, 1, MSG_NOSIGNAL) != 1)
		return false;
	return poll(&answer, 1, 50) == 0;
}

static void a_client_that_sends_byte_after_byte_is_cut_off_while_others_are_served(void **state)
{
	static const char head[] = "GET /healthz HTTP/1.1\r\nHost: h\r\nX: ";
	struct world *world = *state;
	int fd = http_dial(world->socket);
	size_t sent = 0;

	while (sent < 10000 && trickle(fd, sent < sizeof(head) - 1 ? head + sent : "x")) {
		sent++;
		assert_true(is_healthy(world));
	}
	AUTO(free) char *answer = http_hear(fd);

	assert_int_equal(http_status_of(answer), 408);
	assert_non_null(strstr(answer, "request_timeout"));
	/* The 16 KiB of headers were not what ended it. */
	assert_true(sent < 10000);
}

static void a_body_that_trickles_makes_nothing(void **state)
{
	static const char head[] = "POST /v1/environments HTTP/1.1\r\nHost: h\r\n"
				   "Content-Length: 60000\r\n\r\n{\"template\":\"fake\"}";
	struct world *world = *state;
	size_t before = count_environments(world);
	int fd = http_dial(world->socket);

	http_say(fd, head, sizeof(head) - 1);
	while (trickle(fd, " "))
		continue;
	AUTO(free) char *answer = http_hear(fd);

	assert_int_equal(http_status_of(answer), 408);
	assert_int_equal(count_environments(world), before);
}

static void a_client_that_says_nothing_is_closed_without_a_word(void **state)
{
	const struct world *world = *state;
	AUTO(free) char *answer = http_hear(http_dial(world->socket));

	assert_string_equal(answer, "");
	assert_true(is_healthy(*state));
}

static void a_client_that_closes_its_half_after_the_request_harms_nobody(void **state)
{
	static const char request[] = "GET /v1/version HTTP/1.1\r\nHost: h\r\n\r\n";
	struct world *world = *state;

	for (int i = 0; i < 200; i++) {
		int fd = http_dial(world->socket);

		http_say(fd, request, sizeof(request) - 1);
		shutdown(fd, SHUT_WR);
		AUTO(free) char *answer = http_hear(fd);

		/* The library takes the end of input for the end of the client: an answer or none.
		 */
		assert_true(http_status_of(answer) == 200 || !*answer);
	}
	assert_true(is_healthy(world));
}

/* ---- cut at every byte ---- */

static const char *const representative[] = {
	"GET /v1/environments?limit=5&label=a=b HTTP/1.1\r\nHost: h\r\nAccept: */*\r\n\r\n",
	"POST /v1/environments HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
	"Idempotency-Key: cut\r\nContent-Length: "
	"34\r\n\r\n{\"template\":\"fake\",\"name\":\"by-halves\"",
	"PATCH /v1/environments/e1/lease HTTP/1.1\r\nHost: h\r\nContent-Length: 15\r\n\r\n"
	"{\"extend\":\"1h\"",
	"DELETE /v1/environments/standing HTTP/1.1\r\nHost: h\r\n\r",
	"GET /v1/events HTTP/1.0\r\nHost: h\r\nLast-Event-ID: 0\r\n\r",
};

/* What came back when the client sent only this much and closed its half. */
static void cut_short(struct world *world, const char *request, size_t length)
{
	int fd = http_dial(world->socket);

	if (length)
		http_say(fd, request, length);
	shutdown(fd, SHUT_WR);
	AUTO(free) char *answer = http_hear(fd);

	if (*answer && http_status_of(answer) < 400)
		fail_msg("%zu bytes of \"%s\" were answered %s", length, request, answer);
}

static void a_request_cut_at_any_byte_is_no_request(void **state)
{
	struct world *world = *state;
	size_t before = count_environments(world);
	char standing[37], seen[32];

	world_create(world, "fake", "standing", NULL, standing);
	world_wait(world, "standing", "ready", 30000);
	for (size_t i = 0; i < ARRAY_SIZE(representative); i++) {
		/* The first is whole, and only its prefixes are cut. */
		size_t length = strlen(representative[i]) - (i == 0);

		for (size_t cut = 0; cut <= length; cut++)
			cut_short(world, representative[i], cut);
	}
	assert_int_equal(count_environments(world), before + 1);
	world_state(world, "standing", seen);
	assert_string_equal(seen, "ready");
	assert_true(is_healthy(world));
}

static void clients_that_leave_at_any_byte_do_no_harm(void **state)
{
	struct world *world = *state;
	size_t before = count_environments(world);

	for (size_t i = 0; i < ARRAY_SIZE(representative); i++) {
		for (size_t cut = 0; cut < strlen(representative[i]); cut++) {
			int fd = http_dial(world->socket);

			http_say(fd, representative[i], cut);
			close(fd);
		}
	}
	assert_true(eventually(is_healthy, world, 10000));
	assert_int_equal(count_environments(world), before);
}

/* ---- two requests on one connection ---- */

#define CREATE(name)                                                                               \
	"POST /v1/environments HTTP/1.1\r\nHost: h\r\nContent-Length: 38\r\n\r\n"                  \
	"{\"template\":\"fake\",\"name\":\"" name "\"}"

static void of_two_requests_in_one_write_none_is_executed(void **state)
{
	static const char both[] = CREATE("first-one") CREATE("second-un");
	struct world *world = *state;
	size_t before = count_environments(world);
	int fd = http_dial(world->socket);

	http_say(fd, both, sizeof(both) - 1);
	AUTO(free) char *answer = http_hear(fd);

	assert_int_equal(http_status_of(answer), 400);
	assert_non_null(strstr(answer, "request_pipelined"));
	assert_int_equal(count_environments(world), before);
}

static void a_second_request_on_a_connection_is_not_executed(void **state)
{
	static const char first[] = CREATE("first-one"), second[] = CREATE("second-un");
	struct world *world = *state;
	size_t before = count_environments(world);
	int fd = http_dial(world->socket), status;
	struct pollfd answered = { .fd = fd, .events = POLLIN };
	AUTO(json_decref) json_t *missing = NULL;

	http_say(fd, first, sizeof(first) - 1);
	assert_int_equal(poll(&answered, 1, 60000), 1);
	send(fd, second, sizeof(second) - 1, MSG_NOSIGNAL);
	AUTO(free) char *answer = http_hear(fd);

	assert_int_equal(http_status_of(answer), 201);
	assert_int_equal(count_environments(world), before + 1);
	missing = world_ask(world, "GET", "/v1/environments/second-un", NULL, &status);
	assert_int_equal(status, 404);
}

/* ---- greedy ---- */

/* As another user: the kernel notes who connects. */
static int health_for(struct world *world, uid_t uid)
{
	int status;

	assert_int_equal(seteuid(uid), 0);
	status = http_ask(world->socket, "GET", "/healthz", NULL, NULL, NULL);
	assert_int_equal(seteuid(0), 0);
	return status;
}

static size_t refused_of(const int *open, size_t count, int wanted)
{
	size_t refused = 0;

	for (size_t i = 0; i < count; i++) {
		char answer[1024] = "";

		if (recv(open[i], answer, sizeof(answer) - 1, MSG_DONTWAIT) > 0 &&
		    http_status_of(answer) == wanted)
			refused++;
	}
	return refused;
}

static void a_thousand_connections_of_one_user_keep_no_other_from_being_answered(void **state)
{
	enum { OPEN = 1000, EXPLAINED = 500 };
	struct rlimit descriptors = { 4096, 4096 };
	struct world *world = *state;
	static int open[OPEN];

	if (geteuid() != 0)
		fail_msg("a second user is needed here: run the tests as root");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &descriptors), 0);
	assert_int_equal(chmod(world->folder, 0755) + chmod(world->socket, 0666), 0);
	for (size_t i = 0; i < OPEN; i++) {
		open[i] = http_dial(world->socket);
		/* Part of a request, so that a refusal can be told from a connection that waits. */
		send(open[i], "GET ", 4, MSG_NOSIGNAL);
	}
	assert_int_equal(health_for(world, 65534), 200);
	assert_int_equal(health_for(world, 1), 200);
	/* As many as the server has places are told why; in a flood the rest is only closed. */
	assert_true(refused_of(open, OPEN, 429) >= EXPLAINED);
	for (size_t i = 0; i < OPEN; i++)
		close(open[i]);
	assert_true(eventually(is_healthy, world, 10000));
}

/* ---- streams ---- */

static int64_t resident_kib(struct world *world)
{
	AUTO(free) char *path = xasprintf("/proc/%d/status", (int)world->envd), *text = NULL;
	const char *at;
	struct error err;
	size_t length;

	assert_true(file_read(path, 65536, &text, &length, &err));
	at = strstr(text, "VmRSS:");
	return at ? strtoll(at + 6, NULL, 10) : 0;
}

static int follow_from_the_beginning(struct world *world, const char *environment)
{
	AUTO(free)
	char *request = xasprintf("GET /v1/environments/%s/events HTTP/1.1\r\nHost: h\r\n"
				  "Last-Event-ID: 0\r\n\r\n",
				  environment);
	int fd = http_dial(world->socket);

	http_say(fd, request, strlen(request));
	return fd;
}

/* More than a socket holds and than envd lets wait for one reader. */
static void make_long_history(struct world *world, const char *name)
{
	AUTO(json_decref)
	json_t *body = json_pack("{s:s, s:s, s:{s:s}}", "template", "fake", "name", name,
				 "parameters", "fake", "create=talk:2000");
	AUTO(json_decref) json_t *made = NULL;
	int status;

	made = world_ask(world, "POST", "/v1/environments", body, &status);
	assert_int_equal(status, 201);
}

/* What AddressSanitizer keeps of freed memory, to catch its use. */
#ifdef __SANITIZE_ADDRESS__
enum { QUARANTINE_KIB = 256 * 1024 };
#else
enum { QUARANTINE_KIB = 0 };
#endif

static void readers_that_take_nothing_cost_little_and_miss_nothing(void **state)
{
	enum { READERS = 40, KIB_EACH = 2560 };
	struct world *world = *state;
	AUTO(json_decref) json_t *shown = NULL;
	int readers[READERS], status;
	int64_t before;
	char id[37];

	make_long_history(world, "talker");
	shown = world_ask(world, "GET", "/v1/environments/talker", NULL, &status);
	snprintf(id, sizeof(id), "%s", json_get_string(shown, "id", ""));
	world_wait(world, id, "ready", 60000);
	json_decref(world_ask(world, "DELETE", "/v1/environments/talker", NULL, &status));
	world_wait(world, id, "destroyed", 60000);
	before = resident_kib(world);
	for (size_t i = 0; i < READERS; i++)
		readers[i] = follow_from_the_beginning(world, id);
	assert_true(is_healthy(world));
	assert_in_range(resident_kib(world), 1, before + READERS * KIB_EACH + QUARANTINE_KIB);
	for (size_t i = 0; i < READERS; i++) {
		AUTO(free) char *heard = http_hear(readers[i]);
		int64_t newest = 0, rows = 0;

		assert_int_equal(http_status_of(heard), 200);
		for (const char *at = heard; (at = strstr(at, "\nid: ")); at += 5, rows++) {
			assert_true(strtoll(at + 5, NULL, 10) > newest);
			newest = strtoll(at + 5, NULL, 10);
		}
		assert_true(rows > 1500);
		assert_non_null(strstr(heard, "\"state\":\"destroyed\""));
	}
	assert_true(is_healthy(world));
}

static void a_follower_that_pushes_bytes_is_dropped_and_they_are_not_kept(void **state)
{
	static const char request[] = "GET /v1/events HTTP/1.1\r\nHost: h\r\n\r\n";
	struct world *world = *state;
	int64_t before = resident_kib(world);
	int fd = http_dial(world->socket);
	static char bytes[65536];
	size_t pushed = 0;
	ssize_t count;

	http_say(fd, request, sizeof(request) - 1);
	assert_true(recv(fd, bytes, 64, 0) > 0);
	memset(bytes, 'x', sizeof(bytes));
	while (pushed < (64u << 20) && (count = send(fd, bytes, sizeof(bytes), MSG_NOSIGNAL)) > 0)
		pushed += (size_t)count;
	assert_true(pushed < (64u << 20));
	close(fd);
	assert_in_range(resident_kib(world), 1, before + 4096);
	assert_true(is_healthy(world));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_client_that_sends_byte_after_byte_is_cut_off_while_others_are_served),
		cmocka_unit_test(a_body_that_trickles_makes_nothing),
		cmocka_unit_test(a_client_that_says_nothing_is_closed_without_a_word),
		cmocka_unit_test(a_client_that_closes_its_half_after_the_request_harms_nobody),
		cmocka_unit_test(a_request_cut_at_any_byte_is_no_request),
		cmocka_unit_test(clients_that_leave_at_any_byte_do_no_harm),
		cmocka_unit_test(of_two_requests_in_one_write_none_is_executed),
		cmocka_unit_test(a_second_request_on_a_connection_is_not_executed),
		cmocka_unit_test(
		    a_thousand_connections_of_one_user_keep_no_other_from_being_answered),
		cmocka_unit_test(readers_that_take_nothing_cost_little_and_miss_nothing),
		cmocka_unit_test(a_follower_that_pushes_bytes_is_dropped_and_they_are_not_kept),
	};

	return cmocka_run_group_tests(tests, start, world_close);
}
