#include "engine/container/docker_api.h"

#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/files.h"

#define CONNECT_LIMIT_MS 5000
#define HEADER_BYTES_MAX ((size_t)64 * 1024)
#define CONNECTIONS_MAX 128L /* the logs of 100 services are followed at once */

struct docker {
	CURLM *multi;
	char *socket;
	char *certificates;
	char *version;
	int64_t deadline_at_ms;
	struct docker_transfer *transfers;
	bool has_ended; /* a call ended in this turn */
};

/* What curl needs of a call while it runs. */
struct docker_transfer {
	struct docker *docker;
	struct docker_call *call;
	CURL *easy;
	struct curl_slist *headers;
	char *body;
	char reason[CURL_ERROR_SIZE];
	bool is_too_long;
	bool is_stopped; /* by on_bytes */
	struct docker_transfer *next;
};

bool docker_way_is_tcp(const struct docker_way *way)
{
	return text_starts_with(way->socket, "tcp://");
}

bool docker_way_check(const struct docker_way *way, struct error *err)
{
	static const char *const names[] = { "ca.pem", "cert.pem", "key.pem" };

	for (size_t i = 0; way->certificates && i < ARRAY_SIZE(names); i++) {
		AUTO(free) char *path = path_join(way->certificates, names[i]);

		if (access(path, R_OK) != 0)
			return error_set_as(err, ERR_INVALID, "runtime_tls",
					    "\"%s\" cannot be read: %s", path, strerror(errno));
	}
	return true;
}

struct docker *docker_new(const struct docker_way *way)
{
	struct docker *docker = xcalloc(1, sizeof(*docker));

	docker->multi = curl_multi_init();
	if (!docker->multi)
		abort();
	curl_multi_setopt(docker->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, CONNECTIONS_MAX);
	docker->socket = xstrdup(way->socket);
	docker->certificates = way->certificates ? xstrdup(way->certificates) : NULL;
	docker->version = xstrdup("");
	return docker;
}

static void transfer_free(struct docker_transfer *transfer)
{
	struct docker_transfer **at = &transfer->docker->transfers;

	while (*at != transfer)
		at = &(*at)->next;
	*at = transfer->next;
	curl_multi_remove_handle(transfer->docker->multi, transfer->easy);
	curl_easy_cleanup(transfer->easy);
	for (struct curl_slist *header = transfer->headers; header; header = header->next)
		explicit_bzero(header->data, strlen(header->data));
	curl_slist_free_all(transfer->headers);
	free(transfer->body);
	transfer->call->transfer = NULL;
	free(transfer);
}

void docker_free(struct docker *docker)
{
	if (!docker)
		return;
	while (docker->transfers)
		transfer_free(docker->transfers);
	curl_multi_cleanup(docker->multi);
	free(docker->socket);
	free(docker->certificates);
	free(docker->version);
	free(docker);
}

void docker_set_version(struct docker *docker, const char *version)
{
	free(docker->version);
	docker->version = xstrdup(version);
}

void docker_set_deadline(struct docker *docker, int64_t deadline_at_ms)
{
	docker->deadline_at_ms = deadline_at_ms;
}

struct docker_call *docker_call_new(const char *method, const char *path_format, ...)
{
	struct docker_call *call = xcalloc(1, sizeof(*call));
	va_list args;

	call->method = method;
	call->time_limit_ms = DOCKER_CALL_LIMIT_MS;
	va_start(args, path_format);
	if (vasprintf(&call->path, path_format, args) < 0)
		abort();
	va_end(args);
	return call;
}

void docker_call_free(struct docker_call *call)
{
	if (!call)
		return;
	if (call->transfer)
		transfer_free(call->transfer);
	free(call->path);
	json_decref(call->body);
	if (call->secret_header)
		explicit_bzero(call->secret_header, strlen(call->secret_header));
	free(call->secret_header);
	text_release(&call->bytes);
	text_release(&call->headers);
	text_release(&call->answer);
	free(call);
}

static size_t on_data(char *bytes, size_t size, size_t count, void *arg)
{
	struct docker_transfer *transfer = arg;
	struct docker_call *call = transfer->call;
	size_t length = size * count;
	long status = 0;

	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	/* What comes with a refusal is not the stream that was asked for. */
	if (call->on_bytes && status < 300) {
		transfer->is_stopped = !call->on_bytes(call, bytes, length);
		return transfer->is_stopped ? CURL_WRITEFUNC_ERROR : length;
	}
	if (call->answer.length + length > DOCKER_ANSWER_BYTES_MAX) {
		transfer->is_too_long = true;
		return CURL_WRITEFUNC_ERROR;
	}
	text_add_bytes(&call->answer, bytes, length);
	return length;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *arg)
{
	struct docker_transfer *transfer = arg;

	if (transfer->call->headers.length + size * count > HEADER_BYTES_MAX) {
		transfer->is_too_long = true;
		return 0;
	}
	text_add_bytes(&transfer->call->headers, bytes, size * count);
	return size * count;
}

static void set_certificates(struct docker *docker, CURL *easy)
{
	AUTO(free) char *ca = path_join(docker->certificates, "ca.pem");
	AUTO(free) char *certificate = path_join(docker->certificates, "cert.pem");
	AUTO(free) char *key = path_join(docker->certificates, "key.pem");

	curl_easy_setopt(easy, CURLOPT_CAINFO, ca);
	curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(easy, CURLOPT_SSLCERT, certificate);
	curl_easy_setopt(easy, CURLOPT_SSLKEY, key);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	/* Only one protocol is spoken by all runtimes and what stands before them. */
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
}

/* How the runtime is reached, and nothing else. */
bool docker_set_way(struct docker *docker, void *easy, const char *path, char *reason)
{
	bool has_version = path[0] == '/' && path[1] == 'v' && isdigit((unsigned char)path[2]);
	bool is_tcp = text_starts_with(docker->socket, "tcp://");
	AUTO(free)
	char *url = xasprintf("http%s://%s%s%s", is_tcp && docker->certificates ? "s" : "",
			      is_tcp ? docker->socket + strlen("tcp://") : "runtime",
			      has_version ? "" : docker->version, path);

	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, reason);
	if (!is_tcp)
		curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, docker->socket);
	else if (docker->certificates)
		set_certificates(docker, easy);
	/* A proxy from somebody's shell must not see any of this. */
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	return is_tcp && docker->certificates;
}

const char *docker_socket(const struct docker *docker)
{
	return docker->socket;
}

const char *docker_version(const struct docker *docker)
{
	return docker->version;
}

static void set_body(struct docker_transfer *transfer)
{
	struct docker_call *call = transfer->call;
	const char *type = "Content-Type: application/json";
	const char *bytes = NULL;
	size_t length = 0;

	if (call->body) {
		transfer->body = json_to_text(call->body);
		bytes = transfer->body;
		length = strlen(bytes);
	} else if (call->bytes.length > 0) {
		type = "Content-Type: application/x-tar";
		bytes = call->bytes.bytes;
		length = call->bytes.length;
	} else if (strcmp(call->method, "POST") == 0) {
		bytes = "";
	}
	if (call->secret_header)
		transfer->headers = curl_slist_append(transfer->headers, call->secret_header);
	curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers);
	if (!bytes)
		return;
	transfer->headers = curl_slist_append(transfer->headers, type);
	/* Runtimes answer "100 Continue" late or never. */
	transfer->headers = curl_slist_append(transfer->headers, "Expect:");
	curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDS, bytes);
	curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)length);
	curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers);
}

static void set_time_limits(struct docker *docker, struct docker_transfer *transfer)
{
	int64_t limit_ms = transfer->call->time_limit_ms;
	int64_t left_ms = docker->deadline_at_ms - clock_wall_ms();

	if (docker->deadline_at_ms > 0 && (limit_ms == 0 || left_ms < limit_ms))
		limit_ms = left_ms > 1 ? left_ms : 1;
	curl_easy_setopt(transfer->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(transfer->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_LIMIT_MS);
	curl_easy_setopt(transfer->easy, CURLOPT_TIMEOUT_MS, (long)limit_ms);
}

void docker_begin(struct docker *docker, struct docker_call *call)
{
	struct docker_transfer *transfer = xcalloc(1, sizeof(*transfer));

	*transfer = (struct docker_transfer){ .docker = docker, .call = call };
	transfer->easy = curl_easy_init();
	if (!transfer->easy)
		abort();
	call->transfer = transfer;
	call->status = 0;
	call->err = (struct error){ 0 };
	text_clear(&call->headers);
	text_clear(&call->answer);
	docker_set_way(docker, transfer->easy, call->path, transfer->reason);
	set_body(transfer);
	set_time_limits(docker, transfer);
	if (strcmp(call->method, "HEAD") == 0)
		curl_easy_setopt(transfer->easy, CURLOPT_NOBODY, 1L);
	else
		curl_easy_setopt(transfer->easy, CURLOPT_CUSTOMREQUEST, call->method);
	curl_easy_setopt(transfer->easy, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(transfer->easy, CURLOPT_WRITEDATA, transfer);
	curl_easy_setopt(transfer->easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(transfer->easy, CURLOPT_HEADERDATA, transfer);
	curl_easy_setopt(transfer->easy, CURLOPT_PRIVATE, transfer);
	transfer->next = docker->transfers;
	docker->transfers = transfer;
	if (curl_multi_add_handle(docker->multi, transfer->easy) != CURLM_OK)
		abort();
}

/* In TLS 1.3 the other side judges our certificate when we are through with the handshake already,
 * and may simply close: so the first call that is cut off is about that, too. */
static bool is_about_tls(const struct docker_transfer *transfer, CURLcode code)
{
	bool is_cut_off =
	    code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR || code == CURLE_GOT_NOTHING;

	if (!transfer->docker->certificates)
		return false;
	if (is_cut_off && !transfer->docker->version[0])
		return true;
	return code == CURLE_SSL_CONNECT_ERROR || code == CURLE_PEER_FAILED_VERIFICATION ||
	       code == CURLE_SSL_CERTPROBLEM || code == CURLE_SSL_CACERT_BADFILE ||
	       code == CURLE_SSL_CIPHER || strstr(transfer->reason, "SSL") ||
	       strstr(transfer->reason, "alert");
}

/* The alert that says so may be lost to the reset that follows it. False: it is good, or not there.
 */
static bool certificate_has_expired(const char *folder, char at[static CLOCK_TEXT_SIZE])
{
	AUTO(free) char *path = path_join(folder, "cert.pem");
	FILE *file = fopen(path, "re");
	X509 *certificate = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
	bool has_expired =
	    certificate && X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0;
	struct tm end = { 0 };

	if (has_expired && ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end))
		clock_format_seconds((int64_t)timegm(&end) * 1000, at);
	X509_free(certificate);
	if (file)
		fclose(file);
	return has_expired;
}

static void note_tls(struct docker_transfer *transfer, CURLcode code)
{
	const struct docker *docker = transfer->docker;
	struct error *err = &transfer->call->err;
	char at[CLOCK_TEXT_SIZE] = "";

	if (certificate_has_expired(docker->certificates, at))
		error_set_as(err, ERR_EXTERNAL, "runtime_tls",
			     "the container runtime at \"%s\" does not take our certificate: "
			     "\"%s/cert.pem\" expired on %s",
			     docker->socket, docker->certificates, at);
	else
		error_set_as(err, ERR_EXTERNAL, "runtime_tls",
			     "the container runtime at \"%s\" does not take our certificate, or "
			     "we not its: %s",
			     docker->socket,
			     transfer->reason[0] ? transfer->reason : curl_easy_strerror(code));
	error_hint(err,
		   "ca.pem, cert.pem and key.pem in \"%s\" must be of the CA that the runtime "
		   "uses, and not expired; its certificate must name the host",
		   docker->certificates);
}

static void note_unreachable(struct docker_transfer *transfer, CURLcode code)
{
	struct error *err = &transfer->call->err;
	const char *socket = transfer->docker->socket;
	long reason = 0;

	curl_easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &reason);
	/* A full backlog: it listens and does not accept. */
	if (code == CURLE_COULDNT_CONNECT && reason == EAGAIN)
		code = CURLE_OPERATION_TIMEDOUT;
	if (code == CURLE_OPERATION_TIMEDOUT) {
		error_set_as(err, ERR_TIMEOUT, "runtime_timeout",
			     "the container runtime at \"%s\" did not answer %s %s in time", socket,
			     transfer->call->method, transfer->call->path);
		error_hint(err, "is it hung? look at its log, or start it again");
		return;
	}
	if (is_about_tls(transfer, code)) {
		note_tls(transfer, code);
		return;
	}
	error_set_as(err, ERR_UNAVAILABLE, "runtime_unreachable",
		     "the container runtime at \"%s\" cannot be reached: %s", socket,
		     code == CURLE_COULDNT_CONNECT && reason ? strerror((int)reason)
							     : curl_easy_strerror(code));
	if (text_starts_with(socket, "tcp://"))
		error_hint(err, "is it up, and does a firewall let us pass?");
	else
		error_hint(err, "start Docker, or \"podman system service --time=0 unix://%s\"",
			   socket);
}

static void note_end(struct docker_transfer *transfer, CURLcode code)
{
	struct docker_call *call = transfer->call;
	long status = 0;

	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	if (code == CURLE_OK || transfer->is_stopped) {
		call->status = (int)status;
	} else if (transfer->is_too_long) {
		error_set_as(&call->err, ERR_LIMIT, "runtime_answer_too_long",
			     "the container runtime's answer to %s %s is over %zu bytes",
			     call->method, call->path, DOCKER_ANSWER_BYTES_MAX);
	} else {
		note_unreachable(transfer, code);
	}
}

/* on_end may free its call and begin others, so nothing of `transfer` is used after it. */
static void take_ended(struct docker *docker)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(docker->multi, &left))) {
		struct docker_transfer *transfer = NULL;
		struct docker_call *call;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
		call = transfer->call;
		note_end(transfer, message->data.result);
		transfer_free(transfer);
		docker->has_ended = true;
		if (call->on_end)
			call->on_end(call);
	}
}

void docker_turn(struct docker *docker, int64_t wait_ms)
{
	int64_t until_mono_ms = clock_mono_ms() + wait_ms;
	int running;

	docker->has_ended = false;
	for (;;) {
		int64_t left_ms = until_mono_ms - clock_mono_ms();

		curl_multi_perform(docker->multi, &running);
		take_ended(docker);
		if (docker->has_ended || left_ms <= 0)
			return;
		curl_multi_poll(docker->multi, NULL, 0, (int)(left_ms < 60000 ? left_ms : 60000),
				NULL);
	}
}

bool docker_run(struct docker *docker, struct docker_call *call, struct error *err)
{
	docker_run_all(docker, &call, 1);
	if (call->status == 0) {
		*err = call->err;
		return false;
	}
	return true;
}

static bool is_any_running(struct docker_call *const *calls, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (calls[i] && calls[i]->transfer)
			return true;
	return false;
}

void docker_run_all(struct docker *docker, struct docker_call *const *calls, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (calls[i])
			docker_begin(docker, calls[i]);
	while (is_any_running(calls, count))
		docker_turn(docker, 1000);
}

bool docker_succeeded(const struct docker_call *call)
{
	return (call->status >= 200 && call->status < 300) || call->status == 304;
}

/* Podman repeats itself: its "message" ends with its "cause". */
char *docker_message(const struct docker_call *call)
{
	AUTO(json_decref) json_t *json = NULL;
	char shown[400];
	struct error ignored; /* an answer that is not JSON is shown as it is */

	if (json_parse(text_get(&call->answer), call->answer.length, "answer", &json, &ignored) &&
	    json_get_string(json, "message", NULL))
		text_printable(json_get_string(json, "message", ""), shown, sizeof(shown));
	else
		text_printable(text_get(&call->answer), shown, sizeof(shown));
	return xstrdup(shown);
}

static enum error_code code_of_status(int status)
{
	switch (status) {
	case 400:
		return ERR_INVALID;
	case 401:
	case 403:
		return ERR_DENIED;
	case 404:
		return ERR_NOT_FOUND;
	case 409:
		return ERR_CONFLICT;
	default:
		return ERR_EXTERNAL;
	}
}

bool docker_refusal(const struct docker_call *call, struct error *err)
{
	AUTO(free) char *message = NULL;

	if (call->status == 0) {
		*err = call->err;
		return false;
	}
	message = docker_message(call);
	return error_set_as(err, code_of_status(call->status), "runtime_refused",
			    "%s %.*s: the container runtime answered %d: %s", call->method,
			    (int)strcspn(call->path, "?"), call->path, call->status, message);
}

bool docker_json(const struct docker_call *call, json_t **json, struct error *err)
{
	if (!docker_succeeded(call))
		return docker_refusal(call, err);
	if (!json_parse(text_get(&call->answer), call->answer.length, "the runtime's answer", json,
			err)) {
		err->code = ERR_EXTERNAL;
		return error_wrap(err, "%s %s", call->method, call->path);
	}
	return true;
}

char *docker_header(const struct docker_call *call, const char *name)
{
	size_t name_length = strlen(name);

	for (const char *line = text_get(&call->headers); *line;) {
		size_t length = strcspn(line, "\r\n");

		if (strncasecmp(line, name, name_length) == 0 && line[name_length] == ':') {
			size_t blanks = strspn(line + name_length + 1, " ");

			name_length += 1 + blanks;
			return xstrndup(line + name_length, length - name_length);
		}
		line += length;
		line += strspn(line, "\r\n");
	}
	return NULL;
}

bool docker_get(struct docker *docker, json_t **json, struct error *err, const char *path_format,
		...)
{
	AUTO(docker_call_free) struct docker_call *call = NULL;
	AUTO(free) char *path = NULL;
	va_list args;

	va_start(args, path_format);
	if (vasprintf(&path, path_format, args) < 0)
		abort();
	va_end(args);
	call = docker_call_new("GET", "%s", path);
	return docker_run(docker, call, err) && docker_json(call, json, err);
}

char *docker_encode(const char *plain)
{
	struct text encoded = TEXT_EMPTY;

	for (; *plain; plain++) {
		if (isalnum((unsigned char)*plain) || strchr("-._~", *plain))
			text_add_char(&encoded, *plain);
		else
			text_format(&encoded, "%%%02X", (unsigned char)*plain);
	}
	return text_take(&encoded);
}

char *docker_label_filter(const char *const *labels)
{
	AUTO(json_decref) json_t *filter = json_object();
	AUTO(free) char *plain = NULL;
	json_t *list = json_array();

	for (; *labels; labels++)
		json_array_append_new(list, json_string(*labels));
	json_object_set_new(filter, "label", list);
	plain = json_to_text(filter);
	return docker_encode(plain);
}
