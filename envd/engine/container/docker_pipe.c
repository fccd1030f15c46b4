#include "engine/container/docker_pipe.h"

#include <ctype.h>
#include <curl/curl.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"

enum { HEAD_BYTES_MAX = 65536, ANSWER_LIMIT_MS = 60000 };

struct docker_pipe {
	CURL *easy;
	int fd;
	bool has_tls;
	char reason[CURL_ERROR_SIZE];
	struct text rest; /* what came with the head of the answer */
	size_t rest_read;
};

void docker_pipe_free(struct docker_pipe *pipe)
{
	if (!pipe)
		return;
	if (pipe->easy)
		curl_easy_cleanup(pipe->easy);
	text_release(&pipe->rest);
	free(pipe);
}

int docker_pipe_fd(const struct docker_pipe *pipe)
{
	return pipe->fd;
}

static ssize_t receive(struct docker_pipe *pipe, char *into, size_t size)
{
	size_t got = 0;
	CURLcode code = curl_easy_recv(pipe->easy, into, size, &got);

	if (code == CURLE_AGAIN)
		return -1;
	return code == CURLE_OK ? (ssize_t)got : 0;
}

ssize_t docker_pipe_read(struct docker_pipe *pipe, char *into, size_t size)
{
	size_t left = pipe->rest.length - pipe->rest_read;

	if (!left)
		return receive(pipe, into, size);
	if (left > size)
		left = size;
	memcpy(into, pipe->rest.bytes + pipe->rest_read, left);
	pipe->rest_read += left;
	return (ssize_t)left;
}

ssize_t docker_pipe_write(struct docker_pipe *pipe, const char *bytes, size_t length)
{
	size_t sent = 0;
	CURLcode code = curl_easy_send(pipe->easy, bytes, length, &sent);

	if (code == CURLE_AGAIN)
		return 0;
	return code == CURLE_OK ? (ssize_t)sent : -1;
}

void docker_pipe_end_input(struct docker_pipe *pipe)
{
	struct curl_tlssessioninfo *session = NULL;

	if (!pipe->has_tls) {
		shutdown(pipe->fd, SHUT_WR);
		return;
	}
	/* "I have said all", and nothing of the other direction. */
	if (curl_easy_getinfo(pipe->easy, CURLINFO_TLS_SSL_PTR, &session) == CURLE_OK && session &&
	    session->backend == CURLSSLBACKEND_OPENSSL)
		SSL_shutdown(session->internals);
}

/* ---- the call ---- */

static bool wait_for(const struct docker_pipe *pipe, short events, int64_t until_mono_ms)
{
	struct pollfd fd = { .fd = pipe->fd, .events = events };
	int64_t left_ms = until_mono_ms - clock_mono_ms();

	return left_ms > 0 && poll(&fd, 1, (int)left_ms) > 0;
}

static bool silent(const struct docker *docker, struct error *err)
{
	return error_set_as(err, ERR_TIMEOUT, "runtime_timeout",
			    "the container runtime at \"%s\" did not take a command in time",
			    docker_socket(docker));
}

static bool broken(const struct docker *docker, const char *why, struct error *err)
{
	return error_set_as(err, ERR_UNAVAILABLE, "runtime_unreachable",
			    "the container runtime at \"%s\" cannot be reached: %s",
			    docker_socket(docker), why);
}

static bool send_all(struct docker *docker, struct docker_pipe *pipe, const struct text *text,
		     int64_t until_mono_ms, struct error *err)
{
	for (size_t done = 0; done < text->length;) {
		ssize_t sent = docker_pipe_write(pipe, text->bytes + done, text->length - done);

		if (sent < 0)
			return broken(docker, "it closed the connection", err);
		done += (size_t)sent;
		if (!sent && !wait_for(pipe, POLLOUT, until_mono_ms))
			return silent(docker, err);
	}
	return true;
}

/* Until `end` is somewhere in what came; at the end of file, what there is. */
static bool read_until(struct docker *docker, struct docker_pipe *pipe, struct text *into,
		       const char *end, int64_t until_mono_ms, struct error *err)
{
	char block[4096];

	while (!end || !strstr(text_get(into), end)) {
		ssize_t got = receive(pipe, block, sizeof(block));

		if (got > 0)
			text_add_bytes(into, block, (size_t)got);
		else if (got == 0)
			return !end || broken(docker, "it closed the connection", err);
		else if (!wait_for(pipe, POLLIN, until_mono_ms))
			return silent(docker, err);
		if (into->length > HEAD_BYTES_MAX)
			return broken(docker, "its answer has no end", err);
	}
	return true;
}

/* As the error of the call that it is. */
static bool refused(struct docker *docker, struct docker_pipe *pipe, const char *path, int status,
		    int64_t until_mono_ms, struct error *err)
{
	AUTO(docker_call_free) struct docker_call *call = docker_call_new("POST", "%s", path);
	struct error ignored; /* the status says enough */

	if (!read_until(docker, pipe, &pipe->rest, NULL, until_mono_ms, &ignored))
		text_add(&pipe->rest, "");
	call->status = status;
	text_add(&call->answer, text_get(&pipe->rest));
	return docker_refusal(call, err);
}

static bool take_answer(struct docker *docker, struct docker_pipe *pipe, const char *path,
			int64_t until_mono_ms, struct error *err)
{
	AUTO(text_release) struct text head = TEXT_EMPTY;
	const char *body, *blank;
	int status;

	if (!read_until(docker, pipe, &head, "\r\n\r\n", until_mono_ms, err))
		return false;
	body = strstr(head.bytes, "\r\n\r\n") + 4;
	text_add_bytes(&pipe->rest, body, head.length - (size_t)(body - head.bytes));
	blank = strchr(head.bytes, ' ');
	status = blank ? atoi(blank) : 0;
	if (status == 101 || status == 200)
		return true;
	return refused(docker, pipe, path, status, until_mono_ms, err);
}

static bool connect_pipe(struct docker *docker, struct docker_pipe *pipe, const char *path,
			 struct error *err)
{
	curl_socket_t fd;
	CURLcode code;

	pipe->easy = curl_easy_init();
	if (!pipe->easy)
		abort();
	pipe->has_tls = docker_set_way(docker, pipe->easy, path, pipe->reason);
	curl_easy_setopt(pipe->easy, CURLOPT_CONNECT_ONLY, 1L);
	curl_easy_setopt(pipe->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(pipe->easy, CURLOPT_CONNECTTIMEOUT_MS, 5000L);
	code = curl_easy_perform(pipe->easy);
	if (code != CURLE_OK)
		return broken(docker, pipe->reason[0] ? pipe->reason : curl_easy_strerror(code),
			      err);
	curl_easy_getinfo(pipe->easy, CURLINFO_ACTIVESOCKET, &fd);
	pipe->fd = fd;
	return true;
}

bool docker_pipe_open(struct docker *docker, const char *path, json_t *body,
		      struct docker_pipe **opened, struct error *err)
{
	AUTO(docker_pipe_free) struct docker_pipe *pipe = xcalloc(1, sizeof(*pipe));
	AUTO(text_release) struct text request = TEXT_EMPTY;
	AUTO(free) char *content = json_to_text(body);
	int64_t until_mono_ms = clock_mono_ms() + ANSWER_LIMIT_MS;

	text_format(&request,
		    "POST %s%s HTTP/1.1\r\nHost: runtime\r\nConnection: Upgrade\r\n"
		    "Upgrade: tcp\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
		    docker_version(docker), path, strlen(content));
	text_add(&request, content);
	if (!connect_pipe(docker, pipe, path, err) ||
	    !send_all(docker, pipe, &request, until_mono_ms, err) ||
	    !take_answer(docker, pipe, path, until_mono_ms, err))
		return false;
	*opened = TAKE(pipe);
	return true;
}
