#include "http/http_server.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cmocka.h>
#include <linux/sockios.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/text.h"
#include "http/http_response.h"
#include "http/http_stream.h"
#include "loop/timer.h"
#include "tests/support/http_client.h"

/* ---- a server in a process of its own; its exit status says whether it ended well ---- */

enum { SERVER_READY_FD = 10 };

static const struct http_server_settings quick = {
	.limits = { .target_bytes_max = 256,
		    .header_bytes_max = 4096,
		    .header_count_max = 16,
		    .body_bytes_max = 65536 },
	.connections_max = 24,
	.connections_per_peer_max = 20,
	.streams_max = 4,
	.request_deadline_ms = 400,
	.answer_deadline_ms = 600,
	.stream_bytes_max = 131072,
	.stream_stall_ms = 400,
	.heartbeat_ms = 50,
	.library_limit_ms = 400,
};

struct service {
	struct loop *loop;
	struct http_server *server;
	bool is_stopping;
	int streams_ended;
};

struct late {
	struct service *service;
	struct http_request *request;
	int turns_left;
};

static void answer_ok(struct service *service, struct http_request *request)
{
	AUTO(json_decref) json_t *json = json_object();
	const char *q = http_request_query(request, "q");
	size_t body_length;

	http_request_body(request, &body_length);
	json_object_set_new(json, "method", json_string(http_request_method(request)));
	json_object_set_new(json, "path", json_string(http_request_path(request)));
	json_object_set_new(json, "q", q ? json_string(q) : json_null());
	json_object_set_new(json, "body", json_integer((json_int_t)body_length));
	json_object_set_new(json, "uid", json_integer(http_request_peer(request)->uid));
	json_object_set_new(json, "groups",
			    json_integer((json_int_t)http_request_peer(request)->group_count));
	json_object_set_new(
	    json, "connections",
	    json_integer((json_int_t)http_server_connection_count(service->server)));
	json_object_set_new(json, "streams_ended", json_integer(service->streams_ended));
	http_answer_json(request, 200, json);
}

static void on_late(void *arg)
{
	struct late *late = arg;

	if (--late->turns_left > 0) {
		loop_defer(late->service->loop, on_late, late);
		return;
	}
	answer_ok(late->service, late->request);
	free(late);
}

static void answer_late(struct service *service, struct http_request *request, int turns)
{
	struct late *late = xcalloc(1, sizeof(*late));

	*late = (struct late){ service, request, turns };
	loop_defer(service->loop, on_late, late);
}

struct flow {
	struct service *service;
	struct http_stream *stream;
	bool asks_for_room;
	struct timer *late; /* NULL: it sends at once, or never */
};

static void send_late(void *arg)
{
	struct flow *flow = arg;

	http_stream_send(flow->stream, "spoken", 6);
	http_stream_end(flow->stream);
}

static void send_some(void *arg)
{
	static const char block[16384] = { 'x' };
	struct flow *flow = arg;

	while (http_stream_room(flow->stream) >= sizeof(block))
		http_stream_send(flow->stream, block, sizeof(block));
	if (!flow->asks_for_room)
		http_stream_send(flow->stream, block, sizeof(block));
}

static void on_stream_end(void *arg)
{
	struct flow *flow = arg;

	flow->service->streams_ended++;
	timer_free(flow->late);
	free(flow);
}

static void answer_big(struct http_request *request)
{
	AUTO(free) char *text = xcalloc(4 << 20, 1);

	memset(text, 'x', (4 << 20) - 1);
	http_answer_text(request, 200, "text/plain", text);
}

static void start_stream(struct service *service, struct http_request *request, const char *kind)
{
	struct flow *flow = xcalloc(1, sizeof(*flow));
	bool is_quiet = strcmp(kind, "/quiet") == 0;
	struct http_stream_spec spec = { .content_type = "text/event-stream",
					 .heartbeat = is_quiet ? ": heartbeat\n\n" : NULL,
					 .on_room = strcmp(kind, "/flow") == 0 ? send_some : NULL,
					 .on_end = on_stream_end,
					 .arg = flow };
	struct error err;

	*flow = (struct flow){ .service = service, .asks_for_room = spec.on_room != NULL };
	if (!http_stream_start(request, &spec, &flow->stream, &err)) {
		free(flow);
		http_answer_problem(request, 429, &err);
		return;
	}
	if (strcmp(kind, "/silent") == 0) {
		flow->late = timer_new(service->loop, send_late, flow);
		timer_set_ms(flow->late, 3 * quick.library_limit_ms);
	} else if (!is_quiet) {
		send_some(flow);
	}
}

static void on_request(void *arg, struct http_request *request)
{
	struct service *service = arg;
	const char *path = http_request_path(request);

	if (strcmp(path, "/late") == 0)
		answer_late(service, request, 3);
	else if (strcmp(path, "/later") == 0)
		answer_late(service, request, 20000);
	else if (strcmp(path, "/big") == 0)
		answer_big(request);
	else if (strcmp(path, "/flow") == 0 || strcmp(path, "/push") == 0 ||
		 strcmp(path, "/quiet") == 0 || strcmp(path, "/silent") == 0)
		start_stream(service, request, path);
	else
		answer_ok(service, request);
}

static void on_stop(void *arg)
{
	((struct service *)arg)->is_stopping = true;
}

static int serve(const char *path, int ready)
{
	struct service service = { .loop = loop_new() };
	struct error err;

	signal(SIGPIPE, SIG_IGN);
	loop_on_signal(service.loop, SIGTERM, on_stop, &service);
	service.server = http_server_new(service.loop, &quick, on_request, &service);
	if (!http_server_listen_unix(service.server, path, 0660, (gid_t)-1, &err) ||
	    write(ready, "r", 1) != 1)
		return 1;
	while (!service.is_stopping)
		loop_turn(service.loop);
	http_server_free(service.server);
	loop_free(service.loop);
	return 0;
}

struct fixture {
	char folder[64];
	char *path;
	pid_t pid;
};

static int start(void **state)
{
	struct fixture *fixture = xcalloc(1, sizeof(*fixture));
	int ready[2];
	char c;

	strcpy(fixture->folder, "/tmp/envd-test-XXXXXX");
	if (!mkdtemp(fixture->folder) || pipe(ready) < 0)
		return -1;
	fixture->path = path_join(fixture->folder, "socket");
	fixture->pid = fork();
	if (fixture->pid == 0) {
		/* A fresh program, so that a leak of an earlier test is not taken for the server's.
		 */
		dup2(ready[1], SERVER_READY_FD);
		execl("/proc/self/exe", "test_http_server", "--serve", fixture->path, NULL);
		_exit(127);
	}
	*state = fixture;
	return read(ready[0], &c, 1) == 1 && close(ready[0]) == 0 && close(ready[1]) == 0 ? 0 : -1;
}

static int stop(void **state)
{
	struct fixture *fixture = *state;
	struct error err;
	int status;

	kill(fixture->pid, SIGTERM);
	if (waitpid(fixture->pid, &status, 0) != fixture->pid || !WIFEXITED(status) ||
	    WEXITSTATUS(status))
		return -1;
	assert_false(file_exists(fixture->path));
	assert_true(folder_remove(fixture->folder, &err));
	free(fixture->path);
	free(fixture);
	return 0;
}

/* ---- a client that sends what it is told ---- */

static int dial(const struct fixture *fixture)
{
	return http_dial(fixture->path);
}

static void say_text(int fd, const char *text)
{
	http_say(fd, text, strlen(text));
}

static char *ask(const struct fixture *fixture, const char *text)
{
	int fd = dial(fixture);

	say_text(fd, text);
	return http_hear(fd);
}

#define COUNT "GET /count HTTP/1.1\r\nHost: h\r\n\r\n"

/* Ask until it is so; the asking itself is one connection. */
static void wait_for(const struct fixture *fixture, const char *key, long wanted)
{
	int64_t until = clock_mono_ms() + 20000;
	long seen = -1;

	while (seen < wanted || (strstr(key, "connections") && seen != wanted)) {
		AUTO(free) char *answer = ask(fixture, COUNT);

		seen = http_number_in(answer, key);
		if (clock_mono_ms() > until)
			fail_msg("%s is %ld, not %ld", key, seen, wanted);
	}
}

#define CONNECTIONS "\"connections\":"
#define STREAMS_ENDED "\"streams_ended\":"

/* Everything sent was read by the server. */
static void wait_until_read(int fd)
{
	int64_t until = clock_mono_ms() + 20000;
	int waiting = 1;

	while (waiting && clock_mono_ms() < until)
		assert_int_equal(ioctl(fd, SIOCOUTQ, &waiting), 0);
	assert_int_equal(waiting, 0);
}

/* ---- */

static void a_request_is_answered_and_the_connection_closed(void **state)
{
	AUTO(free)
	char *answer = ask(*state, "POST /a%20b?q=x+y HTTP/1.1\r\nHost: h\r\n"
				   "Content-Length: 5\r\n\r\nhello");

	assert_int_equal(http_status_of(answer), 200);
	assert_non_null(strstr(answer, "\r\nConnection: close\r\n"));
	assert_non_null(strstr(answer, "\r\nX-Request-Id: "));
	assert_non_null(
	    strstr(answer, "\"method\":\"POST\",\"path\":\"/a b\",\"q\":\"x y\",\"body\":5"));
	assert_int_equal(http_number_in(answer, "\"uid\":"), getuid());
	assert_int_equal(http_number_in(answer, "\"groups\":"), getgroups(0, NULL));
}

#define BYTES(literal) literal, sizeof(literal) - 1
static const struct {
	const char *bytes;
	size_t length;
	int status;
} raw[] = {
	{ BYTES("GET / HTTP/1.1\r\nHost: h\r\n\r\n"), 200 },
	{ BYTES("GET /late HTTP/1.0\r\nHost: h\r\n\r\n"), 200 },
	{ BYTES("PATCH /x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"), 200 },
	{ BYTES("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 411 },
	{ BYTES(
	      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
	  400 },
	{ BYTES("POST / HTTP/1.1\r\nHost: h\r\nContent-Length : 5\r\n\r\nhello"), 400 },
	{ BYTES("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 999999\r\n\r\n"), 413 },
	{ BYTES("GET / HTTP/1.1\nHost: h\r\n\r\n"), 400 },
	{ BYTES("GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n c\r\n\r\n"), 400 },
	{ BYTES("GET / HTTP/1.1\r\nHost: h\r\nA: b\0c\r\n\r\n"), 400 },
	{ BYTES("GET /a%00b HTTP/1.1\r\nHost: h\r\n\r\n"), 400 },
	{ BYTES("GET / HTTP/1.1\r\n\r\n"), 400 },
	{ BYTES("GET / HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n"), 400 },
	{ BYTES("GET / HTTP/1.4294967297\r\nHost: h\r\n\r\n"), 505 },
	{ BYTES("BREW / HTTP/1.1\r\nHost: h\r\n\r\n"), 501 },
	{ BYTES("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), 400 },
	{ BYTES("GET /?a=1&a=2 HTTP/1.1\r\nHost: h\r\n\r\n"), 400 },
};

static void assert_answer(size_t i, size_t cut, const char *answer)
{
	if (http_status_of(answer) != raw[i].status)
		fail_msg("case %zu cut at %zu: wanted %d, got: %s", i, cut, raw[i].status, answer);
	if (raw[i].status != 200 && !strstr(answer, "application/problem+json"))
		fail_msg("case %zu cut at %zu is no problem: %s", i, cut, answer);
}

static void raw_requests_get_the_answer_of_the_table_wherever_they_are_cut(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(raw); i++) {
		for (size_t cut = 0; cut < raw[i].length; cut++) {
			AUTO(free) char *answer = NULL;
			int fd = dial(*state);

			if (cut) {
				http_say(fd, raw[i].bytes, cut);
				wait_until_read(fd);
			}
			/* The server may have refused and closed already. */
			(void)!send(fd, raw[i].bytes + cut, raw[i].length - cut, MSG_NOSIGNAL);
			answer = http_hear(fd);
			assert_answer(i, cut, answer);
		}
	}
}

static void a_second_request_in_the_same_breath_gets_one_refusal(void **state)
{
	AUTO(free) char *answer = ask(*state, COUNT "GET /x HTTP/1.1\r\nHost: h\r\n\r\n");

	assert_int_equal(http_status_of(answer), 400);
	assert_non_null(strstr(answer, "request_pipelined"));
	assert_null(strstr(answer + 1, "HTTP/1.1 "));
}

/* They are never a request: what comes back is the one answer, or nothing. */
static void bytes_after_a_request_that_is_being_handled_end_the_connection_only(void **state)
{
	AUTO(free) char *answer = NULL;
	AUTO(free) char *next = NULL;
	int fd = dial(*state);

	say_text(fd, "GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
	wait_until_read(fd);
	say_text(fd, "GET /x HTTP/1.1\r\nHost: h\r\n\r\n");
	answer = http_hear(fd);
	assert_true(!*answer ||
		    (http_status_of(answer) == 200 && !strstr(answer + 1, "HTTP/1.1 ")));
	next = ask(*state, COUNT);
	assert_int_equal(http_status_of(next), 200);
}

static void a_client_that_left_before_its_answer_is_harmless(void **state)
{
	AUTO(free) char *answer = NULL;

	for (int i = 0; i < 20; i++) {
		int fd = dial(*state);

		say_text(fd, i % 2 ? "GET /later HTTP/1.1\r\nHost: h\r\n\r\n"
				   : "GET /late HTTP/1.1\r\nHost: h\r\n\r\n");
		if (i % 3)
			wait_until_read(fd);
		close(fd);
	}
	wait_for(*state, CONNECTIONS, 1);
	answer = ask(*state, COUNT);
	assert_int_equal(http_status_of(answer), 200);
}

static void a_request_that_trickles_is_refused_at_its_deadline(void **state)
{
	int64_t began = clock_mono_ms();
	AUTO(free) char *answer = NULL;
	struct pollfd answered;
	int fd = dial(*state);

	answered = (struct pollfd){ .fd = fd, .events = POLLIN };
	say_text(fd, "GET / HTTP/1.1\r\nHost: h\r\nX: ");
	while (poll(&answered, 1, 20) == 0 && clock_mono_ms() - began < 20000)
		(void)!send(fd, "a", 1, MSG_NOSIGNAL);
	answer = http_hear(fd);
	assert_int_equal(http_status_of(answer), 408);
	assert_true(clock_mono_ms() - began >= quick.request_deadline_ms);
}

static void a_connection_that_says_nothing_is_closed_at_the_deadline(void **state)
{
	AUTO(free) char *answer = http_hear(dial(*state));

	assert_string_equal(answer, "");
}

static void a_reader_that_takes_no_answer_does_not_stay(void **state)
{
	int fd = dial(*state);

	say_text(fd, "GET /big HTTP/1.1\r\nHost: h\r\n\r\n");
	wait_until_read(fd);
	wait_for(*state, CONNECTIONS, 1);
	close(fd);
}

static void a_large_answer_reaches_its_reader_whole(void **state)
{
	AUTO(free) char *answer = ask(*state, "GET /big HTTP/1.1\r\nHost: h\r\n\r\n");

	assert_true(strlen(answer) > (4 << 20));
}

/* Clock ticks that the process has used. */
static long used_ticks(pid_t pid)
{
	AUTO(free) char *path = xasprintf("/proc/%d/stat", (int)pid);
	AUTO(fclose) FILE *file = fopen(path, "re");
	long user = -1, kernel = -1;

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld %ld",
				&user, &kernel),
			 2);
	return user + kernel;
}

static void a_server_out_of_descriptors_waits_and_recovers(void **state)
{
	struct fixture *fixture = *state;
	struct rlimit few = { .rlim_cur = 16, .rlim_max = 16 };
	long before = used_ticks(fixture->pid);
	int64_t began = clock_mono_ms();
	int open[24];

	assert_int_equal(prlimit(fixture->pid, RLIMIT_NOFILE, &few, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(open); i++)
		open[i] = dial(fixture);
	/* Each is accepted in the end, and closed at its deadline. */
	for (size_t i = 0; i < ARRAY_SIZE(open); i++)
		free(http_hear(open[i]));
	assert_true(clock_mono_ms() - began >= 2 * quick.request_deadline_ms);
	assert_true(used_ticks(fixture->pid) - before < sysconf(_SC_CLK_TCK) / 4);
	wait_for(*state, CONNECTIONS, 1);
}

/* As another user: connected in a process that has become one, which is how the kernel knows. */
static int dial_as(const struct fixture *fixture, uid_t uid)
{
	int fd;

	if (geteuid() != 0)
		fail_msg("a second user is needed here: run the tests as root");
	assert_int_equal(chmod(fixture->folder, 0755) + chmod(fixture->path, 0666), 0);
	assert_int_equal(seteuid(uid), 0);
	fd = dial(fixture);
	assert_int_equal(seteuid(0), 0);
	return fd;
}

static void open_as(const struct fixture *fixture, uid_t uid, int *open, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		open[i] = dial_as(fixture, uid);
		say_text(open[i], "GET / HTTP/1.1\r\n");
		wait_until_read(open[i]);
	}
}

static char *ask_as(const struct fixture *fixture, uid_t uid)
{
	int fd = dial_as(fixture, uid);

	say_text(fd, COUNT);
	return http_hear(fd);
}

static void more_connections_than_allowed_are_told_so_at_once(void **state)
{
	AUTO(free) char *refused = NULL;
	AUTO(free) char *later = NULL;
	int open[24];

	open_as(*state, 0, open, 12);
	open_as(*state, 65534, open + 12, 12);
	refused = ask_as(*state, 1);
	assert_int_equal(http_status_of(refused), 503);
	assert_non_null(strstr(refused, "too_many_connections\""));
	assert_non_null(strstr(refused, "Retry-After: "));
	for (size_t i = 0; i < quick.connections_max; i++)
		close(open[i]);
	wait_for(*state, CONNECTIONS, 1);
	later = ask(*state, COUNT);
	assert_int_equal(http_status_of(later), 200);
}

static void one_peer_cannot_take_all_connections(void **state)
{
	AUTO(free) char *refused = NULL;
	AUTO(free) char *other = NULL;
	AUTO(free) char *later = NULL;
	int open[20];

	open_as(*state, 65534, open, quick.connections_per_peer_max);
	refused = ask_as(*state, 65534);
	assert_int_equal(http_status_of(refused), 429);
	assert_non_null(strstr(refused, "too_many_connections_of_peer"));
	assert_non_null(strstr(refused, "Retry-After: "));
	other = ask_as(*state, 0);
	assert_int_equal(http_status_of(other), 200);
	close(open[0]);
	wait_for(*state, CONNECTIONS, (long)quick.connections_per_peer_max);
	later = ask_as(*state, 65534);
	assert_int_equal(http_status_of(later), 200);
	for (size_t i = 1; i < quick.connections_per_peer_max; i++)
		close(open[i]);
}

static void a_quiet_stream_sends_heartbeats_and_ends_with_its_reader(void **state)
{
	int fd = dial(*state);
	struct text heard = TEXT_EMPTY;
	char bytes[512];

	say_text(fd, "GET /quiet HTTP/1.1\r\nHost: h\r\n\r\n");
	while (!strstr(text_get(&heard), ": heartbeat\n\n")) {
		ssize_t count = recv(fd, bytes, sizeof(bytes), 0);

		assert_true(count > 0);
		text_add_bytes(&heard, bytes, (size_t)count);
	}
	close(fd);
	text_release(&heard);
	wait_for(*state, STREAMS_ENDED, 1);
}

static void a_stream_outlives_the_deadlines_of_requests_and_answers(void **state)
{
	int64_t until = clock_mono_ms() + 2 * quick.answer_deadline_ms;
	int fd = dial(*state);
	char bytes[512];

	say_text(fd, "GET /quiet HTTP/1.1\r\nHost: h\r\n\r\n");
	while (clock_mono_ms() < until)
		assert_true(recv(fd, bytes, sizeof(bytes), 0) > 0);
	close(fd);
}

static void a_stream_may_be_silent_longer_than_the_library_waits(void **state)
{
	AUTO(free) char *answer = ask(*state, "GET /silent HTTP/1.1\r\nHost: h\r\n\r\n");

	assert_int_equal(http_status_of(answer), 200);
	assert_non_null(strstr(answer, "spoken"));
}

static void a_reader_of_a_stream_that_sends_more_is_dropped(void **state)
{
	AUTO(free) char *answer = NULL;
	char bytes[512];
	int fd = dial(*state);

	say_text(fd, "GET /quiet HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_true(recv(fd, bytes, sizeof(bytes), 0) > 0);
	say_text(fd, "more");
	answer = http_hear(fd);
	wait_for(*state, STREAMS_ENDED, 1);
}

static void a_slow_reader_of_a_stream_that_does_not_wait_is_dropped(void **state)
{
	AUTO(free) char *answer = NULL;
	int fd = dial(*state);

	say_text(fd, "GET /push HTTP/1.1\r\nHost: h\r\n\r\n");
	answer = http_hear(fd); /* it ends, although from now on everything is read */
	wait_for(*state, STREAMS_ENDED, 1);
}

static void a_reader_that_takes_nothing_is_dropped_after_a_while(void **state)
{
	int fd = dial(*state);

	say_text(fd, "GET /flow HTTP/1.1\r\nHost: h\r\n\r\n");
	wait_for(*state, STREAMS_ENDED, 1);
	close(fd);
}

static void a_stream_that_waits_for_room_reaches_a_slow_reader_whole(void **state)
{
	int fd = dial(*state);
	size_t heard = 0;
	char bytes[700];

	say_text(fd, "GET /flow HTTP/1.1\r\nHost: h\r\n\r\n");
	while (heard < 20 * quick.stream_bytes_max) {
		ssize_t count = recv(fd, bytes, sizeof(bytes), 0);

		assert_true(count > 0);
		heard += (size_t)count;
	}
	close(fd);
	wait_for(*state, STREAMS_ENDED, 1);
}

static void streams_over_the_limit_are_refused(void **state)
{
	AUTO(free) char *answer = NULL;
	char bytes[512];
	int open[4];

	for (size_t i = 0; i < quick.streams_max; i++) {
		open[i] = dial(*state);
		say_text(open[i], "GET /quiet HTTP/1.1\r\nHost: h\r\n\r\n");
		assert_true(recv(open[i], bytes, sizeof(bytes), 0) > 0);
	}
	answer = ask(*state, "GET /quiet HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_int_equal(http_status_of(answer), 429);
	for (size_t i = 0; i < quick.streams_max; i++)
		close(open[i]);
	wait_for(*state, STREAMS_ENDED, 4);
}

static void a_server_that_ends_forgets_what_is_open(void **state)
{
	/* The descriptors stay open until stop() has seen the server end well. */
	say_text(dial(*state), "GET /quiet HTTP/1.1\r\nHost: h\r\n\r\n");
	say_text(dial(*state), "GET /flow HTTP/1.1\r\nHost: h\r\n\r\n");
	say_text(dial(*state), "GET / HTTP/1.1\r\nHo");
	wait_for(*state, CONNECTIONS, 4);
}

static void a_client_that_asks_first_may_send_its_body(void **state)
{
	AUTO(free) char *answer = NULL;
	int fd = dial(*state);
	char bytes[64] = "";

	say_text(fd,
		 "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
	assert_true(recv(fd, bytes, sizeof(bytes) - 1, 0) > 0);
	assert_true(text_starts_with(bytes, "HTTP/1.1 100 "));
	say_text(fd, "abc");
	answer = http_hear(fd);
	assert_int_equal(http_status_of(answer), 200);
	assert_int_equal(http_number_in(answer, "\"body\":"), 3);
}

static void a_thousand_requests_leave_nothing_open(void **state)
{
	for (int i = 0; i < 1000; i++) {
		AUTO(free)
		char *answer = ask(*state, i % 2 ? COUNT : "GET / HTTP/1.1\nHost: h\r\n\r\n");

		assert_int_equal(http_status_of(answer), i % 2 ? 200 : 400);
	}
	wait_for(*state, CONNECTIONS, 1);
}

/* ---- the socket ---- */

static void ignore(void *arg, struct http_request *request)
{
	(void)arg;
	(void)request;
}

static void a_live_servers_socket_is_not_taken(void **state)
{
	struct fixture *fixture = *state;
	AUTO(loop_free) struct loop *loop = loop_new();
	struct http_server *second = http_server_new(loop, &quick, ignore, NULL);
	AUTO(free) char *answer = NULL;
	struct error err;

	assert_false(http_server_listen_unix(second, fixture->path, 0660, (gid_t)-1, &err));
	assert_string_equal(err.slug, "address_in_use");
	http_server_free(second);
	answer = ask(fixture, COUNT);
	assert_int_equal(http_status_of(answer), 200);
}

static void a_dead_servers_socket_is_replaced_and_has_the_mode_that_was_asked(void **unused)
{
	char folder[] = "/tmp/envd-test-XXXXXX";
	AUTO(loop_free) struct loop *loop = loop_new();
	struct http_server *server = http_server_new(loop, &quick, ignore, NULL);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	AUTO(free) char *path = NULL;
	mode_t old_mask = umask(0077);
	struct stat found;
	struct error err;
	int dead;

	(void)unused;
	assert_non_null(mkdtemp(folder));
	path = path_join(folder, "socket");
	strcpy(address.sun_path, path);
	dead = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(dead, (struct sockaddr *)&address, sizeof(address)), 0);
	close(dead);
	assert_true(http_server_listen_unix(server, path, 0660, (gid_t)-1, &err));
	assert_int_equal(stat(path, &found), 0);
	assert_int_equal(found.st_mode & 07777, 0660);
	http_server_free(server);
	assert_false(file_exists(path));
	assert_true(folder_remove(folder, &err));
	umask(old_mask);
}

static void what_is_no_socket_is_left_alone(void **unused)
{
	char file[] = "/tmp/envd-test-XXXXXX";
	AUTO(close) int fd = mkstemp(file);
	AUTO(loop_free) struct loop *loop = loop_new();
	struct http_server *server = http_server_new(loop, &quick, ignore, NULL);
	struct error err;

	(void)unused;
	assert_false(http_server_listen_unix(server, file, 0660, (gid_t)-1, &err));
	assert_string_equal(err.slug, "address_in_use");
	http_server_free(server);
	assert_true(file_exists(file));
	unlink(file);
}

#define served(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		served(a_request_is_answered_and_the_connection_closed),
		served(raw_requests_get_the_answer_of_the_table_wherever_they_are_cut),
		served(a_second_request_in_the_same_breath_gets_one_refusal),
		served(bytes_after_a_request_that_is_being_handled_end_the_connection_only),
		served(a_client_that_left_before_its_answer_is_harmless),
		served(a_request_that_trickles_is_refused_at_its_deadline),
		served(a_connection_that_says_nothing_is_closed_at_the_deadline),
		served(a_reader_that_takes_no_answer_does_not_stay),
		served(a_large_answer_reaches_its_reader_whole),
		served(a_server_out_of_descriptors_waits_and_recovers),
		served(more_connections_than_allowed_are_told_so_at_once),
		served(one_peer_cannot_take_all_connections),
		served(a_quiet_stream_sends_heartbeats_and_ends_with_its_reader),
		served(a_stream_outlives_the_deadlines_of_requests_and_answers),
		served(a_stream_may_be_silent_longer_than_the_library_waits),
		served(a_reader_of_a_stream_that_sends_more_is_dropped),
		served(a_slow_reader_of_a_stream_that_does_not_wait_is_dropped),
		served(a_reader_that_takes_nothing_is_dropped_after_a_while),
		served(a_stream_that_waits_for_room_reaches_a_slow_reader_whole),
		served(streams_over_the_limit_are_refused),
		served(a_server_that_ends_forgets_what_is_open),
		served(a_client_that_asks_first_may_send_its_body),
		served(a_thousand_requests_leave_nothing_open),
		served(a_live_servers_socket_is_not_taken),
		cmocka_unit_test(a_dead_servers_socket_is_replaced_and_has_the_mode_that_was_asked),
		cmocka_unit_test(what_is_no_socket_is_left_alone),
	};

	if (argc == 3 && strcmp(argv[1], "--serve") == 0)
		return serve(argv[2], SERVER_READY_FD);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
