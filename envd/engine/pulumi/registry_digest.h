/*
 * registry_digest.h - what an image's name means at its registry just now, asked without pulling
 * anything: the distribution API's HEAD of a manifest, with a token where the registry wants one
 * and with the credentials that Docker's users keep (container/registry_auth.h).
 *
 * An answer is no condition of building: clusters may reach registries that this machine does not.
 */
#ifndef ENVD_ENGINE_PULUMI_REGISTRY_DIGEST_H
#define ENVD_ENGINE_PULUMI_REGISTRY_DIGEST_H

#include <jansson.h>

#include "base/error.h"

/*
 * For every image of `images` (an array of texts; others are left out):
 * {"ghcr.io/a/b:v1": "sha256:...", "other/c:v2": "unresolved, because ..."}. A registry that does
 * not answer is asked once; all of them together take at most 30 s. New reference.
 */
json_t *registry_digests(const json_t *images);

#endif
