#include "tests/support/http_client.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <cmocka.h>

#include "base/text.h"

int http_dial(const char *socket_path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval patience = { .tv_sec = 60 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", socket_path);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

void http_say(int fd, const char *bytes, size_t length)
{
	assert_int_equal(send(fd, bytes, length, MSG_NOSIGNAL), length);
}

char *http_hear(int fd)
{
	struct text heard = TEXT_EMPTY;
	char block[16384];
	ssize_t got;

	while ((got = recv(fd, block, sizeof(block), 0)) > 0)
		text_add_bytes(&heard, block, (size_t)got);
	if (got < 0 && errno == EAGAIN)
		fail_msg("the connection was not closed: %s", text_get(&heard));
	close(fd);
	return text_take(&heard);
}

char *http_raw(const char *socket_path, const char *bytes, size_t length)
{
	struct text answer = TEXT_EMPTY;
	char block[16384];
	int fd = http_dial(socket_path);
	ssize_t got;

	if (fd < 0)
		return text_take(&answer);
	if (send(fd, bytes, length, MSG_NOSIGNAL) == (ssize_t)length)
		while ((got = recv(fd, block, sizeof(block), 0)) > 0)
			text_add_bytes(&answer, block, (size_t)got);
	close(fd);
	return text_take(&answer);
}

static char *unchunked(const char *at)
{
	struct text body = TEXT_EMPTY;
	char *end;
	size_t size;

	while ((size = strtoul(at, &end, 16)) > 0 && strlen(end) >= size + 4) {
		text_add_bytes(&body, end + 2, size);
		at = end + 2 + size + 2;
	}
	return text_take(&body);
}

int http_ask(const char *socket_path, const char *method, const char *target, const char *headers,
	     const char *content, char **body)
{
	AUTO(free)
	char *request =
	    xasprintf("%s %s HTTP/1.1\r\nHost: test\r\nConnection: close\r\n%s%s%zu\r\n\r\n%s",
		      method, target, headers ? headers : "",
		      content ? "Content-Type: application/json\r\nContent-Length: " : "X-Empty: ",
		      content ? strlen(content) : 0, content ? content : "");
	AUTO(free) char *answer = http_raw(socket_path, request, strlen(request));
	const char *start = strstr(answer, "\r\n\r\n");
	const char *chunked = strcasestr(answer, "transfer-encoding: chunked");
	int status = -1;

	if (sscanf(answer, "HTTP/1.%*d %d", &status) != 1)
		status = -1;
	if (body)
		*body = !start                       ? xstrdup("")
			: chunked && chunked < start ? unchunked(start + 4)
						     : xstrdup(start + 4);
	return status;
}

int http_ask_json(const char *socket_path, const char *method, const char *target,
		  const char *headers, const json_t *content, json_t **answer)
{
	AUTO(free) char *text = content ? json_dumps(content, JSON_COMPACT) : NULL;
	AUTO(free) char *body = NULL;
	int status = http_ask(socket_path, method, target, headers, text, &body);

	*answer = json_loads(body, JSON_DECODE_ANY, NULL);
	return status;
}

int http_status_of(const char *answer)
{
	int status = -1;

	return sscanf(answer, "HTTP/1.%*d %d", &status) == 1 ? status : -1;
}

long http_number_in(const char *answer, const char *key)
{
	const char *at = strstr(answer, key);

	return at ? atol(at + strlen(key)) : -1;
}
