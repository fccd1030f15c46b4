/* The HTTP server over TLS: what it refuses on plain connections it refuses here, byte for byte. */
#include "http/http_tls.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <openssl/ssl.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/text.h"
#include "http/http_response.h"
#include "http/http_server.h"
#include "loop/timer.h"
#include "http/http_stream.h"
#include "tests/support/certificates.h"
#include "tests/support/http_client.h"

DEFINE_AUTO(SSL_CTX *, SSL_CTX_free)

/* ---- a server in a process of its own; its exit status says whether it ended well ---- */

enum { SERVER_READY_FD = 10, FLOW_BYTES = 2 << 20 };

static const struct http_server_settings quick = {
	.limits = { .target_bytes_max = 256,
		    .header_bytes_max = 4096,
		    .header_count_max = 16,
		    .body_bytes_max = 65536 },
	.connections_max = 12,
	.connections_per_peer_max = 20,
	.streams_max = 4,
	.request_deadline_ms = 1500,
	.answer_deadline_ms = 5000,
	.stream_bytes_max = 131072,
	.stream_stall_ms = 5000,
	.heartbeat_ms = 50,
	.library_limit_ms = 1500,
};

struct service {
	struct loop *loop;
	struct http_server *server;
	struct http_tls *tls;
	int reloads;
	int failures;
	bool is_stopping;
};

struct flow {
	struct http_stream *stream;
	size_t sent;
	struct timer *late; /* NULL: it sends at once */
};

static void send_late(void *arg)
{
	struct flow *flow = arg;

	http_stream_send(flow->stream, "spoken", 6);
	http_stream_end(flow->stream);
}

/* Long after the library would have given up a connection that it hears nothing on. */
static void speak_late(struct service *service, struct flow *flow)
{
	flow->late = timer_new(service->loop, send_late, flow);
	timer_set_ms(flow->late, 2 * quick.library_limit_ms);
}

static void send_some(void *arg)
{
	struct flow *flow = arg;
	char block[16384];

	memset(block, 'x', sizeof(block));
	while (flow->sent < FLOW_BYTES && http_stream_room(flow->stream) >= sizeof(block)) {
		http_stream_send(flow->stream, block, sizeof(block));
		flow->sent += sizeof(block);
	}
	if (flow->sent == FLOW_BYTES)
		http_stream_end(flow->stream);
}

static void on_flow_end(void *arg)
{
	timer_free(((struct flow *)arg)->late);
	free(arg);
}

static void start_flow(struct service *service, struct http_request *request, bool is_silent)
{
	struct flow *flow = xcalloc(1, sizeof(*flow));
	struct http_stream_spec spec = { .content_type = "text/plain",
					 .on_room = is_silent ? NULL : send_some,
					 .on_end = on_flow_end,
					 .arg = flow };
	struct error err;

	if (http_stream_start(request, &spec, &flow->stream, &err)) {
		if (is_silent)
			speak_late(service, flow);
		else
			send_some(flow);
		return;
	}
	free(flow);
	http_answer_problem(request, 429, &err);
}

static void on_request(void *arg, struct http_request *request)
{
	struct service *service = arg;
	AUTO(json_decref) json_t *json = NULL;
	size_t length;

	const char *path = http_request_path(request);

	if (strcmp(path, "/flow") == 0 || strcmp(path, "/silent") == 0) {
		start_flow(service, request, strcmp(path, "/silent") == 0);
		return;
	}
	http_request_body(request, &length);
	json = json_pack("{s:i, s:i, s:i, s:i, s:s}", "body", (int)length, "connections",
			 (int)http_server_connection_count(service->server), "reloads",
			 service->reloads, "failures", service->failures, "from",
			 http_request_peer(request)->address);
	http_answer_json(request, 200, json);
}

static void on_stop(void *arg)
{
	((struct service *)arg)->is_stopping = true;
}

static void on_reload(void *arg)
{
	struct service *service = arg;
	struct error err;

	if (http_tls_reload(service->tls, &err))
		service->reloads++;
	else
		service->failures++;
}

static int serve(const char *folder, const char *client_ca)
{
	AUTO(free) char *certificate = path_join(folder, "server.pem");
	AUTO(free) char *key = path_join(folder, "server.key");
	AUTO(free) char *ca = path_join(folder, client_ca);
	struct http_tls_files files = { certificate, key, *client_ca ? ca : NULL };
	struct service service = { .loop = loop_new() };
	char bound[HTTP_BOUND_SIZE];
	struct error err;

	signal(SIGPIPE, SIG_IGN);
	loop_on_signal(service.loop, SIGTERM, on_stop, &service);
	loop_on_signal(service.loop, SIGHUP, on_reload, &service);
	service.server = http_server_new(service.loop, &quick, on_request, &service);
	if (!http_tls_new(&files, &service.tls, &err) ||
	    !http_server_listen_tcp(service.server, "127.0.0.1:0", service.tls, bound, &err) ||
	    write(SERVER_READY_FD, bound, sizeof(bound)) != sizeof(bound))
		return 1;
	while (!service.is_stopping)
		loop_turn(service.loop);
	http_server_free(service.server);
	http_tls_free(service.tls);
	loop_free(service.loop);
	return 0;
}

struct fixture {
	char folder[64];
	uint16_t port;
	pid_t pid;
	SSL_CTX *client;
};

static SSL_CTX *client_context(const struct fixture *fixture, const char *ca)
{
	AUTO(free) char *path = path_join(fixture->folder, ca);
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	assert_int_equal(SSL_CTX_load_verify_locations(context, path, NULL), 1);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	return context;
}

static int begin(void **state, const char *client_ca)
{
	struct fixture *fixture = xcalloc(1, sizeof(*fixture));
	char bound[HTTP_BOUND_SIZE];
	int ready[2];

	strcpy(fixture->folder, "/tmp/envd-test-XXXXXX");
	if (!mkdtemp(fixture->folder) || pipe(ready) < 0)
		return -1;
	certificates_ca(fixture->folder, "ca");
	certificates_issue(fixture->folder, "ca", "server", "IP:127.0.0.1");
	fixture->pid = fork();
	if (fixture->pid == 0) {
		dup2(ready[1], SERVER_READY_FD);
		execl("/proc/self/exe", "test_http_tls", "--serve", fixture->folder, client_ca,
		      NULL);
		_exit(127);
	}
	close(ready[1]);
	if (read(ready[0], bound, sizeof(bound)) != sizeof(bound))
		return -1;
	close(ready[0]);
	fixture->port = (uint16_t)atoi(strrchr(bound, ':') + 1);
	fixture->client = client_context(fixture, "ca.pem");
	*state = fixture;
	return 0;
}

static int start(void **state)
{
	return begin(state, "");
}

static int start_mutual(void **state)
{
	return begin(state, "ca.pem");
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
	SSL_CTX_free(fixture->client);
	assert_true(folder_remove(fixture->folder, &err));
	free(fixture);
	return 0;
}

/* ---- a client that sends what it is told ---- */

static int dial(const struct fixture *fixture)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(fixture->port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval patience = { .tv_sec = 20 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

/* NULL when the handshake fails. */
static SSL *shake(SSL_CTX *context, int fd)
{
	SSL *ssl = SSL_new(context);

	SSL_set_fd(ssl, fd);
	if (SSL_connect(ssl) == 1)
		return ssl;
	SSL_free(ssl);
	close(fd);
	return NULL;
}

static SSL *open_tls(const struct fixture *fixture)
{
	SSL *ssl = shake(fixture->client, dial(fixture));

	assert_non_null(ssl);
	return ssl;
}

static void hang_up(SSL *ssl)
{
	close(SSL_get_fd(ssl));
	SSL_free(ssl);
}

/* Until the server closes; consumes the connection. `said_goodbye` may be NULL. */
static char *hear(SSL *ssl, bool *said_goodbye)
{
	struct text heard = TEXT_EMPTY;
	char bytes[4096];
	int count;

	while ((count = SSL_read(ssl, bytes, sizeof(bytes))) > 0)
		text_add_bytes(&heard, bytes, (size_t)count);
	if (said_goodbye)
		*said_goodbye = SSL_get_error(ssl, count) == SSL_ERROR_ZERO_RETURN;
	hang_up(ssl);
	return text_take(&heard);
}

static char *ask(const struct fixture *fixture, const char *text)
{
	SSL *ssl = open_tls(fixture);

	SSL_write(ssl, text, (int)strlen(text));
	return hear(ssl, NULL);
}

#define COUNT "GET /count HTTP/1.1\r\nHost: h\r\n\r\n"

static void wait_for(const struct fixture *fixture, const char *key, long wanted)
{
	int64_t until = clock_mono_ms() + 20000;
	long seen = -1;

	while (seen != wanted) {
		AUTO(free) char *answer = ask(fixture, COUNT);

		seen = http_number_in(answer, key);
		if (clock_mono_ms() > until)
			fail_msg("%s is %ld, not %ld", key, seen, wanted);
	}
}

#define CONNECTIONS "\"connections\":"

/* ---- */

static void a_request_is_answered_and_the_end_is_told(void **state)
{
	SSL *ssl = open_tls(*state);
	AUTO(free) char *answer = NULL;
	bool said_goodbye;

	SSL_write(ssl, COUNT, strlen(COUNT));
	answer = hear(ssl, &said_goodbye);
	assert_int_equal(http_status_of(answer), 200);
	assert_non_null(strstr(answer, "\"from\":\"127.0.0.1\""));
	assert_true(said_goodbye);
}

#define BYTES(literal) literal, sizeof(literal) - 1
static const struct {
	const char *bytes;
	size_t length;
	int status;
} raw[] = {
	{ BYTES("PATCH /x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"), 200 },
	{ BYTES("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 411 },
	{ BYTES("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhi"),
	  400 },
	{ BYTES("POST / HTTP/1.1\r\nHost: h\r\nContent-Length : 5\r\n\r\nhello"), 400 },
	{ BYTES("GET / HTTP/1.1\nHost: h\r\n\r\n"), 400 },
	{ BYTES("GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n c\r\n\r\n"), 400 },
	{ BYTES("GET / HTTP/1.1\r\nHost: h\r\nA: b\0c\r\n\r\n"), 400 },
	{ BYTES("GET / HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n"), 400 },
	{ BYTES("GET / HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"), 400 },
};

/* Each piece is a TLS record of its own. The server may refuse, answer and close between them. */
static void raw_requests_are_judged_by_their_decrypted_bytes(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(raw); i++) {
		for (size_t cut = 0; cut < raw[i].length; cut += 1 + raw[i].length / 16) {
			AUTO(free) char *answer = NULL;
			SSL *ssl = open_tls(*state);

			if (cut)
				SSL_write(ssl, raw[i].bytes, (int)cut);
			SSL_write(ssl, raw[i].bytes + cut, (int)(raw[i].length - cut));
			answer = hear(ssl, NULL);
			/* What comes after a whole request may come too late to be refused. */
			if (http_status_of(answer) != raw[i].status &&
			    !(i == ARRAY_SIZE(raw) - 1 && cut >= raw[i].length / 2))
				fail_msg("case %zu cut at %zu: wanted %d, got: %s", i, cut,
					 raw[i].status, answer);
			assert_null(strstr(answer + 1, "HTTP/1.1 "));
		}
	}
	wait_for(*state, CONNECTIONS, 1);
}

static void old_versions_of_tls_are_refused(void **state)
{
	struct fixture *fixture = *state;
	AUTO(SSL_CTX_free) SSL_CTX *old = client_context(fixture, "ca.pem");
	AUTO(SSL_CTX_free) SSL_CTX *oldest_good = client_context(fixture, "ca.pem");
	SSL *ssl;

	/* Otherwise this library would not even offer it. */
	SSL_CTX_set_security_level(old, 0);
	SSL_CTX_set_min_proto_version(old, TLS1_VERSION);
	SSL_CTX_set_max_proto_version(old, TLS1_1_VERSION);
	assert_null(shake(old, dial(fixture)));
	SSL_CTX_set_max_proto_version(oldest_good, TLS1_2_VERSION);
	ssl = shake(oldest_good, dial(fixture));
	assert_non_null(ssl);
	assert_string_equal(SSL_get_version(ssl), "TLSv1.2");
	hang_up(ssl);
}

static void a_handshake_is_not_done_again_on_a_connection(void **state)
{
	struct fixture *fixture = *state;
	AUTO(SSL_CTX_free) SSL_CTX *context = client_context(fixture, "ca.pem");
	SSL *ssl;

	SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
	ssl = shake(context, dial(fixture));
	assert_non_null(ssl);
	assert_int_equal(SSL_renegotiate(ssl), 1);
	assert_int_not_equal(SSL_do_handshake(ssl), 1);
	hang_up(ssl);
}

static void plain_http_gets_no_answer(void **state)
{
	int fd = dial(*state);
	char bytes[16];

	assert_int_equal(send(fd, COUNT, strlen(COUNT), MSG_NOSIGNAL), strlen(COUNT));
	while (recv(fd, bytes, 5, MSG_WAITALL) == 5)
		assert_memory_not_equal(bytes, "HTTP/", 5);
	close(fd);
	wait_for(*state, CONNECTIONS, 1);
}

static void who_never_finishes_the_handshake_is_cut_off(void **state)
{
	int fd = dial(*state), silent = dial(*state);
	char c;

	assert_int_equal(send(fd, "\x16\x03\x01\x02\x00\x01", 6, MSG_NOSIGNAL), 6);
	assert_true(recv(fd, &c, 1, 0) <= 0);
	assert_true(recv(silent, &c, 1, 0) <= 0);
	close(fd);
	close(silent);
	wait_for(*state, CONNECTIONS, 1);
}

static void connections_over_the_limit_are_told_so(void **state)
{
	const struct fixture *fixture = *state;
	SSL *held[12];
	AUTO(free) char *answer = NULL;

	wait_for(*state, CONNECTIONS, 1);
	for (size_t i = 0; i < ARRAY_SIZE(held); i++)
		held[i] = open_tls(fixture);
	answer = ask(fixture, COUNT);
	assert_int_equal(http_status_of(answer), 503);
	assert_non_null(strstr(answer, "too_many_connections"));
	for (size_t i = 0; i < ARRAY_SIZE(held); i++)
		hang_up(held[i]);
	wait_for(*state, CONNECTIONS, 1);
}

static void a_stream_longer_than_its_buffer_arrives_whole(void **state)
{
	static const char request[] = "GET /flow HTTP/1.1\r\nHost: h\r\n\r\n";
	SSL *ssl = open_tls(*state);
	AUTO(free) char *answer = NULL;
	size_t count = 0;

	SSL_write(ssl, request, sizeof(request) - 1);
	answer = hear(ssl, NULL);
	assert_int_equal(http_status_of(answer), 200);
	/* Chunk sizes are in hexadecimal and have none. */
	for (const char *at = strstr(answer, "\r\n\r\n"); at && *at; at++)
		count += *at == 'x';
	assert_int_equal(count, FLOW_BYTES);
	wait_for(*state, CONNECTIONS, 1);
}

static void a_stream_may_be_silent_longer_than_the_library_waits(void **state)
{
	AUTO(free) char *answer = ask(*state, "GET /silent HTTP/1.1\r\nHost: h\r\n\r\n");

	assert_int_equal(http_status_of(answer), 200);
	assert_non_null(strstr(answer, "spoken"));
	wait_for(*state, CONNECTIONS, 1);
}

static void clients_that_leave_at_any_moment_leave_nothing_open(void **state)
{
	for (int i = 0; i < 60; i++) {
		int fd = dial(*state);
		SSL *ssl;

		if (i % 3 == 0) {
			close(fd);
			continue;
		}
		ssl = shake(((struct fixture *)*state)->client, fd);
		assert_non_null(ssl);
		SSL_write(ssl, COUNT, i % 3 == 1 ? 9 : (int)strlen(COUNT));
		hang_up(ssl);
	}
	wait_for(*state, CONNECTIONS, 1);
}

/* ---- certificates ---- */

static void a_new_pair_is_used_from_the_next_connection_on(void **state)
{
	struct fixture *fixture = *state;
	AUTO(SSL_CTX_free) SSL_CTX *new_client = NULL;
	AUTO(free) char *answer = NULL;
	SSL *before = open_tls(fixture), *after;

	certificates_ca(fixture->folder, "new");
	certificates_issue(fixture->folder, "new", "server", "IP:127.0.0.1");
	new_client = client_context(fixture, "new.pem");
	kill(fixture->pid, SIGHUP);
	/* The connection from before is still good, and sees it done. */
	SSL_write(before, COUNT, strlen(COUNT));
	answer = hear(before, NULL);
	assert_int_equal(http_status_of(answer), 200);
	SSL_CTX_free(fixture->client);
	fixture->client = TAKE(new_client);
	after = open_tls(fixture);
	hang_up(after);
	wait_for(fixture, "\"reloads\":", 1);
}

static void a_broken_new_pair_changes_nothing(void **state)
{
	static const struct {
		const char *file, *content;
	} broken[] = {
		{ "server.pem", "no certificate" },
		{ "server.key", "" },
	};
	struct fixture *fixture = *state;
	struct error err;

	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		AUTO(free) char *path = path_join(fixture->folder, broken[i].file);

		assert_true(file_write_atomically(path, broken[i].content,
						  strlen(broken[i].content), 0600, &err));
		kill(fixture->pid, SIGHUP);
		wait_for(fixture, "\"failures\":", (long)i + 1);
		certificates_issue(fixture->folder, "ca", "server", "IP:127.0.0.1");
	}
	/* A key of another certificate. */
	certificates_issue(fixture->folder, "ca", "other", "IP:127.0.0.1");
	{
		AUTO(free) char *from = path_join(fixture->folder, "other.key");
		AUTO(free) char *to = path_join(fixture->folder, "server.key");

		assert_int_equal(rename(from, to), 0);
	}
	kill(fixture->pid, SIGHUP);
	wait_for(fixture, "\"failures\":", 3);
	wait_for(fixture, "\"reloads\":", 0);
}

static void changes_of_the_files_are_noticed_once(void **state)
{
	struct fixture *fixture = *state;
	AUTO(free) char *certificate = path_join(fixture->folder, "server.pem");
	AUTO(free) char *key = path_join(fixture->folder, "server.key");
	struct http_tls_files files = { certificate, key, NULL };
	struct http_tls *tls;
	struct error err;

	assert_true(http_tls_new(&files, &tls, &err));
	assert_false(http_tls_has_changed(tls));
	assert_true(file_write_atomically(key, "broken", 6, 0600, &err));
	assert_true(http_tls_has_changed(tls));
	assert_false(http_tls_reload(tls, &err));
	assert_string_equal(err.slug, "tls_unusable");
	assert_non_null(strstr(err.message, key));
	assert_false(http_tls_has_changed(tls));
	certificates_issue(fixture->folder, "ca", "server", "IP:127.0.0.1");
	assert_true(http_tls_has_changed(tls));
	assert_true(http_tls_reload(tls, &err));
	http_tls_free(tls);
}

static void without_a_certificate_of_the_client_ca_nobody_gets_in(void **state)
{
	struct fixture *fixture = *state;
	AUTO(free) char *certificate = path_join(fixture->folder, "agent.pem");
	AUTO(free) char *key = path_join(fixture->folder, "agent.key");
	AUTO(free) char *nobody = NULL, *stranger = NULL, *agent = NULL;

	/* In TLS 1.3 the client hears of it only after its own part of the handshake. */
	nobody = ask(fixture, COUNT);
	assert_string_equal(nobody, "");
	certificates_ca(fixture->folder, "strangers");
	certificates_issue(fixture->folder, "strangers", "agent", "DNS:agent");
	assert_int_equal(SSL_CTX_use_certificate_file(fixture->client, certificate, 1), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey_file(fixture->client, key, 1), 1);
	stranger = ask(fixture, COUNT);
	assert_string_equal(stranger, "");
	certificates_issue(fixture->folder, "ca", "agent", "DNS:agent");
	assert_int_equal(SSL_CTX_use_certificate_file(fixture->client, certificate, 1), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey_file(fixture->client, key, 1), 1);
	agent = ask(fixture, COUNT);
	assert_int_equal(http_status_of(agent), 200);
}

static void plain_http_is_for_loopback_only(void **unused)
{
	struct loop *loop = loop_new();
	struct http_server *server = http_server_new(loop, &quick, on_request, NULL);
	char bound[HTTP_BOUND_SIZE];
	struct error err;

	(void)unused;
	assert_false(http_server_listen_tcp(server, "0.0.0.0:0", NULL, bound, &err));
	assert_string_equal(err.slug, "address_not_loopback");
	assert_false(http_server_listen_tcp(server, "[::]:0", NULL, bound, &err));
	assert_string_equal(err.slug, "address_not_loopback");
	assert_true(http_server_listen_tcp(server, "127.0.0.1:0", NULL, bound, &err));
	/* Taken now. */
	assert_false(http_server_listen_tcp(server, bound, NULL, bound, &err));
	assert_string_equal(err.slug, "address_in_use");
	http_server_free(server);
	loop_free(loop);
}

static void an_address_must_be_host_and_port(void **unused)
{
	static const char *const wrong[] = { "",    "8443",     ":8443", "host",
					     "::1", "::1:8443", "[::1]", "127.0.0.1:",
					     "a:b", "[]:8443",  "h:-1",  "127.0.0.1:http" };
	struct loop *loop = loop_new();
	struct http_server *server = http_server_new(loop, &quick, on_request, NULL);
	char bound[HTTP_BOUND_SIZE];
	struct error err;

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		if (http_server_listen_tcp(server, wrong[i], NULL, bound, &err))
			fail_msg("\"%s\" was taken", wrong[i]);
		assert_string_equal(err.slug, "address_invalid");
	}
	http_server_free(server);
	loop_free(loop);
}

#define served(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		served(a_request_is_answered_and_the_end_is_told),
		served(raw_requests_are_judged_by_their_decrypted_bytes),
		served(old_versions_of_tls_are_refused),
		served(a_handshake_is_not_done_again_on_a_connection),
		served(plain_http_gets_no_answer),
		served(who_never_finishes_the_handshake_is_cut_off),
		served(connections_over_the_limit_are_told_so),
		served(a_stream_longer_than_its_buffer_arrives_whole),
		served(a_stream_may_be_silent_longer_than_the_library_waits),
		served(clients_that_leave_at_any_moment_leave_nothing_open),
		served(a_new_pair_is_used_from_the_next_connection_on),
		served(a_broken_new_pair_changes_nothing),
		served(changes_of_the_files_are_noticed_once),
		cmocka_unit_test_setup_teardown(
		    without_a_certificate_of_the_client_ca_nobody_gets_in, start_mutual, stop),
		cmocka_unit_test(plain_http_is_for_loopback_only),
		cmocka_unit_test(an_address_must_be_host_and_port),
	};

	if (argc == 4 && strcmp(argv[1], "--serve") == 0)
		return serve(argv[2], argv[3]);
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
