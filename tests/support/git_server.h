/*
 * git_server.h - for tests: a real git server on loopback (git_server.py), a working copy whose
 * commits it serves as "demo.git", and the task "source" of the real `envd worker` against it.
 */
#ifndef TESTS_SUPPORT_GIT_SERVER_H
#define TESTS_SUPPORT_GIT_SERVER_H

#include <jansson.h>
#include <sys/types.h>

#include "base/cleanup.h"

struct git_server {
	char folder[64];
	pid_t pid;
	int https;
	int ssh;
};

/* With one commit on "main" of demo.git: templates/hello, which runs on the test image. */
struct git_server *git_server_start(void);
/* Its folder goes with it. */
void git_server_stop(struct git_server *server);
DEFINE_AUTO(struct git_server *, git_server_stop)

/* Nobody answers any more; the folder stays. */
void git_server_end(struct git_server *server);

/* A switch of git_server.py; NULL turns it off. */
void git_server_set(const struct git_server *server, const char *name, const char *value);

/* A shell script in the working copy; must succeed. `git publish` is a push of all branches and
 * tags. What it prints is returned without the last newline; the caller frees. */
char *git_server_do(const struct git_server *server, const char *script);

/* "https" or "ssh"; the caller frees. */
char *git_server_url(const struct git_server *server, const char *scheme, const char *repository);

/* FOLDER/NAME; the caller frees. */
char *git_server_path(const struct git_server *server, const char *name);

/* "source" of a request for demo.git by https, everything right; `ref` may be NULL. New reference.
 */
json_t *git_server_source(const struct git_server *server, const char *ref);

/* The result line of the worker that was asked for `source`, which is taken. New reference. */
json_t *git_server_ask(const struct git_server *server, json_t *source);

/* The same, begun: to be killed, or waited for with git_server_finish(). */
pid_t git_server_begin(const struct git_server *server, json_t *source, const char *answer);
json_t *git_server_finish(const struct git_server *server, pid_t pid, const char *answer);

#endif
