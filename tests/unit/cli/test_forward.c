/*
 * `envctl forward`: bytes of many connections arrive in order, and whoever has said all is told so.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/json_read.h"
#include "base/text.h"
#include "tests/support/cli_session.h"

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

enum { CONNECTIONS = 20, BYTES = 300000 };

static int listen_somewhere(int *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

static int connect_to(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((uint16_t)port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* Says back what it was told, but only after the end of it. */
static void answer_one(int fd)
{
	AUTO(text_release) struct text heard = TEXT_EMPTY;
	char bytes[65536];
	ssize_t length;

	while ((length = read(fd, bytes, sizeof(bytes))) > 0)
		text_add_bytes(&heard, bytes, (size_t)length);
	for (size_t sent = 0; sent < heard.length;) {
		length = send(fd, heard.bytes + sent, heard.length - sent, MSG_NOSIGNAL);
		if (length <= 0)
			break;
		sent += (size_t)length;
	}
	close(fd);
}

/* A process for each connection, as the other end is slow in its own way. */
static pid_t serve_echo(int listen_fd)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		int fd = accept(listen_fd, NULL, NULL);

		if (fork() == 0) {
			answer_one(fd);
			_exit(0);
		}
		close(fd);
	}
}

static struct fake_server *serve_environment(int port)
{
	return fake_server_start(json_pack(
	    "[{s:s, s:s, s:[{s:{s:s, s:[{s:s, s:[{s:s, s:i, s:i}]}]}}]},"
	    " {s:s, s:s, s:[{s:{s:[{s:s, s:s, s:s, s:i, s:i}]}}]}]",
	    "method", "GET", "path", "/v1/environments/demo", "answers", "json", "name", "demo",
	    "services", "name", "web", "addresses", "host", "127.0.0.1", "port", port,
	    "container_port", 80, "method", "GET", "path", "/v1/environments/demo/services",
	    "answers", "json", "forwards", "name", "grafana", "namespace", "prometheus", "service",
	    "prometheus-grafana", "port", 80, "local", 3000));
}

static struct cli_session *start(const struct fake_server *server, int *port)
{
	struct cli_session *run = cli_start(&(struct cli_spec){
	    .server = server, .arguments = WORDS("forward", "demo", "web:80") });

	cli_await(run, "until Ctrl-C");
	cli_await_out(run, "\n");
	assert_int_equal(sscanf(text_get(&run->out), "127.0.0.1:%d", port), 1);
	return run;
}

static void stop(struct cli_session *run)
{
	kill(run->pid, SIGINT);
	cli_finish(run);
	assert_true(WIFSIGNALED(run->status));
	assert_int_equal(WTERMSIG(run->status), SIGINT);
}

static char *many_bytes(int seed)
{
	char *bytes = xcalloc(1, BYTES + 1);

	for (int i = 0; i < BYTES; i++)
		bytes[i] = (char)('a' + (i * 7 + seed + i / 1000) % 26);
	return bytes;
}

static void many_connections_get_back_what_they_said(void **unused)
{
	int published, port, listen_fd = listen_somewhere(&published), fds[CONNECTIONS];
	AUTO(fake_server_stop) struct fake_server *server = serve_environment(published);
	AUTO(cli_free) struct cli_session *run = NULL;
	pid_t echo;

	(void)unused;
	assert_int_equal(listen(listen_fd, 64), 0);
	echo = serve_echo(listen_fd);
	run = start(server, &port);
	for (int i = 0; i < CONNECTIONS; i++)
		fds[i] = connect_to(port);
	for (int i = 0; i < CONNECTIONS; i++) {
		AUTO(free) char *said = many_bytes(i);

		assert_int_equal(send(fds[i], said, BYTES, MSG_NOSIGNAL), BYTES);
		shutdown(fds[i], SHUT_WR);
	}
	for (int i = 0; i < CONNECTIONS; i++) {
		AUTO(free) char *said = many_bytes(i);
		AUTO(free) char *heard = xcalloc(1, BYTES + 1);

		assert_int_equal(recv(fds[i], heard, BYTES, MSG_WAITALL), BYTES);
		assert_string_equal(heard, said);
		assert_int_equal(recv(fds[i], heard, 1, 0), 0);
		close(fds[i]);
	}
	stop(run);
	kill(echo, SIGKILL);
	waitpid(echo, NULL, 0);
	close(listen_fd);
}

static void a_service_that_does_not_listen_is_said_and_the_next_one_served(void **unused)
{
	int published, port, listen_fd = listen_somewhere(&published), fd;
	AUTO(fake_server_stop) struct fake_server *server = serve_environment(published);
	AUTO(cli_free) struct cli_session *run = start(server, &port);
	char byte;
	pid_t echo;

	(void)unused;
	/* Bound, and nobody listens yet. */
	fd = connect_to(port);
	assert_true(recv(fd, &byte, 1, 0) <= 0);
	close(fd);
	cli_await(run, "Connection refused");
	assert_int_equal(listen(listen_fd, 64), 0);
	echo = serve_echo(listen_fd);
	fd = connect_to(port);
	assert_int_equal(send(fd, "x", 1, 0), 1);
	shutdown(fd, SHUT_WR);
	assert_int_equal(recv(fd, &byte, 1, MSG_WAITALL), 1);
	close(fd);
	stop(run);
	kill(echo, SIGKILL);
	waitpid(echo, NULL, 0);
	close(listen_fd);
}

static void what_cannot_be_forwarded_is_named(void **unused)
{
	int taken, listen_fd = listen_somewhere(&taken);
	AUTO(free) char *local = xasprintf("%d", taken);
	AUTO(fake_server_stop) struct fake_server *server = serve_environment(1);
	const struct {
		const char *goal, *local, *words;
		int status;
	} cases[] = {
		{ "web", NULL, "is not SERVICE:PORT", 6 },
		{ "web", NULL, "there are: grafana", 6 },
		{ "grafana", "70000", "LOCAL \"70000\" is no port", 2 },
		{ "web:http", NULL, "PORT \"http\" is no port", 2 },
		{ "web:80", "70000", "LOCAL \"70000\" is no port", 2 },
		{ "db:80", NULL, "has no service \"db\"", 6 },
		{ "web:80", local, "cannot listen on 127.0.0.1", 1 },
	};

	(void)unused;
	assert_int_equal(listen(listen_fd, 1), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO(cli_free)
		struct cli_session *run = cli_run(&(struct cli_spec){
		    .server = server,
		    .arguments = WORDS("forward", "demo", cases[i].goal, cases[i].local) });

		assert_int_equal(cli_exit_status(run), cases[i].status);
		if (!strstr(text_get(&run->err), cases[i].words))
			fail_msg("%s", text_get(&run->err));
	}
	close(listen_fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_connections_get_back_what_they_said),
		cmocka_unit_test(a_service_that_does_not_listen_is_said_and_the_next_one_served),
		cmocka_unit_test(what_cannot_be_forwarded_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
