#include "tests/support/cli_session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/json_read.h"
#include "cli/command.h"

enum { AWAIT_MS = 20000, FINISH_MS = 30000, ARGUMENTS_ROOM = 40 };

/* ---- the server ---- */

static void exec_server(const char *socket, const char *script, const char *log, int out)
{
	/* A test that fails jumps out without stopping it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(out, STDOUT_FILENO);
	execlp("python3", "python3", "tests/support/fake_server.py", socket, script, log, NULL);
	_exit(127);
}

static void await_ready(int fd)
{
	char said[8] = "";
	struct pollfd readable = { .fd = fd, .events = POLLIN };

	if (poll(&readable, 1, AWAIT_MS) != 1 || read(fd, said, 5) != 5 || strcmp(said, "ready"))
		fail_msg("tests/support/fake_server.py did not start (python3 is needed)");
}

struct fake_server *fake_server_start(json_t *routes)
{
	struct fake_server *server = xcalloc(1, sizeof(*server));
	AUTO(json_decref) json_t *script = json_pack("{s:o}", "routes", routes);
	AUTO(free) char *text = json_to_text(script);
	AUTO(free) char *path = NULL;
	struct error err;
	int pipe_fds[2];

	strcpy(server->folder, "/tmp/envctl-test-XXXXXX");
	assert_non_null(mkdtemp(server->folder));
	server->socket = path_join(server->folder, "envd.sock");
	server->log = path_join(server->folder, "log");
	path = path_join(server->folder, "script.json");
	assert_true(file_write_atomically(path, text, strlen(text), 0600, &err));
	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	server->pid = fork();
	if (server->pid == 0)
		exec_server(server->socket, path, server->log, pipe_fds[1]);
	close(pipe_fds[1]);
	await_ready(pipe_fds[0]);
	close(pipe_fds[0]);
	return server;
}

void fake_server_stop(struct fake_server *server)
{
	struct error ignored; /* a folder in /tmp that stays is no reason to fail */

	if (!server)
		return;
	kill(server->pid, SIGKILL);
	waitpid(server->pid, NULL, 0);
	if (!folder_remove(server->folder, &ignored))
		fprintf(stderr, "%s stays: %s\n", server->folder, ignored.message);
	free(server->socket);
	free(server->log);
	free(server);
}

json_t *fake_server_requests(const struct fake_server *server)
{
	AUTO(free) char *text = NULL;
	json_t *requests = json_array();
	struct error ignored; /* no log: no request yet */

	if (!file_read(server->log, 16 * 1024 * 1024, &text, NULL, &ignored))
		return requests;
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		json_array_append_new(requests, json_loads(line, 0, NULL));
	return requests;
}

size_t fake_server_count(const struct fake_server *server, const char *method, const char *path)
{
	AUTO(json_decref) json_t *requests = fake_server_requests(server);
	size_t i, count = 0;
	json_t *request;

	json_array_foreach(requests, i, request) {

		count += text_equal(json_get_string(request, "method", ""), method) &&
			 text_equal(json_get_string(request, "path", ""), path);
	}
	return count;
}

void fake_server_await(const struct fake_server *server, const char *method, const char *path,
		       size_t count)
{
	int64_t deadline_ms = clock_mono_ms() + AWAIT_MS;

	while (fake_server_count(server, method, path) < count) {
		if (clock_mono_ms() > deadline_ms)
			fail_msg("%zu times %s %s did not come", count, method, path);
		poll(NULL, 0, 20);
	}
}

/* ---- the command ---- */

static void set_variables(const struct cli_spec *spec)
{
	AUTO(free) char *path = xstrdup(getenv("PATH"));
	AUTO(free)
	char *server = xasprintf("unix:%s", spec->server ? spec->server->socket
							 : "/tmp/envctl-test-no-such-socket");

	clearenv();
	setenv("PATH", path, 1);
	setenv("TERM", "xterm", 1);
	setenv("ENVCTL_SERVER", server, 1);
	for (const char *const *at = spec->variables; at && *at; at++) {
		const char *equals = strchr(*at, '=');
		AUTO(free) char *name = xstrndup(*at, (size_t)(equals - *at));

		setenv(name, equals + 1, 1);
	}
}

static void run_child(const struct cli_spec *spec)
{
	char *argv[ARGUMENTS_ROOM] = { xstrdup("envctl") };
	int argc = 1;

	for (const char *const *at = spec->arguments; at && *at; at++)
		argv[argc++] = xstrdup(*at);
	set_variables(spec);
	if (spec->folder && chdir(spec->folder) < 0)
		_exit(127);
	signal(SIGINT, SIG_DFL);
	if (spec->program) {
		execvp(spec->program[0], (char *const *)(uintptr_t)spec->program);
		_exit(127);
	}
	/* Not exit(): the test program's own atexit handlers are not the child's. */
	argc = command_main(argc, argv);
	fflush(NULL);
	_exit(argc);
}

static void start_on_terminal(struct cli_session *session, const struct cli_spec *spec)
{
	struct winsize size = { .ws_col = spec->columns, .ws_row = 24 };

	session->pid = forkpty(&session->err_fd, NULL, NULL, &size);
	if (session->pid == 0)
		run_child(spec);
}

static void start_on_pipes(struct cli_session *session, const struct cli_spec *spec)
{
	int out[2], err[2];

	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(pipe2(err, O_CLOEXEC), 0);
	session->pid = fork();
	if (session->pid == 0) {
		dup2(out[1], STDOUT_FILENO);
		dup2(err[1], STDERR_FILENO);
		run_child(spec);
	}
	close(out[1]);
	close(err[1]);
	session->out_fd = out[0];
	session->err_fd = err[0];
}

struct cli_session *cli_start(const struct cli_spec *spec)
{
	struct cli_session *session = xcalloc(1, sizeof(*session));

	session->out_fd = session->err_fd = -1;
	fflush(NULL);
	if (spec->columns)
		start_on_terminal(session, spec);
	else
		start_on_pipes(session, spec);
	assert_true(session->pid > 0);
	return session;
}

/* False at its end; a terminal's end reads as EIO. */
static bool drain(int *fd, struct text *into)
{
	char bytes[4096];
	ssize_t length = read(*fd, bytes, sizeof(bytes));

	if (length > 0) {
		text_add_bytes(into, bytes, (size_t)length);
		return true;
	}
	close(*fd);
	*fd = -1;
	return false;
}

/* What is there within `ms`; false when both streams are at their end. */
static bool listen_for(struct cli_session *session, int64_t ms)
{
	struct pollfd fds[] = { { .fd = session->out_fd, .events = POLLIN },
				{ .fd = session->err_fd, .events = POLLIN } };

	if (session->out_fd < 0 && session->err_fd < 0)
		return false;
	if (poll(fds, 2, (int)ms) <= 0)
		return true;
	if (fds[0].revents)
		drain(&session->out_fd, &session->out);
	if (fds[1].revents)
		drain(&session->err_fd, &session->err);
	return true;
}

static void give_up(struct cli_session *session, const char *why)
{
	kill(session->pid, SIGKILL);
	fail_msg("%s\nstdout: %s\nstderr: %s", why, text_get(&session->out),
		 text_get(&session->err));
}

static void await_in(struct cli_session *session, const struct text *stream, const char *words)
{
	int64_t deadline_ms = clock_mono_ms() + AWAIT_MS;

	while (!strstr(text_get(stream), words))
		if (!listen_for(session, 100) || clock_mono_ms() > deadline_ms)
			give_up(session, words);
}

void cli_await(struct cli_session *session, const char *words)
{
	await_in(session, &session->err, words);
}

void cli_await_out(struct cli_session *session, const char *words)
{
	await_in(session, &session->out, words);
}

void cli_type(struct cli_session *session, const char *keys)
{
	assert_int_equal(write(session->err_fd, keys, strlen(keys)), strlen(keys));
}

void cli_finish(struct cli_session *session)
{
	int64_t deadline_ms = clock_mono_ms() + FINISH_MS;

	while (listen_for(session, 100))
		if (clock_mono_ms() > deadline_ms)
			give_up(session, "it did not end");
	waitpid(session->pid, &session->status, 0);
	session->pid = 0;
}

void cli_free(struct cli_session *session)
{
	if (!session)
		return;
	if (session->pid) {
		kill(session->pid, SIGKILL);
		waitpid(session->pid, NULL, 0);
	}
	if (session->out_fd >= 0)
		close(session->out_fd);
	if (session->err_fd >= 0)
		close(session->err_fd);
	text_release(&session->out);
	text_release(&session->err);
	free(session);
}

struct cli_session *cli_run(const struct cli_spec *spec)
{
	struct cli_session *session = cli_start(spec);

	cli_finish(session);
	return session;
}

int cli_exit_status(const struct cli_session *session)
{
	return WIFEXITED(session->status) ? WEXITSTATUS(session->status) : -1;
}
