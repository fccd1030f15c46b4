#include "cli/forward_named.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/interrupt.h"
#include "cli/relay.h"
#include "cli/tunnel_link.h"

enum { CHILDREN_MAX = 64 };

/* ---- which ---- */

static bool nothing_of(const json_t *all, const char *one, struct error *err)
{
	AUTO(text_release) struct text names = TEXT_EMPTY;
	const json_t *forward;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)all, i, forward)
		text_format(&names, "%s%s", names.length ? ", " : "",
			    json_get_string(forward, "name", "?"));
	if (one)
		error_set_as(
		    err, ERR_NOT_FOUND, "forward_not_found",
		    "\"%s\" is not SERVICE:PORT, and none of the forwards that its template "
		    "names",
		    one);
	else
		error_set_as(err, ERR_NOT_FOUND, "forward_not_found",
			     "its template names no forwards: which SERVICE:PORT?");
	return names.length ? error_hint(err, "there are: %s", text_get(&names)) : false;
}

bool forward_named_fetch(struct api_client *client, const char *name, const char *one,
			 json_t **forwards, struct error *err)
{
	AUTO(free) char *path = api_path("/v1/environments/%s/services", name);
	AUTO(json_decref) json_t *answer = NULL;
	AUTO(json_decref) json_t *chosen = json_array();
	json_t *forward;
	size_t i;

	if (!api_get(client, path, &answer, err))
		return false;
	json_array_foreach(json_object_get(answer, "forwards"), i, forward)
		if (!one || text_equal(json_get_string(forward, "name", ""), one))
			json_array_append(chosen, forward);
	if (!json_array_size(chosen))
		return nothing_of(json_object_get(answer, "forwards"), one, err);
	*forwards = TAKE(chosen);
	return true;
}

/* ---- one, in its process ---- */

static void on_failure(void *arg, const struct error *failure)
{
	fprintf(stderr, "%s: %s\n", (const char *)arg, failure->message);
}

static void serve(struct api_client *client, const char *name, const json_t *forward, int listen_fd)
{
	AUTO(free) char *path = api_path("/v1/environments/%s/forward", name);
	AUTO(json_decref)
	json_t *body = json_pack("{s:s, s:O}", "service", json_get_string(forward, "name", ""),
				 "port", json_object_get(forward, "port"));
	struct tunnel_links links = { .listen_fd = listen_fd,
				      .wake_fd = interrupt_fd(),
				      .client = client,
				      .path = path,
				      .body = body,
				      .on_failure = on_failure,
				      .arg =
					  (void *)(uintptr_t)json_get_string(forward, "name", "") };
	struct error ignored; /* it always ends so */

	(void)!tunnel_links_run(&links, &ignored);
}

static bool start(struct api_client *client, const char *name, const json_t *forward, int listen_fd,
		  pid_t *pid, struct error *err)
{
	pid_t self = getpid();

	*pid = fork();
	if (*pid < 0)
		return error_set_errno(err, errno, "cannot start a process");
	if (*pid)
		return true;
	/* As an interrupt is: it ends its connections, too. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() == self)
		serve(client, name, forward, listen_fd);
	fflush(NULL);
	_exit(0);
}

/* ---- all of them ---- */

/* Where people look for it, or anywhere when somebody else is there. */
static bool listen_for(const json_t *forward, int64_t local, int *listen_fd, int *chosen,
		       struct error *err)
{
	int64_t own = json_get_int64(forward, "local", 0);

	if (local >= 0)
		return relay_listen(local, listen_fd, chosen, err);
	if (relay_listen(own, listen_fd, chosen, err))
		return true;
	if (!own || !relay_listen(0, listen_fd, chosen, err))
		return false;
	fprintf(stderr, "port %lld is taken: %s gets another one\n", (long long)own,
		json_get_string(forward, "name", "?"));
	return true;
}

static bool start_all(struct api_client *client, const char *name, const json_t *forwards,
		      int64_t local, pid_t *children, size_t *count, struct error *err)
{
	const json_t *forward;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)forwards, i, forward) {
		AUTO(close) int listen_fd = -1;
		int chosen;

		if (i == CHILDREN_MAX)
			break;
		if (!listen_for(forward, local, &listen_fd, &chosen, err) ||
		    !start(client, name, forward, listen_fd, &children[*count], err))
			return false;
		++*count;
		/* For scripts: one line each. */
		printf("%s 127.0.0.1:%d\n", json_get_string(forward, "name", "?"), chosen);
		fprintf(stderr, "  %s in namespace %s, port %lld\n",
			json_get_string(forward, "service", "?"),
			json_get_string(forward, "namespace", "?"),
			(long long)json_get_int64(forward, "port", 0));
		fflush(stdout);
	}
	return true;
}

static void end_all(const pid_t *children, size_t count)
{
	for (size_t i = 0; i < count; i++)
		kill(children[i], SIGTERM);
	for (size_t i = 0; i < count; i++)
		while (waitpid(children[i], NULL, 0) < 0 && errno == EINTR)
			;
}

bool forward_named_run(struct api_client *client, const char *name, const json_t *forwards,
		       int64_t local, struct error *err)
{
	pid_t children[CHILDREN_MAX];
	size_t count = 0;
	struct pollfd interrupted = { .fd = interrupt_fd(), .events = POLLIN };
	bool started = start_all(client, name, forwards, local, children, &count, err);

	if (started) {
		fprintf(stderr, "through %s until Ctrl-C\n", api_client_server(client));
		while (poll(&interrupted, 1, -1) < 0 && errno == EINTR)
			;
	}
	end_all(children, count);
	return started && error_set_as(err, ERR_TIMEOUT, SLUG_INTERRUPTED, "interrupted");
}
