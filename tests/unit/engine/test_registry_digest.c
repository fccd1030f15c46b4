/* What a registry answers, by a small server of the test's own that says it as the distribution API
 * does. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/json_read.h"
#include "base/text.h"
#include "engine/pulumi/registry_digest.h"

#define DIGEST "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct server {
	pid_t pid;
	int port;
};

/* By the path that is asked for. */
static const char *answer_to(const char *request)
{
	if (strstr(request, "HEAD /v2/team/app/manifests/v1 "))
		return "HTTP/1.1 200 OK\r\nDocker-Content-Digest: " DIGEST "\r\n";
	if (strstr(request, "/v2/team/secret/"))
		return "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer "
		       "realm=\"http://127.0.0.1:1/token\",service=\"s\"\r\n";
	return "HTTP/1.1 404 Not Found\r\n";
}

static void serve(int listener)
{
	for (;;) {
		AUTO(close) int fd = accept(listener, NULL, NULL);
		char request[4096];
		ssize_t length = recv(fd, request, sizeof(request) - 1, 0);

		if (length <= 0)
			continue;
		request[length] = '\0';
		dprintf(fd, "%sContent-Length: 0\r\nConnection: close\r\n\r\n", answer_to(request));
	}
}

static int open_server(void **state)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t size = sizeof(address);
	struct server *server = xcalloc(1, sizeof(*server));
	AUTO(close) int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(listener, 5), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	server->port = ntohs(address.sin_port);
	server->pid = fork();
	if (server->pid == 0)
		serve(listener);
	*state = server;
	return 0;
}

static int close_server(void **state)
{
	struct server *server = *state;

	kill(server->pid, SIGKILL);
	waitpid(server->pid, NULL, 0);
	free(server);
	return 0;
}

/* What "127.0.0.1:PORT/NAME" comes to. */
static char *digest_of(int port, const char *name)
{
	AUTO(free) char *image = xasprintf("127.0.0.1:%d/%s", port, name);
	AUTO(json_decref) json_t *images = json_pack("[s]", image);
	AUTO(json_decref) json_t *digests = registry_digests(images);

	return xstrdup(json_get_string(digests, image, "(nothing)"));
}

static void must_say(int port, const char *name, const char *words)
{
	AUTO(free) char *digest = digest_of(port, name);

	if (!strstr(digest, words))
		fail_msg("says \"%s\", expected \"%s\"", digest, words);
}

static void a_tag_is_what_its_registry_says(void **state)
{
	const struct server *server = *state;
	AUTO(free) char *digest = digest_of(server->port, "team/app:v1");

	assert_string_equal(digest, DIGEST);
}

static void what_cannot_be_resolved_says_why(void **state)
{
	const struct server *server = *state;

	must_say(server->port, "team/app:v2", "unresolved, because 127.0.0.1:");
	must_say(server->port, "team/app:v2", "has no such image");
	must_say(server->port, "team/secret:v1", "does not let us see it");
	/* Port 1 has nobody. */
	must_say(1, "team/app:v1", "unresolved, because 127.0.0.1:1 does not answer: ");
}

static void a_digest_is_one_already(void **state)
{
	AUTO(free) char *digest = digest_of(1, "team/app@" DIGEST);

	(void)state;
	assert_string_equal(digest, DIGEST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_tag_is_what_its_registry_says, open_server,
						close_server),
		cmocka_unit_test_setup_teardown(what_cannot_be_resolved_says_why, open_server,
						close_server),
		cmocka_unit_test(a_digest_is_one_already),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
