/*
 * git_address.h - where a git repository is, and what in it: addresses and refs as people write
 * them. No I/O.
 *
 * https://HOST[:PORT]/PATH, ssh://[USER@]HOST[:PORT]/PATH, USER@HOST:PATH, file:///PATH. Never with
 * a password or a token in it: an address is shown in lists, logs and errors.
 */
#ifndef ENVD_MODEL_GIT_ADDRESS_H
#define ENVD_MODEL_GIT_ADDRESS_H

#include "base/error.h"

enum git_scheme { GIT_SCHEME_HTTPS, GIT_SCHEME_SSH, GIT_SCHEME_FILE };

struct git_address {
	enum git_scheme scheme;
	char *url;  /* as it was written */
	char *host; /* in lower case; "" for a file */
	int port;   /* 443 or 22 unless it says; 0 for a file */
	char *user; /* ssh alone; NULL: none */
};

/* ERR_INVALID "address_invalid", saying what was expected. */
NODISCARD bool git_address_parse(const char *text, struct git_address *address, struct error *err);
void git_address_release(struct git_address *address);

static inline void auto_git_address_release(struct git_address *address)
{
	git_address_release(address);
}

/* What `relative` ("../other.git", or a whole address) means in a repository at `base`; the caller
 * frees. ERR_INVALID when it climbs out of the host. */
NODISCARD bool git_address_join(const struct git_address *base, const char *relative, char **url,
				struct error *err);

/* A branch, a tag, a commit (4 to 40 digits) or a full name "refs/...": git's rules for names, 200
 * bytes. ERR_INVALID "ref_invalid". */
NODISCARD bool git_ref_check(const char *ref, struct error *err);

/* 4 to 40 hexadecimal digits in lower case. */
bool git_ref_is_commit(const char *ref);

#endif
