#include "engine/container/container_dial.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>

#include "engine/container/container_names.h"
#include "engine/container/container_runtime.h"

enum { CONNECT_LIMIT_MS = 5000 };

struct place {
	pid_t pid;        /* of the container's first process, as the runtime says */
	char address[64]; /* on its network; "" without one */
	const char *service;
	int port;
};

/* ---- asking ---- */

static bool look(struct docker *docker, const char *container, struct place *place,
		 struct error *err)
{
	AUTO(docker_call_free)
	struct docker_call *call = docker_call_new("GET", "/containers/%s/json", container);
	AUTO(json_decref) json_t *answer = NULL;
	const json_t *state, *network;
	const char *name;

	if (!docker_run(docker, call, err))
		return false;
	if (call->status == 404)
		return error_set_as(err, ERR_NOT_FOUND, "service_not_found",
				    "there is no container of service \"%s\"", place->service);
	if (!docker_json(call, &answer, err))
		return false;
	state = json_object_get(answer, "State");
	if (!json_get_bool(state, "Running", false))
		return error_set_as(err, ERR_CONFLICT, "service_not_running",
				    "service \"%s\" does not run", place->service);
	place->pid = (pid_t)json_get_int64(state, "Pid", 0);
	place->address[0] = '\0';
	json_object_foreach(json_object_get(json_object_get(answer, "NetworkSettings"), "Networks"),
			    name, network)
		if (!place->address[0])
			snprintf(place->address, sizeof(place->address), "%s",
				 json_get_string(network, "IPAddress", ""));
	return true;
}

/* ---- connecting ---- */

/* 0 or an errno. */
static int wait_for_connection(int fd)
{
	struct pollfd waited = { .fd = fd, .events = POLLOUT };
	socklen_t length = sizeof(int);
	int problem = 0;

	if (poll(&waited, 1, CONNECT_LIMIT_MS) <= 0)
		return ETIMEDOUT;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &length);
	return problem;
}

static int connect_to(const char *address, int port, int *fd)
{
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
	bool is_four = inet_pton(AF_INET, address, &four.sin_addr) == 1;
	const struct sockaddr *to = is_four ? (struct sockaddr *)&four : (struct sockaddr *)&six;
	AUTO(close) int made = -1;
	int problem = 0;

	if (!is_four && inet_pton(AF_INET6, address, &six.sin6_addr) != 1)
		return EADDRNOTAVAIL;
	made = socket(to->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (made < 0)
		return errno;
	if (connect(made, to, is_four ? sizeof(four) : sizeof(six)) < 0)
		problem = errno == EINPROGRESS ? wait_for_connection(made) : errno;
	if (!problem)
		*fd = TAKE_FD(made);
	return problem;
}

/* ---- from inside ---- */

static int open_namespace(pid_t pid, const char *kind)
{
	AUTO(free) char *path = xasprintf("/proc/%d/ns/%s", (int)pid, kind);

	return open(path, O_RDONLY | O_CLOEXEC);
}

/* A runtime may be on another machine behind a local socket, where its number of a process means
 * nothing here: in the right place, one of the addresses is the container's. */
static bool is_the_place(const char *address)
{
	struct ifaddrs *all = NULL;
	bool is_found = false;
	struct in_addr wanted;

	if (inet_pton(AF_INET, address, &wanted) != 1 || getifaddrs(&all) != 0)
		return false;
	for (struct ifaddrs *at = all; at && !is_found; at = at->ifa_next)
		is_found =
		    at->ifa_addr && at->ifa_addr->sa_family == AF_INET &&
		    ((struct sockaddr_in *)(void *)at->ifa_addr)->sin_addr.s_addr == wanted.s_addr;
	freeifaddrs(all);
	return is_found;
}

/* A rootless runtime's networks belong to its user namespace, which is entered for good: nothing
 * else is done here afterwards. */
static bool enter(int network, int user)
{
	if (setns(network, CLONE_NEWNET) == 0)
		return true;
	return user >= 0 && setns(user, CLONE_NEWUSER) == 0 && setns(network, CLONE_NEWNET) == 0;
}

/* 0, or an errno: EXDEV when we cannot get there. */
static int connect_inside(const struct place *place, int *fd)
{
	const char *const tried[] = { "127.0.0.1", "::1", place->address };
	AUTO(close) int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	AUTO(close) int network = open_namespace(place->pid, "net");
	AUTO(close) int user = open_namespace(place->pid, "user");
	int problem = EXDEV;

	if (!place->pid || !place->address[0] || home < 0 || network < 0 || !enter(network, user))
		return EXDEV;
	if (is_the_place(place->address))
		for (size_t i = 0; i < ARRAY_SIZE(tried) && problem; i++)
			problem = connect_to(tried[i], place->port, fd);
	/* In vain where the user namespace was entered; the socket is what counts. */
	if (setns(home, CLONE_NEWNET) != 0)
		return problem;
	return problem;
}

static bool judge(const struct place *place, int problem, struct error *err)
{
	if (problem == ECONNREFUSED)
		return error_set_as(err, ERR_CONFLICT, "port_refused",
				    "nothing listens on port %d of service \"%s\"", place->port,
				    place->service);
	error_set_as(err, ERR_EXTERNAL, "port_not_reachable",
		     "port %d of service \"%s\" cannot be reached from here: %s", place->port,
		     place->service, strerror(problem));
	return error_hint(err, "what is published (\"ports:\" in the Compose file) can be reached "
			       "wherever its target is");
}

bool container_dial(const struct engine_request *request, const char *service, int port, int *fd,
		    struct error *err)
{
	AUTO(runtime_release) struct runtime runtime = { 0 };
	AUTO(free) char *container = container_name(request->environment, service);
	struct place place = { .service = service, .port = port };
	int problem = EXDEV;

	if (!runtime_open(request, &runtime, err) || !look(runtime.docker, container, &place, err))
		return false;
	if (!runtime.is_remote)
		problem = connect_inside(&place, fd);
	if (problem == EXDEV && place.address[0])
		problem = connect_to(place.address, port, fd);
	return !problem || judge(&place, problem == EXDEV ? ENETUNREACH : problem, err);
}
