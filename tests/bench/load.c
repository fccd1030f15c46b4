/*
 * load: many clients of one unix socket at once, each with one request at a time, as fast as they
 * are answered. Knows nothing of our own code, and does as little as it can: it shares the
 * processors with what it measures.
 *
 * Usage: load SOCKET CLIENTS REQUESTS METHOD TARGET [BODY]
 * "%d" in BODY is the number of the request. Prints one JSON object; latencies in microseconds,
 * from the connect() to the last byte of the answer.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { ANSWER_HEAD_BYTES = 64, REQUEST_BYTES_MAX = 8192 };

struct client {
	int fd; /* -1: idle for good */
	int64_t began_us;
	char request[REQUEST_BYTES_MAX];
	size_t length, sent;
	char head[ANSWER_HEAD_BYTES];
	size_t head_length;
};

struct load {
	const char *socket, *method, *target, *body;
	size_t requests, begun, done, failed;
	uint64_t bytes;
	int64_t *latencies_us;
	int epoll;
	char first_failure[ANSWER_HEAD_BYTES];
};

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* "%d" once, by hand: the format is not ours. */
static void write_body(const struct load *load, char *into, size_t size)
{
	const char *mark = strstr(load->body, "%d");

	if (!mark)
		snprintf(into, size, "%s", load->body);
	else
		snprintf(into, size, "%.*s%zu%s", (int)(mark - load->body), load->body, load->begun,
			 mark + 2);
}

static void write_request(const struct load *load, struct client *client)
{
	char body[REQUEST_BYTES_MAX / 2];
	int length;

	write_body(load, body, sizeof(body));
	if (*body)
		length =
		    snprintf(client->request, sizeof(client->request),
			     "%s %s HTTP/1.1\r\nHost: envd\r\nContent-Type: application/json\r\n"
			     "Content-Length: %zu\r\n\r\n%s",
			     load->method, load->target, strlen(body), body);
	else
		length =
		    snprintf(client->request, sizeof(client->request),
			     "%s %s HTTP/1.1\r\nHost: envd\r\n\r\n", load->method, load->target);
	client->length = (size_t)length;
	client->sent = 0;
	client->head_length = 0;
}

static void send_some(struct load *load, struct client *client)
{
	struct epoll_event event = { .data.ptr = client };
	ssize_t n =
	    write(client->fd, client->request + client->sent, client->length - client->sent);

	if (n > 0)
		client->sent += (size_t)n;
	event.events = client->sent < client->length ? EPOLLOUT : EPOLLIN;
	epoll_ctl(load->epoll, EPOLL_CTL_MOD, client->fd, &event);
}

static void begin(struct load *load, struct client *client)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct epoll_event event = { .events = EPOLLOUT, .data.ptr = client };

	client->fd = -1;
	if (load->begun == load->requests)
		return;
	write_request(load, client);
	load->begun++;
	client->began_us = now_us();
	client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", load->socket);
	if (client->fd < 0 ||
	    connect(client->fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		die("cannot connect");
	fcntl(client->fd, F_SETFL, O_NONBLOCK);
	if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, client->fd, &event) != 0)
		die("epoll_ctl");
	send_some(load, client);
}

static void finish(struct load *load, struct client *client)
{
	client->head[client->head_length < ANSWER_HEAD_BYTES - 1 ? client->head_length
								 : ANSWER_HEAD_BYTES - 1] = '\0';
	if (strncmp(client->head, "HTTP/1.1 2", 10) != 0) {
		if (!load->failed++)
			snprintf(load->first_failure, sizeof(load->first_failure), "%.*s", 12,
				 client->head);
	}
	load->latencies_us[load->done++] = now_us() - client->began_us;
	close(client->fd);
	begin(load, client);
}

static void receive(struct load *load, struct client *client)
{
	static char bytes[1 << 18];
	ssize_t n = read(client->fd, bytes, sizeof(bytes));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		finish(load, client);
		return;
	}
	load->bytes += (uint64_t)n;
	for (ssize_t i = 0; i < n && client->head_length < ANSWER_HEAD_BYTES; i++)
		client->head[client->head_length++] = bytes[i];
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void report(struct load *load, int64_t took_us)
{
	int64_t *sorted = load->latencies_us;

	qsort(sorted, load->done, sizeof(*sorted), by_value);
	printf("{\"requests\": %zu, \"failed\": %zu, \"first_failure\": \"%s\", \"seconds\": %.6f, "
	       "\"per_second\": %.1f, \"p50_us\": %lld, \"p99_us\": %lld, \"max_us\": %lld, "
	       "\"bytes\": %llu}\n",
	       load->done, load->failed, load->first_failure, (double)took_us / 1e6,
	       (double)load->done * 1e6 / (double)took_us, (long long)sorted[load->done / 2],
	       (long long)sorted[load->done * 99 / 100], (long long)sorted[load->done - 1],
	       (unsigned long long)load->bytes);
}

static void run(struct load *load, size_t client_count)
{
	struct client *clients = calloc(client_count, sizeof(*clients));
	int64_t began_us = now_us();

	if (!clients)
		die("no memory");
	for (size_t i = 0; i < client_count; i++)
		begin(load, &clients[i]);
	while (load->done < load->requests) {
		struct epoll_event events[256];
		int count = epoll_wait(load->epoll, events, 256, 60000);

		if (count == 0) {
			fprintf(stderr, "load: nothing was answered for a minute\n");
			exit(1);
		}
		for (int i = 0; i < count; i++) {
			struct client *client = events[i].data.ptr;

			if (client->sent < client->length)
				send_some(load, client);
			else
				receive(load, client);
		}
	}
	report(load, now_us() - began_us);
	free(clients);
}

int main(int argc, char **argv)
{
	struct load load = { .body = "" };
	long client_count;

	if (argc < 6) {
		fprintf(stderr, "usage: load SOCKET CLIENTS REQUESTS METHOD TARGET [BODY]\n");
		return 2;
	}
	load.socket = argv[1];
	client_count = strtol(argv[2], NULL, 10);
	load.requests = (size_t)strtol(argv[3], NULL, 10);
	load.method = argv[4];
	load.target = argv[5];
	if (argc > 6)
		load.body = argv[6];
	load.latencies_us = calloc(load.requests, sizeof(*load.latencies_us));
	load.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!load.requests || client_count < 1 || !load.latencies_us || load.epoll < 0)
		die("cannot begin");
	run(&load, (size_t)client_count);
	free(load.latencies_us);
	return load.failed ? 1 : 0;
}
