/*
 * address_guard.h - which addresses a check may reach.
 *
 * The question is asked of the numeric address and port at the moment of connecting, after every
 * name was resolved and every redirect followed, so a spelling such as 0x7f000001, a redirect or a
 * DNS server that changes its mind cannot lead anywhere else. Ports count: environments of one
 * machine differ in nothing but the port.
 */
#ifndef ENVD_CHECK_ADDRESS_GUARD_H
#define ENVD_CHECK_ADDRESS_GUARD_H

#include <jansson.h>
#include <sys/socket.h>

#include "base/error.h"

struct address_guard;

/* `addresses` always count; URLs and host:port in `outputs`, and `allow`, only when trusted: an
 * untrusted template writes its own outputs. Each may be NULL. */
struct address_guard *address_guard_new(const json_t *addresses, const json_t *outputs,
					const char *const *allow, bool is_trusted);
void address_guard_free(struct address_guard *guard);
DEFINE_AUTO(struct address_guard *, address_guard_free)

/* One more: host and port of a URL. */
void address_guard_add_url(struct address_guard *guard, const char *url);

/* May ask DNS for names of the list that could not be resolved before. */
bool address_guard_allows(struct address_guard *guard, const struct sockaddr *address);

/* ERR_DENIED, slug "address_not_allowed". */
bool address_guard_refuse(const struct sockaddr *address, struct error *err);

/*
 * Connect, to the first allowed address that answers. The socket stays non-blocking.
 * ERR_DENIED "address_not_allowed": none was allowed; ERR_NOT_FOUND: no such name; ERR_TIMEOUT;
 * ERR_EXTERNAL.
 */
NODISCARD bool address_guard_connect(struct address_guard *guard, const char *host,
				     const char *port, int64_t time_limit_ms, int *fd,
				     struct error *err);

#endif
