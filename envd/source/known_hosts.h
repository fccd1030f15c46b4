/*
 * known_hosts.h - is this the host's key? Judged by a file as ssh writes it (sshd(8),
 * SSH_KNOWN_HOSTS FILE FORMAT): names, wildcards, [host]:port, hashed names, @revoked.
 * @cert-authority lines are skipped: the library speaks no host certificates.
 */
#ifndef ENVD_SOURCE_KNOWN_HOSTS_H
#define ENVD_SOURCE_KNOWN_HOSTS_H

#include "base/error.h"

struct host_key {
	const char *host;
	int port;
	const void *bytes; /* the public key as it is on the wire */
	size_t length;
};

/* `text`: the file's content, `path` names it in errors. ERR_EXTERNAL: "host_key_unknown" with the
 * fingerprint and the line that would make it known, "host_key_changed", "host_key_revoked". */
NODISCARD bool known_hosts_check(const char *text, const char *path, const struct host_key *key,
				 struct error *err);

#endif
