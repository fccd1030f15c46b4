#include "engine/container/container_resolver.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "engine/container/container_names.h"
#include "engine/container/dns_message.h"

enum {
	DNS_PORT = 53,
	ASK_AGAIN_MS = 100, /* also an answer that is lost */
	LIMIT_MS = 3000,    /* a name may be known a little later than its container runs */
};

struct question {
	pid_t inside; /* a process in the network */
	struct sockaddr_in server;
	const char *name;
};

/* ---- asking ---- */

/* A socket stays in the network it was made in, and we do not. */
static int socket_inside(pid_t pid)
{
	AUTO(free) char *path = xasprintf("/proc/%d/ns/net", (int)pid);
	AUTO(close) int theirs = open(path, O_RDONLY | O_CLOEXEC);
	AUTO(close) int ours = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	int fd;

	if (theirs < 0 || ours < 0 || setns(theirs, CLONE_NEWNET) != 0)
		return -1;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (setns(ours, CLONE_NEWNET) != 0)
		abort(); /* everything we did from now on would happen in an environment */
	return fd;
}

static enum dns_answer ask_once(int fd, const struct question *question)
{
	unsigned char bytes[512];
	int64_t until_mono_ms = clock_mono_ms() + ASK_AGAIN_MS;
	struct pollfd waits = { .fd = fd, .events = POLLIN };
	enum dns_answer answer = DNS_NOT_OURS;
	uint16_t id = 0;
	size_t length;

	if (getrandom(&id, sizeof(id), 0) != sizeof(id))
		return DNS_NOT_OURS;
	length = dns_question(question->name, id, bytes);
	if (send(fd, bytes, length, 0) < 0)
		return DNS_NOT_OURS;
	for (int64_t left;
	     answer == DNS_NOT_OURS && (left = until_mono_ms - clock_mono_ms()) > 0;) {
		ssize_t got =
		    poll(&waits, 1, (int)left) > 0 ? recv(fd, bytes, sizeof(bytes), 0) : 0;

		if (got < 0 && errno != EINTR && errno != EAGAIN)
			break; /* nobody listens there */
		if (got > 0)
			answer = dns_answer(bytes, (size_t)got, id);
	}
	return answer;
}

static enum dns_answer ask(int fd, const struct question *question)
{
	int64_t until_mono_ms = clock_mono_ms() + LIMIT_MS;
	enum dns_answer answer, last = DNS_NOT_OURS;

	while ((answer = ask_once(fd, question)) != DNS_KNOWN && clock_mono_ms() < until_mono_ms) {
		last = answer == DNS_UNKNOWN ? answer : last;
		poll(NULL, 0, ASK_AGAIN_MS);
	}
	return answer == DNS_KNOWN ? answer : last;
}

/* ---- what to ask, and whom ---- */

static bool is_running(const struct service_run *run)
{
	return json_get_bool(json_object_get(run->inspected, "State"), "Running", false);
}

static bool is_on(const struct service_run *run, const char *network)
{
	const struct compose_attachments *networks = &run->planned->service->networks;

	for (size_t i = 0; i < networks->count; i++)
		if (strcmp(networks->items[i].network, network) == 0)
			return true;
	return false;
}

/* Whoever is alone on it, or has name servers of its own, may never ask for a name of it. */
static bool has_names(const struct service_run *runs, size_t count, const char *network)
{
	size_t askers = 0;

	for (size_t i = 0; i < count; i++)
		askers += is_on(&runs[i], network) &&
			  runs[i].planned->service->naming.dns.texts.count == 0;
	return askers > 1;
}

static bool make_question(const struct service_run *run, const char *network,
			  struct question *question)
{
	AUTO(free) char *name = container_name(run->request->environment, network);
	const json_t *networks =
	    json_object_get(json_object_get(run->inspected, "NetworkSettings"), "Networks");
	const char *gateway = json_get_string(json_object_get(networks, name), "Gateway", "");

	*question = (struct question){
		.inside = (pid_t)json_get_int64(json_object_get(run->inspected, "State"), "Pid", 0),
		.server = { .sin_family = AF_INET, .sin_port = htons(DNS_PORT) },
		/* Not the service's: a stray that knows another "web" would know that. */
		.name = run->planned->container,
	};
	return question->inside > 0 && inet_pton(AF_INET, gateway, &question->server.sin_addr) == 1;
}

static bool refuse(const struct question *question, const char *network, enum dns_answer answer,
		   struct error *err)
{
	char server[INET_ADDRSTRLEN] = "";

	inet_ntop(AF_INET, &question->server.sin_addr, server, sizeof(server));
	error_set_as(err, ERR_EXTERNAL, "names_unresolved",
		     "services on network \"%s\" cannot find each other by name: the runtime's "
		     "resolver at %s %s \"%s\"",
		     network, server,
		     answer == DNS_UNKNOWN ? "does not know" : "does not answer when asked for",
		     question->name);
	return error_hint(err, "on the runtime's machine, end each aardvark-dns process that "
			       "/run/containers/networks/aardvark-dns/aardvark.pid does not name");
}

static bool check_from(const struct service_run *run, const char *network, struct error *err)
{
	struct question question;
	enum dns_answer answer;
	AUTO(close) int fd = -1;

	if (!make_question(run, network, &question))
		return true;
	fd = socket_inside(question.inside);
	/* Nobody there any more, or we may not: not known is not wrong. */
	if (fd < 0 ||
	    connect(fd, (const struct sockaddr *)&question.server, sizeof(question.server)) != 0)
		return true;
	answer = ask(fd, &question);
	return answer == DNS_KNOWN || refuse(&question, network, answer, err);
}

/* Asked from the first that runs on it. */
static bool check_network(const struct service_run *runs, size_t count, const char *network,
			  struct error *err)
{
	for (size_t i = 0; i < count && has_names(runs, count, network); i++)
		if (is_on(&runs[i], network) && is_running(&runs[i]))
			return check_from(&runs[i], network, err);
	return true;
}

bool resolver_check(const struct runtime *runtime, const struct container_plan *plan,
		    const struct service_run *runs, const char **network, struct error *err)
{
	const struct compose_names *networks = &plan->file->networks;

	if (!runtime->is_podman || runtime->is_remote || geteuid() != 0)
		return true;
	for (size_t i = 0; i < networks->count; i++) {
		/* Podman 4.3 answers on these when it likes: templates/README.md says so. */
		if (networks->items[i].is_internal ||
		    check_network(runs, plan->count, networks->items[i].name, err))
			continue;
		*network = networks->items[i].name;
		return false;
	}
	return true;
}
