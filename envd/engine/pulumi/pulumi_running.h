/*
 * pulumi_running.h - what runs in an environment's cluster, by its API server, against what the
 * lock says: MARA's authors once had another ingress controller running than the one they had
 * pinned.
 *
 * Looked at are the images of deployments, stateful sets and daemon sets, the digests that their
 * pods pulled, and the charts of Helm's releases.
 */
#ifndef ENVD_ENGINE_PULUMI_PULUMI_RUNNING_H
#define ENVD_ENGINE_PULUMI_PULUMI_RUNNING_H

#include "engine/pulumi/pulumi_place.h"

/*
 * For a template with "verify" or with images that it rewrites; without either nothing is done.
 * `*lock` is the request's lock with what was found:
 *
 *	"running": {"images": {"bos/Deployment/frontend/front": "ghcr.io/...:v1.3.0"},
 *		    "digests": {"ghcr.io/...:v1.3.0": "sha256:..."},
 *		    "charts": {"logstore/elastic": "elasticsearch 19.4.4"}}
 *
 * New reference. ERR_EXTERNAL "version_differs" names what runs, where, and what was wanted;
 * "version_missing": nothing of it runs. And those of kube_client.h.
 */
NODISCARD bool running_check(const struct pulumi_place *place, json_t **lock, struct error *err);

#endif
