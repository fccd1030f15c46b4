#include "engine/container/credential_helper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json_read.h"
#include "base/spawn.h"
#include "base/text.h"

#define ANSWER_BYTES_MAX ((size_t)64 * 1024)
#define SLUG "registry_credentials"
/* The words of the protocol for "I have nothing of that name": no failure. */
#define NOT_FOUND "credentials not found in native keychain"

/* Absolute path of the helper, or NULL. A name with a slash would be any program at all. */
static char *find_program(const char *name)
{
	const char *search = getenv("PATH");
	AUTO(free) char *folders = xstrdup(search ? search : "/usr/local/bin:/usr/bin:/bin");
	char *rest = folders, *folder;

	if (!name[0] ||
	    strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
			 "._-") != strlen(name))
		return NULL;
	while ((folder = strsep(&rest, ":"))) {
		AUTO(free) char *path = xasprintf("%s/docker-credential-%s", folder, name);

		if (folder[0] == '/' && access(path, X_OK) == 0)
			return TAKE(path);
	}
	return NULL;
}

/* Everything it says, until it closes its output or the time is over. */
static bool read_answer(int fd, int64_t until_mono_ms, struct text *answer)
{
	char block[4096];

	for (;;) {
		struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
		int64_t left_ms = until_mono_ms - clock_mono_ms();
		ssize_t got;

		if (left_ms <= 0 || answer->length > ANSWER_BYTES_MAX)
			return false;
		if (poll(&poll_fd, 1, (int)left_ms) <= 0)
			continue;
		got = read(fd, block, sizeof(block));
		if (got == 0)
			return true;
		if (got > 0)
			text_add_bytes(answer, block, (size_t)got);
		else if (errno != EINTR)
			return false;
	}
}

/* Waits for its end, too; true if that came in time. */
static bool wait_until(pid_t pid, int64_t until_mono_ms, int *status)
{
	while (waitpid(pid, status, WNOHANG) == 0) {
		if (clock_mono_ms() >= until_mono_ms)
			return false;
		poll(NULL, 0, 5);
	}
	return true;
}

static bool spawn_helper(const char *program, int in, int out, pid_t *pid, struct error *err)
{
	AUTO(free) char **variables = variables_pick(variables_of_workers());
	const char *const argv[] = { program, "get", NULL };

	return spawn(&(struct spawn_spec){ .argv = argv,
					   .variables = (const char *const *)variables,
					   .directory = "/",
					   .fds = (const int[]){ in, out, -1 },
					   .fd_count = 3,
					   .dies_with_parent = true },
		     pid, err);
}

static bool converse(const char *name, const char *program, const char *server, int *status,
		     struct text *answer, struct error *err)
{
	int64_t until_mono_ms = clock_mono_ms() + CREDENTIAL_HELPER_LIMIT_MS;
	int to[2] = { -1, -1 }, from[2] = { -1, -1 };
	bool is_in_time = false, is_started;
	void (*before)(int);
	pid_t pid;

	if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0)
		return error_set_errno(err, errno, "credential helper \"%s\"", name);
	is_started = spawn_helper(program, to[0], from[1], &pid, err);
	close(to[0]);
	close(from[1]);
	if (is_started) {
		/* Shorter than a pipe holds. A helper that reads nothing is judged by its answer.
		 */
		before = signal(SIGPIPE, SIG_IGN);
		if (write(to[1], server, strlen(server)) < 0)
			answer->length = 0;
		signal(SIGPIPE, before);
	}
	close(to[1]);
	if (is_started) {
		is_in_time = read_answer(from[0], until_mono_ms, answer) &&
			     wait_until(pid, until_mono_ms, status);
		if (!is_in_time) {
			kill(-pid, SIGKILL);
			waitpid(pid, status, 0);
		}
	}
	close(from[0]);
	if (is_started && !is_in_time)
		return error_set_as(err, ERR_TIMEOUT, SLUG,
				    "credential helper \"docker-credential-%s\" did not answer "
				    "for \"%s\" within %d s",
				    name, server, CREDENTIAL_HELPER_LIMIT_MS / 1000);
	return is_started;
}

static bool take_answer(const char *name, const char *server, const struct text *answer,
			char **user, char **secret, struct error *err)
{
	AUTO(json_decref) json_t *json = NULL;
	struct error ignored; /* a parser's message may quote the secret */

	if (!json_parse(text_get(answer), answer->length, "answer", &json, &ignored) ||
	    !json_get_string(json, "Username", NULL) || !json_get_string(json, "Secret", NULL))
		return error_set_as(err, ERR_EXTERNAL, SLUG,
				    "credential helper \"docker-credential-%s\" did not answer "
				    "with a Username and a Secret for \"%s\"",
				    name, server);
	*user = xstrdup(json_get_string(json, "Username", ""));
	*secret = xstrdup(json_get_string(json, "Secret", ""));
	explicit_bzero((char *)(uintptr_t)json_get_string(json, "Secret", ""), strlen(*secret));
	return true;
}

bool credential_helper_get(const char *name, const char *server, char **user, char **secret,
			   struct error *err)
{
	AUTO(free) char *program = find_program(name);
	struct text answer = TEXT_EMPTY;
	char shown[80];
	int status = 0;
	bool is_good;

	if (!program)
		return error_set_as(err, ERR_INVALID, SLUG,
				    "registry \"%s\" has its credentials in the helper "
				    "\"docker-credential-%s\", which is not on PATH",
				    server, text_printable(name, shown, sizeof(shown)));
	is_good = converse(name, program, server, &status, &answer, err);
	if (is_good && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		is_good = take_answer(name, server, &answer, user, secret, err);
	else if (is_good && !strstr(text_get(&answer), NOT_FOUND))
		is_good = error_set_as(err, ERR_EXTERNAL, SLUG,
				       "credential helper \"docker-credential-%s\" failed for "
				       "\"%s\" (status %d)",
				       name, server, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	if (answer.bytes)
		explicit_bzero(answer.bytes, answer.length);
	text_release(&answer);
	return is_good;
}
