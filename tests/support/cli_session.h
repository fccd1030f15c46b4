/*
 * cli_session.h - envctl in a process of its own, with its streams, its variables and, where asked,
 * a terminal; and a server that says what a script tells it to (fake_server.py).
 *
 * The command is command_main() itself in a forked child, so that sanitizers and coverage see it.
 */
#ifndef TESTS_SUPPORT_CLI_SESSION_H
#define TESTS_SUPPORT_CLI_SESSION_H

#include <jansson.h>
#include <sys/types.h>

#include "base/text.h"

struct fake_server {
	pid_t pid;
	char folder[64];
	char *socket;
	char *log;
};

/* `routes`: JSON, see fake_server.py; takes the reference. Fails the test when it cannot start. */
struct fake_server *fake_server_start(json_t *routes);
void fake_server_stop(struct fake_server *server);
DEFINE_AUTO(struct fake_server *, fake_server_stop)

/* The requests so far, [{"method","path","query","headers","body"}]; new reference. */
json_t *fake_server_requests(const struct fake_server *server);

/* How many of them were METHOD PATH. */
size_t fake_server_count(const struct fake_server *server, const char *method, const char *path);

/* Until there were `count` of them; fails the test after 20 s. */
void fake_server_await(const struct fake_server *server, const char *method, const char *path,
		       size_t count);

struct cli_session {
	pid_t pid;
	int out_fd; /* with a terminal, both streams arrive here */
	int err_fd;
	struct text out;
	struct text err;
	int status; /* as waitpid() gives it, after cli_finish() */
};

struct cli_spec {
	const struct fake_server *server; /* NULL: none; then the socket is not there */
	const char *const *arguments;     /* without "envctl"; ends with NULL */
	const char *const
	    *variables;         /* NAME=VALUE; ends with NULL; may be NULL. Nothing is inherited */
	const char *folder;     /* where it runs; NULL: here */
	unsigned short columns; /* of its terminal; 0: pipes */
	const char *const *program; /* instead of envctl, with its arguments; NULL: envctl */
};

struct cli_session *cli_start(const struct cli_spec *spec);

/* Until `words` were written to stderr (or the terminal); fails the test after 20 s. */
void cli_await(struct cli_session *session, const char *words);

/* The same of stdout, where that is a pipe. */
void cli_await_out(struct cli_session *session, const char *words);

/* As if somebody typed it; only on a terminal. */
void cli_type(struct cli_session *session, const char *keys);

/* Until it ended; kills it and fails the test after 30 s. */
void cli_finish(struct cli_session *session);
void cli_free(struct cli_session *session);
DEFINE_AUTO(struct cli_session *, cli_free)

/* Start and finish. */
struct cli_session *cli_run(const struct cli_spec *spec);

/* The exit status, or -1 when a signal ended it. */
int cli_exit_status(const struct cli_session *session);

#endif
