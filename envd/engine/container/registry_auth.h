/*
 * registry_auth.h - the credentials that a registry gets, from where Docker's and Podman's users
 * keep them already.
 *
 * Looked at in this order: $REGISTRY_AUTH_FILE, $XDG_RUNTIME_DIR/containers/auth.json,
 * /run/containers/UID/auth.json, ${DOCKER_CONFIG:-~/.docker}/config.json. In each: the helper that
 * `credHelpers` names for the registry, the store of `credsStore`, the entry of `auths` that fits
 * the repository best. The first that has something is taken.
 *
 * A helper is a program `docker-credential-NAME` on PATH: `get`, the registry on its stdin, JSON
 * on its stdout, 15 s. Secrets are in memory, on the way to the runtime, and nowhere else; errors
 * name files and helpers and never quote what these said.
 */
#ifndef ENVD_ENGINE_CONTAINER_REGISTRY_AUTH_H
#define ENVD_ENGINE_CONTAINER_REGISTRY_AUTH_H

#include <jansson.h>

#include "base/error.h"

/*
 * For `repository` ("docker.io/library/nginx"): what Docker's API calls an AuthConfig, or NULL
 * where nobody has credentials for it. New reference, to be given to registry_auth_forget().
 * Errors: ERR_EXTERNAL or ERR_INVALID, slug "registry_credentials".
 */
NODISCARD bool registry_auth_find(const char *repository, json_t **auth, struct error *err);

/* "X-Registry-Auth: ..." from an AuthConfig; the caller wipes and frees. */
char *registry_auth_header(const json_t *auth);

/* Wipes every text in it (or in a map of several), and lets go of it. NULL is fine. */
void registry_auth_forget(json_t *auth);

#endif
