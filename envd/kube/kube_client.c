#include "kube/kube_client.h"

#include <poll.h>
#include <string.h>
#include <strings.h>

#include "base/base64.h"
#include "base/clock.h"
#include "kube/websocket.h"

enum {
	ANSWER_BYTES_MAX = 8 << 20,
	HEAD_BYTES_MAX = 16384,
	LIMIT_MS = 15000,
	PAGE = 50,
	PAGES_MAX = 100
};

struct transfer {
	CURL *curl;
	struct curl_slist *headers;
	struct text answer;
	char reason[CURL_ERROR_SIZE];
};

static void transfer_release(struct transfer *transfer)
{
	if (transfer->curl)
		curl_easy_cleanup(transfer->curl);
	curl_slist_free_all(transfer->headers);
	text_release(&transfer->answer);
}

static inline void auto_transfer_release(struct transfer *transfer)
{
	transfer_release(transfer);
}

static void set_blob(CURL *curl, CURLoption option, const char *text)
{
	struct curl_blob blob = { (void *)(uintptr_t)text, strlen(text), CURL_BLOB_COPY };

	curl_easy_setopt(curl, option, &blob);
}

void kube_set_trust(CURL *curl, const struct kube_access *access)
{
	if (*access->authority)
		set_blob(curl, CURLOPT_CAINFO_BLOB, access->authority);
	/* As the file's own user has decided. */
	if (access->is_insecure) {
		curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	if (access->certificate && access->key) {
		set_blob(curl, CURLOPT_SSLCERT_BLOB, access->certificate);
		set_blob(curl, CURLOPT_SSLKEY_BLOB, access->key);
	}
}

static bool begin(struct transfer *transfer, const struct kube_access *access, const char *path,
		  struct error *err)
{
	AUTO(free) char *url = xasprintf("%s%s", access->server, path);

	transfer->curl = curl_easy_init();
	if (!transfer->curl)
		return error_set(err, ERR_INTERNAL, "cannot start a transfer");
	curl_easy_setopt(transfer->curl, CURLOPT_URL, url);
	curl_easy_setopt(transfer->curl, CURLOPT_ERRORBUFFER, transfer->reason);
	curl_easy_setopt(transfer->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(transfer->curl, CURLOPT_PROTOCOLS_STR, "https,http");
	curl_easy_setopt(transfer->curl, CURLOPT_TIMEOUT_MS, (long)LIMIT_MS);
	/* An upgrade is one of HTTP/1.1. */
	curl_easy_setopt(transfer->curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	kube_set_trust(transfer->curl, access);
	return true;
}

static bool perform(struct transfer *transfer, const struct kube_access *access, struct error *err)
{
	CURLcode code = curl_easy_perform(transfer->curl);

	return code == CURLE_OK ||
	       error_set_as(err, ERR_UNAVAILABLE, "cluster_unreachable",
			    "cluster %.200s does not answer: %s", access->server,
			    *transfer->reason ? transfer->reason : curl_easy_strerror(code));
}

char *kube_authorization(const struct kube_access *access)
{
	AUTO(free) char *both = NULL;
	AUTO(free) char *encoded = NULL;

	if (access->token)
		return xasprintf("Authorization: Bearer %s", access->token);
	if (!access->user || !access->password)
		return NULL;
	both = xasprintf("%s:%s", access->user, access->password);
	encoded = base64_encode(both, strlen(both), false);
	return xasprintf("Authorization: Basic %s", encoded);
}

/* ---- GET ---- */

static size_t take_bytes(char *bytes, size_t size, size_t count, void *arg)
{
	struct text *answer = arg;

	if (answer->length + size * count > ANSWER_BYTES_MAX)
		return 0;
	text_add_bytes(answer, bytes, size * count);
	return size * count;
}

/* A server says why as {"kind": "Status", "message": "..."}. */
static bool judge(long status, const json_t *answer, struct error *err)
{
	const char *message = json_get_string(answer, "message", "no reason given");

	if (status == 200)
		return true;
	if (status == 404)
		return error_set(err, ERR_NOT_FOUND, "the cluster says: %.300s", message);
	return error_set_as(err, ERR_EXTERNAL, "cluster_refused",
			    "the cluster refused (%ld): %.300s", status, message);
}

bool kube_get(const struct kube_access *access, const char *path, json_t **answer,
	      struct error *err)
{
	AUTO(transfer_release) struct transfer transfer = { .curl = NULL };
	AUTO(json_decref) json_t *json = NULL;
	AUTO(free) char *login = kube_authorization(access);
	long status = 0;

	if (!begin(&transfer, access, path, err))
		return false;
	transfer.headers = curl_slist_append(transfer.headers, "Accept: application/json");
	if (login)
		transfer.headers = curl_slist_append(transfer.headers, login);
	curl_easy_setopt(transfer.curl, CURLOPT_HTTPHEADER, transfer.headers);
	curl_easy_setopt(transfer.curl, CURLOPT_WRITEFUNCTION, take_bytes);
	curl_easy_setopt(transfer.curl, CURLOPT_WRITEDATA, &transfer.answer);
	if (!perform(&transfer, access, err))
		return false;
	curl_easy_getinfo(transfer.curl, CURLINFO_RESPONSE_CODE, &status);
	/* What a provider's objects look like is not ours to bound. */
	json = json_loads(text_get(&transfer.answer), 0, NULL);
	if (!judge(status, json, err))
		return false;
	if (!json_is_object(json))
		return error_set_as(err, ERR_EXTERNAL, "cluster_refused",
				    "the cluster's answer is no JSON object");
	*answer = TAKE(json);
	return true;
}

bool kube_each(const struct kube_access *access, const char *list,
	       void (*on_item)(void *arg, const json_t *item), void *arg, struct error *err)
{
	AUTO(free) char *next = xstrdup("");

	for (int pages = 0; pages < PAGES_MAX; pages++) {
		char *escaped = curl_easy_escape(NULL, next, 0);
		AUTO(free)
		char *path = xasprintf("%s%climit=%d%s%s", list, strchr(list, '?') ? '&' : '?',
				       PAGE, *next ? "&continue=" : "", *next ? escaped : "");
		AUTO(json_decref) json_t *page = NULL;
		json_t *item;
		size_t i;

		curl_free(escaped);
		if (!kube_get(access, path, &page, err))
			return false;
		json_array_foreach(json_object_get(page, "items"), i, item)
			on_item(arg, item);
		free(next);
		next = xstrdup(json_get_string(json_object_get(page, "metadata"), "continue", ""));
		if (!*next)
			return true;
	}
	return error_set(err, ERR_LIMIT, "the cluster's list %.100s does not end", list);
}

/* ---- an upgrade, by hand: libcurl gives the connection, TLS and all ---- */

static bool wait_for(CURL *curl, short events, int64_t until_ms)
{
	curl_socket_t fd = CURL_SOCKET_BAD;
	int64_t left = until_ms - clock_mono_ms();
	struct pollfd polled;

	curl_easy_getinfo(curl, CURLINFO_ACTIVESOCKET, &fd);
	polled = (struct pollfd){ .fd = (int)fd, .events = events };
	return left > 0 && poll(&polled, 1, (int)left) > 0;
}

static bool send_all(CURL *curl, const char *bytes, size_t length, int64_t until_ms)
{
	while (length) {
		size_t sent = 0;
		CURLcode code = curl_easy_send(curl, bytes, length, &sent);

		if (code != CURLE_OK && code != CURLE_AGAIN)
			return false;
		if (code == CURLE_AGAIN && !wait_for(curl, POLLOUT, until_ms))
			return false;
		bytes += sent;
		length -= sent;
	}
	return true;
}

/* Up to the empty line; what follows it, too, if it is there already. */
static bool read_head(CURL *curl, struct text *head, int64_t until_ms)
{
	char block[4096];

	while (!strstr(text_get(head), "\r\n\r\n")) {
		size_t got = 0;
		CURLcode code = curl_easy_recv(curl, block, sizeof(block), &got);

		if ((code != CURLE_OK && code != CURLE_AGAIN) || (code == CURLE_OK && !got) ||
		    head->length > HEAD_BYTES_MAX)
			return false;
		if (code == CURLE_AGAIN && !wait_for(curl, POLLIN, until_ms))
			return false;
		text_add_bytes(head, block, got);
	}
	return true;
}

/* The value of a header in a head; the caller frees; NULL: it is not there. */
static char *header_of(const char *head, const char *name)
{
	size_t length = strlen(name);

	for (const char *line = strstr(head, "\r\n"); line && strncmp(line, "\r\n\r\n", 4) != 0;
	     line = strstr(line + 2, "\r\n")) {
		const char *at = line + 2;

		if (strncasecmp(at, name, length) != 0 || at[length] != ':')
			continue;
		at += length + 1;
		at += strspn(at, " \t");
		return xstrndup(at, strcspn(at, "\r\n"));
	}
	return NULL;
}

static bool judge_head(const char *head, const char *key, const char *protocol, struct error *err)
{
	AUTO(free) char *accept = header_of(head, "Sec-WebSocket-Accept");
	AUTO(free) char *chosen = header_of(head, "Sec-WebSocket-Protocol");
	const char *body = strstr(head, "\r\n\r\n") + 4;
	AUTO(json_decref) json_t *json = json_loads(body, 0, NULL);
	AUTO(free) char *first = xstrndup(head, strcspn(head, "\r\n"));
	char shown[200];

	if (!text_starts_with(head, "HTTP/1.1 101 "))
		return error_set_as(
		    err, ERR_EXTERNAL, "websocket_refused", "the cluster forwards no port: %s",
		    text_printable(json_get_string(json, "message", first), shown, sizeof(shown)));
	if (!accept || !websocket_accepts(key, accept) || !text_equal(chosen, protocol))
		return error_set_as(err, ERR_EXTERNAL, "websocket_refused",
				    "the cluster answers an upgrade to %s with another one",
				    protocol);
	return true;
}

static bool upgrade(CURL *curl, const struct kube_access *access, const char *path,
		    const char *protocol, struct text *rest, struct error *err)
{
	int64_t until_ms = clock_mono_ms() + LIMIT_MS;
	AUTO(free) char *login = kube_authorization(access);
	AUTO(text_release) struct text request = TEXT_EMPTY;
	AUTO(text_release) struct text head = TEXT_EMPTY;
	const char *host = strstr(access->server, "://");
	const char *body;
	char key[WEBSOCKET_KEY_SIZE];

	host = host ? host + 3 : access->server;
	websocket_key(key);
	text_format(&request,
		    "GET %s HTTP/1.1\r\nHost: %.*s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n"
		    "Sec-WebSocket-Protocol: %s\r\n%s%s\r\n",
		    path, (int)strcspn(host, "/"), host, key, protocol, login ? login : "",
		    login ? "\r\n" : "");
	if (!send_all(curl, request.bytes, request.length, until_ms) ||
	    !read_head(curl, &head, until_ms))
		return error_set_as(err, ERR_UNAVAILABLE, "cluster_unreachable",
				    "cluster %.200s hung up while a port was asked for",
				    access->server);
	if (!judge_head(text_get(&head), key, protocol, err))
		return false;
	body = strstr(head.bytes, "\r\n\r\n") + 4;
	text_add_bytes(rest, body, head.length - (size_t)(body - head.bytes));
	return true;
}

bool kube_websocket(const struct kube_access *access, const char *path, const char *protocol,
		    CURL **curl, struct text *rest, struct error *err)
{
	AUTO(transfer_release) struct transfer transfer = { .curl = NULL };

	if (!begin(&transfer, access, "/", err))
		return false;
	curl_easy_setopt(transfer.curl, CURLOPT_CONNECT_ONLY, 1L);
	if (!perform(&transfer, access, err) ||
	    !upgrade(transfer.curl, access, path, protocol, rest, err))
		return false;
	/* The buffer of its errors goes with us. */
	curl_easy_setopt(transfer.curl, CURLOPT_ERRORBUFFER, NULL);
	*curl = TAKE(transfer.curl);
	return true;
}
