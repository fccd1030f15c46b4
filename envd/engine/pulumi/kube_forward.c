#include "engine/pulumi/kube_forward.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/files.h"
#include "engine/pulumi/pulumi_login.h"
#include "kube/kube_client.h"
#include "engine/pulumi/pulumi_place.h"
#include "kube/websocket.h"
#include "model/layer_forward.h"
#include "wire/tunnel_frames.h"

#define PROTOCOL "v4.channel.k8s.io"

enum {
	CHANNEL_DATA = 0,
	CHANNEL_ERROR = 1,
	PORT_BYTES = 2,
	BLOCK_BYTES = 32768,
	WAITING_BYTES_MAX = 131072,
	/* The protocol cannot say that we have said all: whoever hears nothing more for so long
	 * afterwards has its answer. */
	LAST_WORDS_MS = 5000,
};

/* ---- where to ---- */

struct goal {
	char *namespace, *service;
	int port; /* of the service */
	char *pod;
	int pod_port;
};

static void goal_release(struct goal *goal)
{
	free(goal->namespace);
	free(goal->service);
	free(goal->pod);
}

static inline void auto_goal_release(struct goal *goal)
{
	goal_release(goal);
}

static bool is_label(const char *text)
{
	return *text && text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

/* One of the template's names, or SERVICE.NAMESPACE. */
static bool read_goal(const struct pulumi_place *place, const char *service, int port,
		      struct goal *goal, struct error *err)
{
	const struct layer_forward *forward = layer_forward_find(&place->list->forwards, service);
	const char *dot = strchr(service, '.');

	*goal = (struct goal){ .port = port };
	if (forward) {
		goal->service = xstrdup(forward->service);
		goal->namespace = xstrdup(forward->namespace);
		return true;
	}
	goal->service = xstrndup(service, dot ? (size_t)(dot - service) : strlen(service));
	goal->namespace = xstrdup(dot ? dot + 1 : "");
	return (is_label(goal->service) && is_label(goal->namespace)) ||
	       error_set_as(err, ERR_NOT_FOUND, "service_not_found",
			    "\"%s\" is none of the template's forwards, and no "
			    "SERVICE.NAMESPACE of the cluster",
			    service);
}

static const json_t *find_port(const json_t *service, int port)
{
	const json_t *ports = json_object_get(json_object_get(service, "spec"), "ports"), *item;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)ports, i, item)
		if (json_get_int64(item, "port", 0) == port)
			return item;
	return NULL;
}

/* "app=web,tier=front", percent-encoded; the caller frees. */
static char *selector_of(const json_t *service)
{
	const json_t *selector = json_object_get(json_object_get(service, "spec"), "selector");
	AUTO(text_release) struct text text = TEXT_EMPTY;
	const char *key;
	json_t *value;
	char *encoded, *copy;

	json_object_foreach_const(selector, key, value)
		text_format(&text, "%s%s=%s", text.length ? "," : "", key,
			    json_string_value(value) ? json_string_value(value) : "");
	encoded = curl_easy_escape(NULL, text_get(&text), (int)text.length);
	copy = xstrdup(encoded ? encoded : "");
	curl_free(encoded);
	return copy;
}

static bool is_ready(const json_t *pod)
{
	const json_t *conditions = json_object_get(json_object_get(pod, "status"), "conditions");
	const json_t *condition;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)conditions, i, condition)
		if (strcmp(json_get_string(condition, "type", ""), "Ready") == 0)
			return strcmp(json_get_string(condition, "status", ""), "True") == 0;
	return false;
}

/* A port may be called by the name that the pod's containers have for it. */
static int port_of_pod(const json_t *pod, const json_t *port)
{
	const json_t *target = json_object_get(port, "targetPort"), *container, *item;
	const char *name = json_string_value(target);
	size_t c, i;

	if (json_is_integer(target))
		return (int)json_integer_value(target);
	if (!name)
		return (int)json_get_int64(port, "port", 0);
	json_array_foreach(json_object_get(json_object_get(pod, "spec"), "containers"), c,
			   container)
		json_array_foreach(json_object_get(container, "ports"), i, item)
			if (strcmp(json_get_string(item, "name", ""), name) == 0)
				return (int)json_get_int64(item, "containerPort", 0);
	return 0;
}

static bool choose_pod(const json_t *pods, const json_t *port, struct goal *goal, struct error *err)
{
	const json_t *pod;
	size_t i;

	json_array_foreach(json_object_get(pods, "items"), i, pod) {
		if (!is_ready(pod))
			continue;
		goal->pod =
		    xstrdup(json_get_string(json_object_get(pod, "metadata"), "name", "unnamed"));
		goal->pod_port = port_of_pod(pod, port);
		return goal->pod_port > 0 ||
		       error_set_as(err, ERR_NOT_FOUND, "service_not_found",
				    "pod \"%s\" has no port of the name that service \"%s\" "
				    "gives to port %d",
				    goal->pod, goal->service, goal->port);
	}
	return error_set_as(err, ERR_CONFLICT, "service_not_running",
			    "service \"%s\" in namespace \"%s\" has no pod that is ready",
			    goal->service, goal->namespace);
}

static bool find_pod(const struct kube_access *access, struct goal *goal, struct error *err)
{
	AUTO(free)
	char *service_path =
	    xasprintf("/api/v1/namespaces/%s/services/%s", goal->namespace, goal->service);
	AUTO(json_decref) json_t *service = NULL;
	AUTO(json_decref) json_t *pods = NULL;
	AUTO(free) char *selector = NULL;
	AUTO(free) char *pods_path = NULL;
	const json_t *port;

	if (!kube_get(access, service_path, &service, err)) {
		if (err->code == ERR_NOT_FOUND)
			err->slug = "service_not_found";
		return false;
	}
	port = find_port(service, goal->port);
	selector = selector_of(service);
	if (!port || !*selector)
		return error_set_as(err, ERR_NOT_FOUND, "service_not_found",
				    "service \"%s\" in namespace \"%s\" has no %s %d",
				    goal->service, goal->namespace,
				    port ? "pods behind port" : "port", goal->port);
	pods_path = xasprintf("/api/v1/namespaces/%s/pods?limit=100&labelSelector=%s",
			      goal->namespace, selector);
	return kube_get(access, pods_path, &pods, err) && choose_pod(pods, port, goal, err);
}

/* ---- passing on, in a process of its own ---- */

struct pump {
	CURL *curl;
	int fd; /* of whoever dialled */
	struct websocket_reader reader;
	struct tunnel_queue to_near, to_far;
	bool is_near_done; /* it has said all */
	bool is_over;      /* the far side has */
	bool has_more;     /* of which no poll() knows: libcurl and TLS have read it already */
	bool has_ports[2]; /* the first message of a channel is no data */
};

static void take_message(struct pump *pump, const struct websocket_message *message)
{
	unsigned channel = message->length ? (unsigned char)message->bytes[0] : 2;

	if (message->opcode == WEBSOCKET_PING)
		websocket_frame_add(&pump->to_far.bytes, WEBSOCKET_PONG, message->bytes,
				    message->length);
	if (message->opcode == WEBSOCKET_CLOSE)
		pump->is_over = true;
	if ((message->opcode & 0x08) || channel > CHANNEL_ERROR)
		return;
	if (!pump->has_ports[channel]) {
		pump->has_ports[channel] = true;
		return;
	}
	if (channel == CHANNEL_DATA) {
		text_add_bytes(&pump->to_near.bytes, message->bytes + 1, message->length - 1);
	} else if (message->length > 1) {
		fprintf(stderr, "%.*s\n", (int)message->length - 1, message->bytes + 1);
		pump->is_over = true;
	}
}

static void take_messages(struct pump *pump)
{
	struct websocket_message message = { .is_there = true };
	struct error ignored; /* one that breaks the rules is as one that left */

	while (message.is_there && !pump->is_over) {
		if (!websocket_next(&pump->reader, &message, &ignored))
			pump->is_over = true;
		else if (message.is_there)
			take_message(pump, &message);
	}
}

/* All that is there: TLS may have read more than was asked for, of which no poll() knows. */
static void read_far(struct pump *pump)
{
	char block[BLOCK_BYTES];
	size_t got = 0;
	CURLcode code = CURLE_OK;

	pump->has_more = false;
	while (!pump->is_over) {
		pump->has_more = tunnel_queue_length(&pump->to_near) >= WAITING_BYTES_MAX;
		if (pump->has_more)
			return;
		code = curl_easy_recv(pump->curl, block, sizeof(block), &got);
		if (code == CURLE_AGAIN)
			return;
		if (code != CURLE_OK || !got) {
			pump->is_over = true;
			return;
		}
		websocket_feed(&pump->reader, block, got);
		take_messages(pump);
	}
}

static void read_near(struct pump *pump)
{
	char block[BLOCK_BYTES + 1] = { CHANNEL_DATA };
	ssize_t got = recv(pump->fd, block + 1, BLOCK_BYTES, MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got > 0)
		websocket_frame_add(&pump->to_far.bytes, WEBSOCKET_BINARY, block, (size_t)got + 1);
	else
		pump->is_near_done = true;
}

static void write_far(struct pump *pump)
{
	while (tunnel_queue_length(&pump->to_far)) {
		size_t sent = 0;
		CURLcode code =
		    curl_easy_send(pump->curl, pump->to_far.bytes.bytes + pump->to_far.sent,
				   tunnel_queue_length(&pump->to_far), &sent);

		if (code == CURLE_AGAIN)
			return;
		if (code != CURLE_OK) {
			pump->is_over = true;
			return;
		}
		tunnel_queue_sent(&pump->to_far, sent);
	}
}

/* False: there is nothing left to do. */
static bool turn(struct pump *pump, int far)
{
	size_t for_far = tunnel_queue_length(&pump->to_far);
	size_t for_near = tunnel_queue_length(&pump->to_near);
	bool reads_near = !pump->is_near_done && for_far < WAITING_BYTES_MAX;
	struct pollfd fds[] = {
		{ .fd = reads_near || for_near ? pump->fd : -1,
		  .events = (short)((reads_near ? POLLIN : 0) | (for_near ? POLLOUT : 0)) },
		{ .fd = far,
		  .events = (short)((for_near < WAITING_BYTES_MAX ? POLLIN : 0) |
				    (for_far ? POLLOUT : 0)) },
	};
	bool has_more = pump->has_more && for_near < WAITING_BYTES_MAX;
	int wait_ms = has_more ? 0 : pump->is_near_done && !for_near ? LAST_WORDS_MS : -1;
	int ready = poll(fds, ARRAY_SIZE(fds), wait_ms);

	if ((ready == 0 && !has_more) || (ready < 0 && errno != EINTR))
		return false;
	if (reads_near && (fds[0].revents & (POLLIN | POLLHUP | POLLERR)))
		read_near(pump);
	read_far(pump);
	write_far(pump);
	if (!tunnel_queue_write(&pump->to_near, pump->fd))
		return false;
	return !pump->is_over || tunnel_queue_length(&pump->to_near);
}

static void run_pump(struct pump *pump)
{
	curl_socket_t far = CURL_SOCKET_BAD;

	curl_easy_getinfo(pump->curl, CURLINFO_ACTIVESOCKET, &far);
	/* What came with the answer to the upgrade may be all that ever comes. */
	take_messages(pump);
	while ((!pump->is_over || tunnel_queue_length(&pump->to_near)) && turn(pump, (int)far))
		;
}

/* It holds nothing of its parent's: with the tunnel in here, nobody would see its end. */
static void close_others(int fd, CURL *curl)
{
	curl_socket_t far = CURL_SOCKET_BAD;

	curl_easy_getinfo(curl, CURLINFO_ACTIVESOCKET, &far);
	for (int other = STDERR_FILENO + 1; other < 1024; other++)
		if (other != fd && other != (int)far)
			close(other);
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
}

/* Ours is closed without a word: its good-bye would be one for the child's, too. */
static void let_go(CURL *curl)
{
	curl_socket_t far = CURL_SOCKET_BAD;
	AUTO(close) int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);

	curl_easy_getinfo(curl, CURLINFO_ACTIVESOCKET, &far);
	if (nowhere >= 0 && dup3(nowhere, (int)far, O_CLOEXEC) >= 0)
		curl_easy_cleanup(curl);
}

static bool start_pump(CURL *curl, struct text *rest, int *fd, struct error *err)
{
	struct pump pump = { .curl = curl };
	pid_t pid, parent = getpid();
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return error_set_errno(err, errno, "cannot make a pair of sockets");
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(0);
		signal(SIGPIPE, SIG_IGN);
		close_others(ends[1], curl);
		pump.fd = ends[1];
		websocket_feed(&pump.reader, text_get(rest), rest->length);
		run_pump(&pump);
		_exit(0);
	}
	close(ends[1]);
	let_go(curl);
	if (pid < 0) {
		close(ends[0]);
		return error_set_errno(err, errno, "cannot start a process");
	}
	*fd = ends[0];
	return true;
}

/* ---- the verb ---- */

static bool connect_to(const struct kube_access *access, const struct goal *goal, int *fd,
		       struct error *err)
{
	AUTO(free)
	char *path = xasprintf("/api/v1/namespaces/%s/pods/%s/portforward?ports=%d",
			       goal->namespace, goal->pod, goal->pod_port);
	AUTO(text_release) struct text rest = TEXT_EMPTY;
	CURL *curl = NULL;

	return kube_websocket(access, path, PROTOCOL, &curl, &rest, err) &&
	       start_pump(curl, &rest, fd, err);
}

bool pulumi_dial(const struct engine_request *request, const char *service, int port, int *fd,
		 struct error *err)
{
	AUTO(place_release) struct pulumi_place place = { .request = NULL };
	AUTO(kube_access_release) struct kube_access access = { .server = NULL };
	AUTO(goal_release) struct goal goal = { .port = port };

	return place_open(request, &place, err) && place_set_variables(&place, err) &&
	       read_goal(&place, service, port, &goal, err) && pulumi_login(&place, &access, err) &&
	       find_pod(&access, &goal, err) && connect_to(&access, &goal, fd, err);
}
