#include "check/address_guard.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/json_read.h"
#include "base/text.h"

struct entry {
	char *host;
	char *port;             /* NULL: any */
	struct addrinfo *found; /* NULL: not resolved yet */
};

struct address_guard {
	struct entry *entries;
	size_t count;
};

static void auto_curl_url_cleanup(CURLU **url)
{
	curl_url_cleanup(*url);
}

static void auto_freeaddrinfo(struct addrinfo **list)
{
	if (*list)
		freeaddrinfo(*list);
}

/* ---- the list ------------------------------------------------------------------------------ */

static void resolve(struct entry *entry)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM };

	if (!entry->found && getaddrinfo(entry->host, entry->port, &hints, &entry->found) != 0)
		entry->found = NULL;
}

/* Resolved when nothing else allows an address: a name may be one that DNS never knows, and is
 * asked for in vain where no check goes there. */
static struct entry *add_later(struct address_guard *guard, const char *host, const char *port)
{
	struct entry *entry;

	if (!host || !*host)
		return NULL;
	guard->entries = xrealloc(guard->entries, guard->count + 1, sizeof(*guard->entries));
	entry = &guard->entries[guard->count++];
	*entry = (struct entry){ .host = xstrdup(host), .port = port ? xstrdup(port) : NULL };
	return entry;
}

static void add(struct address_guard *guard, const char *host, const char *port)
{
	struct entry *entry = add_later(guard, host, port);

	if (entry)
		resolve(entry);
}

static void add_address(struct address_guard *guard, const json_t *address)
{
	char port[16];

	snprintf(port, sizeof(port), "%lld", (long long)json_get_int64(address, "port", 0));
	if (strcmp(port, "0") != 0)
		add(guard, json_get_string(address, "host", ""), port);
}

/* "host", "host:port", "[v6]", "[v6]:port"; an output is only meant if it has a port. */
static void add_host_port(struct address_guard *guard, const char *text, bool is_output)
{
	const char *colon = strrchr(text, ':');
	bool in_brackets = *text == '[';
	AUTO(free) char *host = NULL;

	/* An IPv6 address without brackets has more than one colon, and no port. */
	if (colon && (in_brackets ? colon[-1] != ']' : strchr(text, ':') != colon))
		colon = NULL;
	if (is_output &&
	    (!colon || !colon[1] || strspn(colon + 1, "0123456789") != strlen(colon + 1)))
		return;
	host = xstrndup(text + in_brackets,
			(colon ? (size_t)(colon - text) : strlen(text)) - in_brackets);
	if (in_brackets && text_ends_with(host, "]"))
		host[strlen(host) - 1] = '\0';
	if (is_output)
		add(guard, host, colon + 1);
	else
		(void)add_later(guard, host, colon ? colon + 1 : NULL);
}

void address_guard_add_url(struct address_guard *guard, const char *text)
{
	AUTO(curl_url_cleanup) CURLU *url = curl_url();
	char *host = NULL, *port = NULL;

	if (curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK &&
	    curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
	    curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK) {
		/* libcurl keeps the brackets of an IPv6 address. */
		AUTO(free)
		char *plain =
		    xstrndup(host + (*host == '['), strlen(host) - 2 * (size_t)(*host == '['));

		add(guard, plain, port);
	}
	curl_free(host);
	curl_free(port);
}

static void add_outputs(struct address_guard *guard, const json_t *outputs)
{
	void *at = json_object_iter((json_t *)(uintptr_t)outputs);

	for (; at; at = json_object_iter_next((json_t *)(uintptr_t)outputs, at)) {
		const char *text = json_string_value(json_object_iter_value(at));

		if (!text)
			continue;
		if (text_starts_with(text, "http://") || text_starts_with(text, "https://"))
			address_guard_add_url(guard, text);
		else if (strlen(text) < 300 && !strpbrk(text, " \n/"))
			add_host_port(guard, text, true);
	}
}

struct address_guard *address_guard_new(const json_t *addresses, const json_t *outputs,
					const char *const *allow, bool is_trusted)
{
	struct address_guard *guard = xcalloc(1, sizeof(*guard));

	for (size_t i = 0; i < json_array_size(addresses); i++)
		add_address(guard, json_array_get(addresses, i));
	if (!is_trusted)
		return guard;
	if (outputs)
		add_outputs(guard, outputs);
	for (; allow && *allow; allow++)
		add_host_port(guard, *allow, false);
	return guard;
}

void address_guard_free(struct address_guard *guard)
{
	if (!guard)
		return;
	for (size_t i = 0; i < guard->count; i++) {
		free(guard->entries[i].host);
		free(guard->entries[i].port);
		if (guard->entries[i].found)
			freeaddrinfo(guard->entries[i].found);
	}
	free(guard->entries);
	free(guard);
}

/* ---- the question -------------------------------------------------------------------------- */

/* Every address as IPv6, IPv4 ones mapped, so that ::ffff:127.0.0.1 is 127.0.0.1. */
struct place {
	struct in6_addr ip;
	in_port_t port;
	bool is_known;
};

static struct place place_of(const struct sockaddr *address)
{
	struct place place = { 0 };

	if (address->sa_family == AF_INET6) {
		struct sockaddr_in6 v6;

		memcpy(&v6, address, sizeof(v6));
		place = (struct place){ v6.sin6_addr, v6.sin6_port, true };
	} else if (address->sa_family == AF_INET) {
		struct sockaddr_in v4;

		memcpy(&v4, address, sizeof(v4));
		place.ip.s6_addr[10] = place.ip.s6_addr[11] = 0xFF;
		memcpy(&place.ip.s6_addr[12], &v4.sin_addr, 4);
		place.port = v4.sin_port;
		place.is_known = true;
	}
	return place;
}

static bool entry_holds(const struct entry *entry, const struct place *wanted)
{
	for (const struct addrinfo *at = entry->found; at; at = at->ai_next) {
		struct place place = place_of(at->ai_addr);

		if (place.is_known && (!entry->port || place.port == wanted->port) &&
		    memcmp(&place.ip, &wanted->ip, sizeof(place.ip)) == 0)
			return true;
	}
	return false;
}

bool address_guard_allows(struct address_guard *guard, const struct sockaddr *address)
{
	struct place wanted = place_of(address);

	if (!wanted.is_known)
		return false;
	for (size_t i = 0; i < guard->count; i++)
		if (entry_holds(&guard->entries[i], &wanted))
			return true;
	/* A name that DNS did not know before may have come into being with the environment. */
	for (size_t i = 0; i < guard->count; i++) {
		struct entry *entry = &guard->entries[i];

		if (entry->found)
			continue;
		resolve(entry);
		if (entry_holds(entry, &wanted))
			return true;
	}
	return false;
}

bool address_guard_refuse(const struct sockaddr *address, struct error *err)
{
	struct place place = place_of(address);
	char text[INET6_ADDRSTRLEN] = "another family";

	if (IN6_IS_ADDR_V4MAPPED(&place.ip))
		inet_ntop(AF_INET, &place.ip.s6_addr[12], text, sizeof(text));
	else if (place.is_known)
		inet_ntop(AF_INET6, &place.ip, text, sizeof(text));
	error_set_as(err, ERR_DENIED, "address_not_allowed",
		     "%s port %d is not an address of this environment", text, ntohs(place.port));
	return error_hint(err,
			  "a check reaches its own environment; a trusted plan can name others "
			  "in \"allow\"");
}

/* ---- connecting ---------------------------------------------------------------------------- */

static bool wait_connected(int fd, int64_t until_mono_ms, struct error *err)
{
	int64_t left_ms = until_mono_ms - clock_mono_ms();
	struct pollfd wait = { .fd = fd, .events = POLLOUT };
	socklen_t size = sizeof(int);
	int failure = 0;

	if (poll(&wait, 1, left_ms > 0 ? (int)left_ms : 0) <= 0)
		return error_set(err, ERR_TIMEOUT, "no answer in time");
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size);
	if (failure)
		return error_set(err, ERR_EXTERNAL, "%s", strerror(failure));
	return true;
}

static bool connect_one(struct address_guard *guard, const struct addrinfo *to,
			int64_t until_mono_ms, int *fd, struct error *err)
{
	AUTO(close) int made = -1;

	if (!address_guard_allows(guard, to->ai_addr))
		return address_guard_refuse(to->ai_addr, err);
	made = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (made < 0)
		return error_set_errno(err, errno, "cannot make a socket");
	if (connect(made, to->ai_addr, to->ai_addrlen) != 0) {
		if (errno != EINPROGRESS)
			return error_set(err, ERR_EXTERNAL, "%s", strerror(errno));
		if (!wait_connected(made, until_mono_ms, err))
			return false;
	}
	*fd = TAKE_FD(made);
	return true;
}

bool address_guard_connect(struct address_guard *guard, const char *host, const char *port,
			   int64_t time_limit_ms, int *fd, struct error *err)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
	AUTO(freeaddrinfo) struct addrinfo *list = NULL;
	int64_t until_mono_ms = clock_mono_ms() + time_limit_ms;
	int status = getaddrinfo(host, port, &hints, &list);

	if (status == EAI_SERVICE)
		return error_set(err, ERR_INVALID, "\"%s\" is no port", port);
	if (status != 0)
		return error_set(err, ERR_NOT_FOUND, "cannot resolve \"%.100s\": %s", host,
				 gai_strerror(status));
	for (const struct addrinfo *at = list; at; at = at->ai_next)
		if (connect_one(guard, at, until_mono_ms, fd, err))
			return true;
	return false;
}
