/*
 * pulumi_login.h - how the programs of an environment log in to its cluster.
 */
#ifndef ENVD_ENGINE_PULUMI_PULUMI_LOGIN_H
#define ENVD_ENGINE_PULUMI_PULUMI_LOGIN_H

#include "engine/pulumi/pulumi_place.h"
#include "kube/kube_access.h"

/* By its kubeconfig; a program that gives tokens runs in the environment's own folders. Errors as
 * kube_access_login(); ERR_CONFLICT "no_cluster" where there is no kubeconfig. */
NODISCARD bool pulumi_login(const struct pulumi_place *place, struct kube_access *access,
			    struct error *err);

/* The engine's verb. */
bool pulumi_cluster_of(const struct engine_request *request, struct kube_access *access,
		       struct error *err);

#endif
