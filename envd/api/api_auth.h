/*
 * api_auth.h - who is asking. On a unix socket the kernel knows: our own user and root are admin,
 * members of one group are ci, everybody else is refused.
 */
#ifndef ENVD_API_API_AUTH_H
#define ENVD_API_API_AUTH_H

#include <sys/types.h>

#include "http/http_request.h"
#include "model/permission.h"

enum { AUTH_NAMES_MAX = 32 };

struct api_auth {
	uid_t own_uid;
	gid_t ci_gid; /* (gid_t)-1: there is none */
	/* Names of users already looked up; the oldest is forgotten first. */
	struct {
		uid_t uid;
		char name[64];
	} names[AUTH_NAMES_MAX];
	size_t name_count;
};

void api_auth_init(struct api_auth *auth, const char *ci_group);

/* ROLE_NONE for a stranger. Pure. */
enum role api_auth_role(const struct api_auth *auth, const struct http_peer *peer);

/* ERR_DENIED "peer_refused". */
NODISCARD bool api_auth_caller(struct api_auth *auth, const struct http_peer *peer,
			       struct caller *caller, struct error *err);

#endif
