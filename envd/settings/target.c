#include "settings/target.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/text.h"

static bool is_address(const char *text)
{
	unsigned char bytes[16];

	return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

static bool is_every_address(const char *text)
{
	return strcmp(text, "0.0.0.0") == 0 || strcmp(text, "::") == 0;
}

static bool is_loopback(const char *host)
{
	return text_starts_with(host, "127.") || strcmp(host, "localhost") == 0 ||
	       strcmp(host, "::1") == 0 || strcmp(host, "[::1]") == 0;
}

/* The host of "tcp://HOST:PORT"; NULL if that is not its form. The caller frees. */
static char *host_of(const char *socket)
{
	const char *host = socket + strlen("tcp://");
	const char *colon = strrchr(host, ':');
	int64_t port;

	if (!colon || colon == host || strpbrk(host, "/?#@ ") || !text_to_int64(colon + 1, &port) ||
	    port < 1 || port > 65535)
		return NULL;
	return xstrndup(host, (size_t)(colon - host));
}

static bool check_way(const struct target *target, struct error *err)
{
	AUTO(free) char *host = NULL;

	if (!target->socket || !text_starts_with(target->socket, "tcp://"))
		return !target->certificates ||
		       error_set(err, ERR_INVALID,
				 "target \"%s\": \"certificates\" need a \"socket\" of the form "
				 "tcp://HOST:PORT",
				 target->name);
	host = host_of(target->socket);
	if (!host)
		return error_set(err, ERR_INVALID,
				 "target \"%s\": \"socket\" must be tcp://HOST:PORT (got \"%s\")",
				 target->name, target->socket);
	if (!target->certificates && !is_loopback(host))
		return error_set(
		    err, ERR_INVALID,
		    "target \"%s\": \"%s\" needs \"certificates\", a folder with "
		    "ca.pem, cert.pem and key.pem: without TLS whoever reaches the port "
		    "is root on that machine",
		    target->name, target->socket);
	if (!is_loopback(host) && is_loopback(target->publish_address))
		return error_set(err, ERR_INVALID,
				 "target \"%s\": \"publish_address\" must be an address of the "
				 "runtime's machine: ports on its loopback cannot be reached from "
				 "here",
				 target->name);
	return true;
}

bool target_check(const struct target *target, struct error *err)
{
	if (!is_address(target->publish_address))
		return error_set(err, ERR_INVALID,
				 "target \"%s\": \"publish_address\" must be an IP address (got "
				 "\"%s\")",
				 target->name, target->publish_address);
	if (is_every_address(target->publish_address) && !target->advertised)
		return error_set(err, ERR_INVALID,
				 "target \"%s\": \"publish_address\" %s is every address of the "
				 "machine: \"advertised\" must say the name that clients use",
				 target->name, target->publish_address);
	if (target->advertised && (!target->advertised[0] || strlen(target->advertised) > 253 ||
				   strpbrk(target->advertised, "/@?# \t")))
		return error_set(err, ERR_INVALID,
				 "target \"%s\": \"advertised\" must be a host's name or address",
				 target->name);
	return check_way(target, err);
}
