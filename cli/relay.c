#include "cli/relay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/text.h"
#include "cli/api_client.h"

enum { PIPE_BYTES = 65536 };

/* What one side said and the other has not taken yet. */
struct way {
	char *bytes;
	size_t begin, end;
	bool is_over; /* the reader's end of file was seen */
	bool is_told; /* and passed on */
};

/* sides[0] came to us, sides[1] is where it goes; ways[i] is what sides[i] said. */
struct link {
	int sides[2];
	struct way ways[2];
	bool is_connecting;
};

struct relaying {
	const struct relay *relay;
	struct link links[RELAY_LINKS_MAX];
	size_t count;
};

bool relay_listen(int64_t port, int *listen_fd, int *chosen, struct error *err)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((uint16_t)port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(address);
	int yes = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return error_set_errno(err, errno, "cannot make a socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, 64) < 0 || getsockname(fd, (struct sockaddr *)&address, &length) < 0) {
		int problem = errno;

		close(fd);
		error_set_as(err, ERR_CONFLICT, "port_taken", "cannot listen on 127.0.0.1:%d: %s",
			     (int)port, strerror(problem));
		return error_hint(err, "without LOCAL a free port is chosen");
	}
	*listen_fd = fd;
	*chosen = ntohs(address.sin_port);
	return true;
}

/* ---- links ---- */

static void link_close(struct link *link)
{
	for (size_t i = 0; i < 2; i++) {
		if (link->sides[i] >= 0)
			close(link->sides[i]);
		free(link->ways[i].bytes);
	}
}

/* The last one takes its place. */
static void drop(struct relaying *all, size_t i)
{
	link_close(&all->links[i]);
	all->links[i] = all->links[--all->count];
}

/* -1, and `*why` a literal or strerror()'s. */
static int begin_connect(const struct relay *relay, const char **why)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found;
	char port[16];
	int problem, fd;

	snprintf(port, sizeof(port), "%d", relay->port);
	problem = getaddrinfo(relay->host, port, &hints, &found);
	if (problem) {
		*why = gai_strerror(problem);
		return -1;
	}
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 ||
	    (connect(fd, found->ai_addr, found->ai_addrlen) < 0 && errno != EINPROGRESS)) {
		*why = strerror(errno);
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	freeaddrinfo(found);
	return fd;
}

static void accept_one(struct relaying *all)
{
	const struct relay *relay = all->relay;
	int near = accept4(relay->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), far;
	const char *why = "";
	struct link *link;

	if (near < 0)
		return;
	far = begin_connect(relay, &why);
	if (far < 0) {
		relay->on_refused(relay->arg, why);
		close(near);
		return;
	}
	link = &all->links[all->count++];
	*link = (struct link){ .sides = { near, far }, .is_connecting = true };
	for (size_t i = 0; i < 2; i++)
		link->ways[i].bytes = xcalloc(1, PIPE_BYTES);
}

/* ---- bytes ---- */

/* False: the link is broken. */
static bool take_in(struct way *way, int from)
{
	ssize_t length = read(from, way->bytes + way->end, PIPE_BYTES - way->end);

	if (length < 0)
		return errno == EAGAIN || errno == EINTR;
	way->is_over = length == 0;
	way->end += (size_t)length;
	return true;
}

static bool give_out(struct way *way, int to)
{
	ssize_t length = send(to, way->bytes + way->begin, way->end - way->begin, MSG_NOSIGNAL);

	if (length < 0)
		return errno == EAGAIN || errno == EINTR;
	way->begin += (size_t)length;
	if (way->begin == way->end)
		way->begin = way->end = 0;
	return true;
}

/* What each side is waited for. */
static short events_of(const struct link *link, size_t side)
{
	const struct way *said = &link->ways[side], *heard = &link->ways[!side];

	if (link->is_connecting)
		return side == 1 ? POLLOUT : 0;
	return (short)((!said->is_over && said->end < PIPE_BYTES ? POLLIN : 0) |
		       (heard->end > heard->begin ? POLLOUT : 0));
}

static bool finish_connect(const struct relay *relay, struct link *link)
{
	int problem = 0;
	socklen_t length = sizeof(problem);

	getsockopt(link->sides[1], SOL_SOCKET, SO_ERROR, &problem, &length);
	link->is_connecting = false;
	if (!problem)
		return true;
	relay->on_refused(relay->arg, strerror(problem));
	return false;
}

/* False: it is over, or broken. */
static bool serve(const struct relay *relay, struct link *link, const struct pollfd fds[2])
{
	if (link->is_connecting)
		return !fds[1].revents || finish_connect(relay, link);
	for (size_t i = 0; i < 2; i++) {
		struct way *said = &link->ways[i], *heard = &link->ways[!i];

		if ((fds[i].revents & (POLLIN | POLLHUP | POLLERR)) && !said->is_over &&
		    said->end < PIPE_BYTES && !take_in(said, link->sides[i]))
			return false;
		if ((fds[i].revents & (POLLOUT | POLLHUP | POLLERR)) && heard->end > heard->begin &&
		    !give_out(heard, link->sides[i]))
			return false;
	}
	for (size_t i = 0; i < 2; i++) {
		struct way *way = &link->ways[i];

		if (way->is_over && !way->is_told && way->begin == way->end) {
			shutdown(link->sides[!i], SHUT_WR);
			way->is_told = true;
		}
	}
	return !(link->ways[0].is_told && link->ways[1].is_told);
}

static size_t prepare(const struct relaying *all, struct pollfd *fds)
{
	size_t count = 0;
	bool has_room = all->count < RELAY_LINKS_MAX;

	fds[count++] = (struct pollfd){ .fd = all->relay->wake_fd, .events = POLLIN };
	fds[count++] =
	    (struct pollfd){ .fd = has_room ? all->relay->listen_fd : -1, .events = POLLIN };
	for (size_t i = 0; i < all->count; i++) {
		for (size_t side = 0; side < 2; side++) {
			short events = events_of(&all->links[i], side);

			/* A side that nobody waits for would report its hang-up for ever. */
			fds[count++] =
			    (struct pollfd){ .fd = events ? all->links[i].sides[side] : -1,
					     .events = events };
		}
	}
	return count;
}

bool relay_run(const struct relay *relay, struct error *err)
{
	struct relaying all = { .relay = relay };
	struct pollfd fds[2 + 2 * RELAY_LINKS_MAX];

	for (;;) {
		size_t count = prepare(&all, fds);

		if (poll(fds, (nfds_t)count, -1) < 0 && errno != EINTR)
			break;
		if (fds[0].revents)
			break;
		/* From behind, so that what takes a dropped one's place was served already. */
		for (size_t i = all.count; i-- > 0;)
			if (!serve(relay, &all.links[i], fds + 2 + 2 * i))
				drop(&all, i);
		if (fds[1].revents)
			accept_one(&all);
	}
	while (all.count)
		drop(&all, all.count - 1);
	return error_set_as(err, ERR_TIMEOUT, SLUG_INTERRUPTED, "interrupted");
}
