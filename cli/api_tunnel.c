#include "cli/api_tunnel.h"

#include <curl/curl.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "cli/api_client_inner.h"
#include "wire/worker_lines.h"

enum { HEAD_BYTES_MAX = 65536, ANSWER_LIMIT_MS = 60000, BLOCK_BYTES = 32768 };

struct api_tunnel {
	struct api_client *client;
	CURL *easy;
	int fd;
	struct tunnel_queue queue;
	struct tunnel_reader reader;
};

void api_tunnel_close(struct api_tunnel *tunnel)
{
	if (!tunnel)
		return;
	if (tunnel->easy)
		curl_easy_cleanup(tunnel->easy);
	tunnel_queue_release(&tunnel->queue);
	tunnel_reader_release(&tunnel->reader);
	free(tunnel);
}

struct tunnel_queue *api_tunnel_queue(struct api_tunnel *tunnel)
{
	return &tunnel->queue;
}

int api_tunnel_fd(const struct api_tunnel *tunnel)
{
	return tunnel->fd;
}

bool api_tunnel_write(struct api_tunnel *tunnel)
{
	struct tunnel_queue *queue = &tunnel->queue;

	while (tunnel_queue_length(queue)) {
		size_t sent = 0;
		CURLcode code = curl_easy_send(tunnel->easy, queue->bytes.bytes + queue->sent,
					       tunnel_queue_length(queue), &sent);

		if (code == CURLE_AGAIN)
			return true;
		if (code != CURLE_OK)
			return false;
		tunnel_queue_sent(queue, sent);
	}
	return true;
}

/* Bytes, 0 at the end, -1 for "not now". */
static ssize_t receive(struct api_tunnel *tunnel, char *into, size_t size)
{
	size_t got = 0;
	CURLcode code = curl_easy_recv(tunnel->easy, into, size, &got);

	if (code == CURLE_AGAIN)
		return -1;
	return code == CURLE_OK ? (ssize_t)got : 0;
}

bool api_tunnel_read(struct api_tunnel *tunnel)
{
	char block[BLOCK_BYTES];

	/* TLS may have more than the descriptor shows. */
	for (;;) {
		ssize_t got = receive(tunnel, block, sizeof(block));

		if (got <= 0)
			return got < 0;
		tunnel_reader_feed(&tunnel->reader, block, (size_t)got);
		/* The rest comes after this was passed on. */
		if (tunnel->reader.bytes.length > 8 * BLOCK_BYTES)
			return true;
	}
}

bool api_tunnel_next(struct api_tunnel *tunnel, struct tunnel_frame *frame, struct error *err)
{
	return tunnel_reader_next(&tunnel->reader, frame, err);
}

bool api_tunnel_problem(const struct tunnel_frame *frame, struct error *err)
{
	AUTO(json_decref) json_t *problem = NULL;
	AUTO(json_decref) json_t *result = NULL;
	struct error ignored; /* one that says nothing is one all the same */

	if (!json_parse(frame->bytes, frame->length, "problem", &problem, &ignored))
		return error_set(err, ERR_EXTERNAL, "the server ended it without saying why");
	result = json_pack("{s:b, s:O}", "ok", 0, "error", problem);
	if (!worker_result_error(result, err))
		return error_set(err, ERR_EXTERNAL, "the server ended it without saying why");
	return false;
}

bool api_tunnel_lost(struct error *err)
{
	return error_set_as(err, ERR_UNAVAILABLE, "server_lost",
			    "the connection to the server broke off");
}

/* ---- opening ---- */

/* False: nothing happened until then, or we were interrupted. */
static bool wait_for(struct api_tunnel *tunnel, short events, int64_t until_mono_ms,
		     struct error *err)
{
	struct pollfd fds[] = {
		{ .fd = tunnel->fd, .events = events },
		{ .fd = api_client_wake_fd(tunnel->client), .events = POLLIN },
	};
	int64_t left_ms = until_mono_ms - clock_mono_ms();

	if (left_ms > 0 && poll(fds, 2, (int)left_ms) > 0 && !fds[1].revents)
		return true;
	if (fds[1].revents)
		return error_set_as(err, ERR_TIMEOUT, SLUG_INTERRUPTED, "interrupted");
	return api_client_unreachable(tunnel->client, "it did not answer in time", err);
}

static void add_head(struct api_tunnel *tunnel, const char *path, const char *body)
{
	struct api_request request = { .method = "POST", .path = path };
	struct curl_slist *headers = api_client_headers(tunnel->client, &request);
	struct text *text = &tunnel->queue.bytes;

	text_format(text,
		    "POST %s HTTP/1.1\r\nHost: envd\r\nUser-Agent: envctl/" ENVD_VERSION
		    "\r\nConnection: Upgrade\r\nUpgrade: " TUNNEL_PROTOCOL
		    "\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n",
		    path, strlen(body));
	for (struct curl_slist *at = headers; at; at = at->next)
		if (!text_ends_with(at->data, ":")) /* which is how curl is told to leave one out */
			text_format(text, "%s\r\n", at->data);
	text_format(text, "\r\n%s", body);
	api_client_headers_free(headers);
}

static bool send_all(struct api_tunnel *tunnel, int64_t until_mono_ms, struct error *err)
{
	for (;;) {
		if (!api_tunnel_write(tunnel))
			return api_client_unreachable(tunnel->client, "it closed the connection",
						      err);
		if (!tunnel_queue_length(&tunnel->queue))
			break;
		if (!wait_for(tunnel, POLLOUT, until_mono_ms, err))
			return false;
	}
	/* It has held a token. */
	explicit_bzero(tunnel->queue.bytes.bytes, tunnel->queue.bytes.allocated);
	tunnel_queue_release(&tunnel->queue);
	return true;
}

/* Until the end of the head (`is_whole` false) or of the connection. */
static bool read_answer(struct api_tunnel *tunnel, bool is_whole, struct text *answer,
			int64_t until_mono_ms, struct error *err)
{
	char block[4096];

	while (is_whole || !strstr(text_get(answer), "\r\n\r\n")) {
		ssize_t got = receive(tunnel, block, sizeof(block));

		if (got > 0)
			text_add_bytes(answer, block, (size_t)got);
		else if (got == 0)
			return is_whole || api_client_unreachable(tunnel->client,
								  "it closed the connection", err);
		else if (!wait_for(tunnel, POLLIN, until_mono_ms, err))
			return false;
		if (answer->length > HEAD_BYTES_MAX)
			return api_client_unreachable(tunnel->client, "its answer has no end", err);
	}
	return true;
}

static bool take_answer(struct api_tunnel *tunnel, int64_t until_mono_ms, struct error *err)
{
	AUTO(text_release) struct text answer = TEXT_EMPTY;
	const char *body, *blank;
	long status;

	if (!read_answer(tunnel, false, &answer, until_mono_ms, err))
		return false;
	blank = strchr(answer.bytes, ' ');
	status = blank ? atol(blank) : 0;
	body = strstr(answer.bytes, "\r\n\r\n") + 4;
	if (status == 101) {
		tunnel_reader_feed(&tunnel->reader, body,
				   answer.length - (size_t)(body - answer.bytes));
		return true;
	}
	if (!read_answer(tunnel, true, &answer, until_mono_ms, err))
		return false;
	body = strstr(answer.bytes, "\r\n\r\n") + 4;
	return api_client_problem(tunnel->client, status, body, err);
}

static bool connect_tunnel(struct api_tunnel *tunnel, struct error *err)
{
	char details[CURL_ERROR_SIZE] = "";
	curl_socket_t fd;
	CURLcode code;

	tunnel->easy = curl_easy_init();
	if (!tunnel->easy)
		abort();
	api_client_set_way(tunnel->client, tunnel->easy, "/");
	curl_easy_setopt(tunnel->easy, CURLOPT_ERRORBUFFER, details);
	curl_easy_setopt(tunnel->easy, CURLOPT_CONNECT_ONLY, 1L);
	code = curl_easy_perform(tunnel->easy);
	curl_easy_setopt(tunnel->easy, CURLOPT_ERRORBUFFER, NULL);
	if (code != CURLE_OK)
		return api_client_curl_failed(tunnel->client, (int)code, details, err);
	curl_easy_getinfo(tunnel->easy, CURLINFO_ACTIVESOCKET, &fd);
	tunnel->fd = fd;
	return true;
}

bool api_tunnel_open(struct api_client *client, const char *path, const json_t *body,
		     struct api_tunnel **opened, struct error *err)
{
	AUTO(api_tunnel_close) struct api_tunnel *tunnel = xcalloc(1, sizeof(*tunnel));
	AUTO(free) char *content = json_to_text(body);
	int64_t until_mono_ms = clock_mono_ms() + ANSWER_LIMIT_MS;

	tunnel->client = client;
	if (!api_client_meet(client, err) || !connect_tunnel(tunnel, err))
		return false;
	add_head(tunnel, path, content);
	if (!send_all(tunnel, until_mono_ms, err) || !take_answer(tunnel, until_mono_ms, err))
		return false;
	*opened = TAKE(tunnel);
	return true;
}
