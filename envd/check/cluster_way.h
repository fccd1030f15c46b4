/*
 * cluster_way.h - the way to what runs in the environment's Kubernetes cluster, through its API
 * server and with the environment's own login: a base of a step may be
 *
 *	cluster://NAMESPACE/SERVICE:PORT          a service that speaks HTTP
 *	cluster+https://NAMESPACE/SERVICE:PORT    one that speaks HTTPS; the API server verifies
 *nothing cluster:                                  the API itself, to be read only
 *
 * (Kubernetes: "Access services running on clusters", the proxy verb.) The server takes the header
 * "Authorization" for itself, so a service that wants one cannot be asked this way.
 */
#ifndef ENVD_CHECK_CLUSTER_WAY_H
#define ENVD_CHECK_CLUSTER_WAY_H

#include <curl/curl.h>

#include "kube/kube_access.h"
#include "model/check_plan.h"

bool cluster_way_is_base(const char *base);

/* `url` (the caller frees) for `path` of `base`. ERR_INVALID: no such base, a path that leads out
 * of the service, more than reading of the API. */
NODISCARD bool cluster_way_url(const struct kube_access *cluster, const struct check_http *http,
			       const char *base, const char *path, char **url, struct error *err);

#endif
