/*
 * image_reference.h - the parts of an image's name: REGISTRY/REPOSITORY:TAG@DIGEST. Pure.
 */
#ifndef ENVD_ENGINE_CONTAINER_IMAGE_REFERENCE_H
#define ENVD_ENGINE_CONTAINER_IMAGE_REFERENCE_H

#include <jansson.h>
#include <stdbool.h>

/* Is this the form of a reference? Everything else would be a path into the runtime's API. */
bool image_reference_is_valid(const char *reference);

/* "localhost/...": made on the machine itself, and in no registry. */
bool image_is_local(const char *reference);

/* With the registry and without tag and digest: "nginx" is "docker.io/library/nginx". The caller
 * frees, as all below. */
char *image_repository(const char *reference);
char *image_registry(const char *reference);

/* What to ask a registry for: "nginx" is "nginx:latest"; of a tag and a digest, the digest. */
char *image_pull_name(const char *reference);

/* REPOSITORY@DIGEST out of the runtime's RepoDigests, of the reference's own repository; NULL if
 * it has none, because it never came from there. */
char *image_repo_digest(const char *reference, const json_t *repo_digests);

/* "sha256:..." of a name with a digest; NULL without. Borrowed. */
const char *image_digest(const char *reference);

#endif
