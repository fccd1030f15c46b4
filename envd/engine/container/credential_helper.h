/*
 * credential_helper.h - asking a `docker-credential-NAME` program for a registry's credentials.
 */
#ifndef ENVD_ENGINE_CONTAINER_CREDENTIAL_HELPER_H
#define ENVD_ENGINE_CONTAINER_CREDENTIAL_HELPER_H

#include "base/error.h"

#define CREDENTIAL_HELPER_LIMIT_MS 15000

/*
 * Blocks for at most CREDENTIAL_HELPER_LIMIT_MS; a helper that takes longer is killed with what it
 * started. The caller frees both texts and wipes the secret; both are NULL when the helper knows
 * of none. Errors name the helper, never quote it: slug "registry_credentials".
 */
NODISCARD bool credential_helper_get(const char *name, const char *server, char **user,
				     char **secret, struct error *err);

#endif
