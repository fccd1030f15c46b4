/*
 * Raw bytes through the whole of it: socket, judge, the HTTP library, our request. What reaches a
 * handler has the oracle's method, path and body; what the oracle refuses reaches none; there is
 * one answer, and the connection closes.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "http/http_response.h"
#include "http/http_server.h"
#include "http/http_target.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/http_oracle.h"

static struct {
	struct loop *loop;
	struct http_server *server;
	char folder[32];
	char path[64];
	/* of the input that is being tried */
	struct oracle_request request;
	enum oracle_verdict oracle;
	size_t handled;
} fuzz;

static void on_request(void *arg, struct http_request *request)
{
	const struct oracle_request *wanted = &fuzz.request;
	const char *question;
	AUTO(free) char *path = NULL;
	size_t length;

	(void)arg;
	fuzz.handled++;
	CLAIM(fuzz.oracle == ORACLE_COMPLETE);
	question = memchr(wanted->target, '?', wanted->target_length);
	path = http_target_decode(
	    wanted->target, question ? (size_t)(question - wanted->target) : wanted->target_length,
	    false);
	CLAIM(strlen(http_request_method(request)) == wanted->method_length);
	CLAIM(memcmp(http_request_method(request), wanted->method, wanted->method_length) == 0);
	CLAIM(strcmp(http_request_path(request), path) == 0);
	const char *body = http_request_body(request, &length);

	CLAIM(length == wanted->body_length && memcmp(body, wanted->body, length) == 0);
	http_answer_text(request, 200, "text/plain", "fine\n");
}

static void leave(void)
{
	http_server_free(fuzz.server);
	loop_free(fuzz.loop);
	rmdir(fuzz.folder);
}

static void start(void)
{
	struct error err;

	signal(SIGPIPE, SIG_IGN);
	strcpy(fuzz.folder, "/tmp/envd-fuzz-XXXXXX");
	CLAIM(mkdtemp(fuzz.folder));
	snprintf(fuzz.path, sizeof(fuzz.path), "%s/socket", fuzz.folder);
	fuzz.loop = loop_new();
	fuzz.server = http_server_new(fuzz.loop, &http_server_defaults, on_request, NULL);
	CLAIM(http_server_listen_unix(fuzz.server, fuzz.path, 0600, (gid_t)-1, &err));
	atexit(leave);
}

static int dial(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, fuzz.path);
	CLAIM(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	return fd;
}

/* Turns of the loop until the server has closed; what it said. */
static size_t hear(int fd, char *heard, size_t size)
{
	size_t length = 0;

	for (;;) {
		ssize_t count = recv(fd, heard + length, size - length, MSG_DONTWAIT);

		if (count > 0)
			length += (size_t)count;
		else if (count == 0 || errno != EAGAIN)
			return length;
		else
			loop_turn(fuzz.loop);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char heard[65536] = "";
	int fd;

	if (!fuzz.loop)
		start();
	if (size > 65536)
		return 0;
	fuzz.handled = 0;
	fuzz.oracle =
	    oracle_read(&http_server_defaults.limits, (const char *)data, size, &fuzz.request);
	fd = dial();
	CLAIM(size == 0 || send(fd, data, size, MSG_NOSIGNAL) == (ssize_t)size);
	/* Whoever waits for more is told that none will come. */
	if (fuzz.oracle == ORACLE_INCOMPLETE)
		shutdown(fd, SHUT_WR);
	heard[hear(fd, heard, sizeof(heard) - 1)] = '\0';
	close(fd);
	CLAIM(fuzz.handled <= 1);
	if (fuzz.handled)
		CLAIM(strncmp(heard, "HTTP/1.", 7) == 0 && strncmp(heard + 8, " 200 ", 5) == 0);
	else
		CLAIM(!*heard || (strncmp(heard, "HTTP/1.1 4", 10) == 0) ||
		      (strncmp(heard, "HTTP/1.1 5", 10) == 0));
	return 0;
}
