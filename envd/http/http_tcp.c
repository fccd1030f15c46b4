#include "http/http_tcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

DEFINE_AUTO(struct addrinfo *, freeaddrinfo)

enum { LISTEN_BACKLOG = 512 };

/* "HOST:PORT" or "[HOST]:PORT" cut in two. */
static bool cut(char *address, char **host, char **port)
{
	char *colon = strrchr(address, ':');

	if (!colon || !colon[1] || strspn(colon + 1, "0123456789") != strlen(colon + 1))
		return false;
	*colon = '\0';
	*port = colon + 1;
	*host = address;
	if (*address == '[' && colon > address + 2 && colon[-1] == ']') {
		colon[-1] = '\0';
		*host = address + 1;
		return true;
	}
	/* Without brackets nobody can tell where an IPv6 address ends. */
	return *address && !strpbrk(address, ":[]");
}

static bool resolve(const char *address, struct addrinfo **found, struct error *err)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC,
					.ai_socktype = SOCK_STREAM,
					.ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	AUTO(free) char *copy = xstrdup(address);
	char *host, *port;
	int result;

	if (!cut(copy, &host, &port))
		return error_set_as(err, ERR_INVALID, "address_invalid",
				    "the address \"%s\" is not HOST:PORT or [IPV6]:PORT", address);
	result = getaddrinfo(host, port, &hints, found);
	return result == 0 ||
	       error_set_as(err, ERR_INVALID, "address_invalid",
			    "the address \"%s\" is not known: %s", address, gai_strerror(result));
}

static bool is_loopback(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET)
		return ntohl(
			   ((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr) >>
			   24 ==
		       IN_LOOPBACKNET;
	return address->sa_family == AF_INET6 &&
	       IN6_IS_ADDR_LOOPBACK(
		   &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
}

static bool open_socket(const struct addrinfo *place, const char *address, int *fd,
			struct error *err)
{
	AUTO(close)
	int made = socket(place->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const int on = 1;

	if (made < 0)
		return error_set_errno(err, errno, "cannot make a socket");
	/* A restart must not wait for the connections of the last run to be forgotten. */
	setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	/* Connections inherit it: else the end of an answer waits for the answer's receipt. */
	setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (place->ai_family == AF_INET6)
		setsockopt(made, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(made, place->ai_addr, place->ai_addrlen) < 0 || listen(made, LISTEN_BACKLOG) < 0) {
		if (errno == EADDRINUSE)
			return error_set_as(err, ERR_CONFLICT, "address_in_use",
					    "another server listens on \"%s\"", address);
		return error_set_errno(err, errno, "cannot listen on \"%s\"", address);
	}
	*fd = TAKE_FD(made);
	return true;
}

static void write_bound(int fd, char *bound, size_t size)
{
	struct sockaddr_storage at;
	socklen_t length = sizeof(at);
	char host[48] = "?", port[8] = "?";

	if (getsockname(fd, (struct sockaddr *)&at, &length) == 0)
		getnameinfo((struct sockaddr *)&at, length, host, sizeof(host), port, sizeof(port),
			    NI_NUMERICHOST | NI_NUMERICSERV);
	snprintf(bound, size, at.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

bool http_tcp_listen(const char *address, bool must_be_loopback, int *fd, char *bound,
		     size_t bound_size, struct error *err)
{
	AUTO(freeaddrinfo) struct addrinfo *found = NULL;

	if (!resolve(address, &found, err))
		return false;
	if (must_be_loopback && !is_loopback(found->ai_addr)) {
		error_set_as(err, ERR_INVALID, "address_not_loopback",
			     "\"%s\" is not a loopback address, and plain HTTP is for those only",
			     address);
		return error_hint(err, "use --listen with --tls-certificate and --tls-key");
	}
	if (!open_socket(found, address, fd, err))
		return false;
	write_bound(*fd, bound, bound_size);
	return true;
}
