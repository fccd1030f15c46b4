/*
 * server_version.h - may this envctl talk to that envd? Pure.
 */
#ifndef CLI_SERVER_VERSION_H
#define CLI_SERVER_VERSION_H

#include "base/error.h"

/* The same major version, or no answer of an envd at all ("" and NULL: a proxy's, say). Otherwise
 * ERR_INVALID "server_incompatible" with both versions and what to do. `where` is for the message.
 */
NODISCARD bool server_version_check(const char *own, const char *server, const char *where,
				    struct error *err);

#endif
