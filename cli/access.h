/*
 * access.h - how a client shows who it is: a token from ENVCTL_TOKEN, from the file that
 * ENVCTL_TOKEN_FILE names, or from stdin; never from the command line, which everybody on the
 * machine can read.
 */
#ifndef CLI_ACCESS_H
#define CLI_ACCESS_H

#include "cli/api_client.h"

struct access_options {
	const char *ca;
	const char *certificate;
	const char *key;
	const char *project;
	bool has_token_on_stdin;
};

/* ERR_INVALID "token_unreadable" or "token_malformed"; ERR_DENIED "token_exposed" when others may
 * read the file. The token is in none of them. */
NODISCARD bool access_give(const struct access_options *options, struct api_client *client,
			   struct error *err);

#endif
