#include "engine/cloud/cloud_http.h"

#include <curl/curl.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"

enum {
	TRIES = 5,
	CONNECT_LIMIT_MS = 10000,
	CALL_LIMIT_MS = 60000,
	WAIT_FIRST_MS = 500,
	WAIT_MAX_MS = 60000,
	SHOWN_MAX = 160,
};
#define ANSWER_BYTES_MAX ((size_t)16 << 20)

static void wipe(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

void cloud_secret_release(struct cloud_secret *secret)
{
	wipe(secret->token);
	wipe(secret->key_id);
	wipe(secret->key);
	wipe(secret->session);
	*secret = (struct cloud_secret){ .token = NULL };
}

void cloud_call_release(struct cloud_call *call)
{
	text_release(&call->answer);
}

/* ---- where to ---- */

static bool is_this_machine(const char *host)
{
	static const char *const names[] = { "127.0.0.1", "localhost", "[::1]" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		size_t length = strlen(names[i]);

		if (strncmp(host, names[i], length) == 0 &&
		    (!host[length] || host[length] == ':' || host[length] == '/'))
			return true;
	}
	return false;
}

bool cloud_endpoint_check(const char *endpoint, struct error *err)
{
	if (text_starts_with(endpoint, "https://") && !strpbrk(endpoint, "?#@ "))
		return true;
	if (text_starts_with(endpoint, "http://") && !strpbrk(endpoint, "?#@ ") &&
	    is_this_machine(endpoint + strlen("http://")))
		return true;
	return error_set_as(err, ERR_INVALID, "endpoint_invalid",
			    "an endpoint must begin with https:// (http:// only to 127.0.0.1, got "
			    "\"%.100s\")",
			    endpoint);
}

char *cloud_encode(const char *text)
{
	struct text encoded = TEXT_EMPTY;

	for (const unsigned char *at = (const unsigned char *)text; *at; at++)
		if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~",
			   *at))
			text_add_char(&encoded, (char)*at);
		else
			text_format(&encoded, "%%%02X", *at);
	return text_take(&encoded);
}

/* ---- one try ---- */

/* What curl needs of a call while it runs. */
struct transfer {
	struct cloud_call *call;
	CURL *easy;
	struct curl_slist *headers;
	char reason[CURL_ERROR_SIZE];
	char retry_after[32];
	bool is_too_long;
};

static size_t on_data(char *bytes, size_t size, size_t count, void *arg)
{
	struct transfer *transfer = arg;
	struct text *answer = &transfer->call->answer;

	transfer->is_too_long = answer->length + size * count > ANSWER_BYTES_MAX;
	if (transfer->is_too_long)
		return 0;
	text_add_bytes(answer, bytes, size * count);
	return size * count;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *arg)
{
	static const char name[] = "retry-after:";
	struct transfer *transfer = arg;
	size_t length = size * count, at = sizeof(name) - 1;

	if (length < at || strncasecmp(bytes, name, at) != 0)
		return length;
	while (at < length && bytes[at] == ' ')
		at++;
	snprintf(transfer->retry_after, sizeof(transfer->retry_after), "%.*s",
		 (int)strspn(bytes + at, "0123456789"), bytes + at);
	return length;
}

static void add_header(struct transfer *transfer, const char *name, const char *value)
{
	char *line = value ? xasprintf("%s: %s", name, value) : NULL;

	if (line)
		transfer->headers = curl_slist_append(transfer->headers, line);
	wipe(line);
}

static void set_secret(const struct cloud_session *session, struct transfer *transfer)
{
	const struct cloud_secret *secret = session->secret;
	const struct cloud_call *call = transfer->call;
	AUTO(free) char *way = NULL;
	char *both;

	if (!call->service) {
		curl_easy_setopt(transfer->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
		curl_easy_setopt(transfer->easy, CURLOPT_XOAUTH2_BEARER, secret->token);
		return;
	}
	way = xasprintf("aws:amz:%s:%s", call->region, call->service);
	both = xasprintf("%s:%s", secret->key_id, secret->key);
	curl_easy_setopt(transfer->easy, CURLOPT_AWS_SIGV4, way);
	curl_easy_setopt(transfer->easy, CURLOPT_USERPWD, both);
	wipe(both);
	add_header(transfer, "X-Amz-Security-Token", secret->session);
}

static void set_options(struct transfer *transfer, int64_t limit_ms)
{
	const struct {
		CURLoption option;
		long value;
	} numbers[] = {
		{ CURLOPT_NOSIGNAL, 1 },
		{ CURLOPT_CONNECTTIMEOUT_MS, CONNECT_LIMIT_MS },
		{ CURLOPT_TIMEOUT_MS, (long)limit_ms },
		{ CURLOPT_FOLLOWLOCATION, 0 },
		{ CURLOPT_NETRC, (long)CURL_NETRC_IGNORED },
	};

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		curl_easy_setopt(transfer->easy, numbers[i].option, numbers[i].value);
	curl_easy_setopt(transfer->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(transfer->easy, CURLOPT_USERAGENT, "envd/" ENVD_VERSION);
	curl_easy_setopt(transfer->easy, CURLOPT_ERRORBUFFER, transfer->reason);
	curl_easy_setopt(transfer->easy, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(transfer->easy, CURLOPT_WRITEDATA, transfer);
	curl_easy_setopt(transfer->easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(transfer->easy, CURLOPT_HEADERDATA, transfer);
}

static void set_call(struct transfer *transfer)
{
	const struct cloud_call *call = transfer->call;

	curl_easy_setopt(transfer->easy, CURLOPT_URL, call->url);
	curl_easy_setopt(transfer->easy, CURLOPT_CUSTOMREQUEST, call->method);
	if (call->header)
		transfer->headers = curl_slist_append(transfer->headers, call->header);
	if (call->body) {
		curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDS, call->body);
		add_header(transfer, "Content-Type", call->type);
		/* No "Expect:" to switch that off: curl 7.88 would sign it and not send it. */
	}
}

static void transfer_release(struct transfer *transfer)
{
	for (struct curl_slist *header = transfer->headers; header; header = header->next)
		explicit_bzero(header->data, strlen(header->data));
	curl_slist_free_all(transfer->headers);
	curl_easy_cleanup(transfer->easy);
}

static bool explain(const struct transfer *transfer, CURLcode code, struct error *err)
{
	int shown = (int)strcspn(transfer->call->url, "?");

	return error_set_as(err, ERR_EXTERNAL, "cloud_unreachable", "\"%.*s\": %s",
			    shown > SHOWN_MAX ? SHOWN_MAX : shown, transfer->call->url,
			    transfer->is_too_long ? "its answer is longer than 16 MiB"
			    : *transfer->reason   ? transfer->reason
						  : curl_easy_strerror(code));
}

static int64_t time_left_ms(const struct cloud_session *session)
{
	int64_t left_ms = session->ends_mono_ms - clock_mono_ms();

	return session->ends_mono_ms && left_ms < CALL_LIMIT_MS ? left_ms : CALL_LIMIT_MS;
}

static bool try_once(const struct cloud_session *session, struct cloud_call *call,
		     char retry_after[32], struct error *err)
{
	struct transfer transfer = { .call = call, .easy = curl_easy_init() };
	int64_t limit_ms = time_left_ms(session);
	long status = 0;
	CURLcode code;

	if (!transfer.easy)
		abort();
	call->status = 0;
	text_clear(&call->answer);
	set_options(&transfer, limit_ms > 1 ? limit_ms : 1);
	set_secret(session, &transfer);
	set_call(&transfer);
	curl_easy_setopt(transfer.easy, CURLOPT_HTTPHEADER, transfer.headers);
	code = curl_easy_perform(transfer.easy);
	curl_easy_getinfo(transfer.easy, CURLINFO_RESPONSE_CODE, &status);
	snprintf(retry_after, 32, "%s", transfer.retry_after);
	if (code == CURLE_OK)
		call->status = (int)status;
	else
		explain(&transfer, code, err);
	transfer_release(&transfer);
	return code == CURLE_OK;
}

/* ---- and again ---- */

int64_t cloud_wait_ms(int attempt, int64_t first_ms, const char *retry_after)
{
	int64_t asked_s, wait_ms = (first_ms ? first_ms : WAIT_FIRST_MS)
				   << (attempt < 10 ? attempt : 10);

	if (retry_after && *retry_after && text_to_int64(retry_after, &asked_s))
		wait_ms = asked_s < WAIT_MAX_MS / 1000 ? asked_s * 1000 : WAIT_MAX_MS;
	return wait_ms < WAIT_MAX_MS ? wait_ms : WAIT_MAX_MS;
}

static bool may_go_on(const struct cloud_session *session, int64_t wait_ms, struct error *err)
{
	if (session->is_stopping && session->is_stopping())
		return error_set_as(err, ERR_UNAVAILABLE, "job_stopped", "it was asked to stop");
	return !session->ends_mono_ms || clock_mono_ms() + wait_ms < session->ends_mono_ms ||
	       error_set_as(err, ERR_EXTERNAL, "cloud_busy",
			    "it could not be asked everything within the time for it");
}

static bool wait_for_it(const struct cloud_session *session, int64_t wait_ms, struct error *err)
{
	if (!may_go_on(session, wait_ms, err))
		return false;
	for (int64_t slept_ms = 0; slept_ms < wait_ms; slept_ms += 500) {
		poll(NULL, 0, wait_ms - slept_ms < 500 ? (int)(wait_ms - slept_ms) : 500);
		if (!may_go_on(session, 0, err))
			return false;
	}
	return true;
}

static bool is_over(const struct cloud_call *call)
{
	return call->status != 429 && call->status < 500;
}

bool cloud_run(const struct cloud_session *session, struct cloud_call *call, struct error *err)
{
	struct error last;

	if (!may_go_on(session, 0, err))
		return false;
	for (int attempt = 0; attempt < TRIES; attempt++) {
		char retry_after[32] = "";
		bool has_answer = try_once(session, call, retry_after, &last);

		if (has_answer && is_over(call))
			return true;
		if (has_answer)
			error_set_as(&last, ERR_EXTERNAL, "cloud_busy",
				     "\"%.*s\" answered %d %d times", SHOWN_MAX, call->url,
				     call->status, attempt + 1);
		if (attempt + 1 < TRIES &&
		    !wait_for_it(session, cloud_wait_ms(attempt, session->wait_ms, retry_after),
				 err))
			return false;
	}
	*err = last;
	return false;
}

bool cloud_run_again(const struct cloud_session *session, struct cloud_call *call, int attempt,
		     struct error *err)
{
	if (attempt + 1 >= TRIES)
		return error_set_as(err, ERR_EXTERNAL, "cloud_busy",
				    "\"%.*s\" said %d times that it is asked too often", SHOWN_MAX,
				    call->url, attempt + 1);
	return wait_for_it(session, cloud_wait_ms(attempt, session->wait_ms, NULL), err) &&
	       cloud_run(session, call, err);
}

bool cloud_json(const struct cloud_call *call, json_t **json, struct error *err)
{
	json_error_t wrong;

	*json = json_loadb(text_get(&call->answer), call->answer.length, JSON_REJECT_DUPLICATES,
			   &wrong);
	return *json ||
	       error_set_as(err, ERR_EXTERNAL, "cloud_invalid", "\"%.*s\" answered no JSON: %s",
			    SHOWN_MAX, call->url, wrong.text);
}
