/*
 * pulumi_cluster.h - which cluster an environment's kubeconfig leads to, and whether it still is
 * the one that the environment was built on.
 *
 * Programs such as MARA's use whatever cluster the kubeconfig names just now, with the same names
 * in every cluster: one that leads elsewhere would remove another environment, and a refresh would
 * believe that everything is gone. A cluster is known by its address and its authority's
 * certificate.
 */
#ifndef ENVD_ENGINE_PULUMI_PULUMI_CLUSTER_H
#define ENVD_ENGINE_PULUMI_PULUMI_CLUSTER_H

#include "engine/pulumi/pulumi_record.h"

/* Before every operation of a project: the target is still its own, and the cluster is the one that
 * it was built on. ERR_CONFLICT "claim_lost". The first one with a kubeconfig notes where it leads.
 * ERR_CONFLICT "other_cluster"; ERR_INVALID "kubeconfig_invalid". */
NODISCARD bool cluster_check(const struct pulumi_place *place, struct pulumi_record *record,
			     struct error *err);

/* It answers, whatever it says. `path` is a kubeconfig. ERR_UNAVAILABLE "cluster_unreachable". */
NODISCARD bool cluster_answers(const char *path, struct error *err);

#endif
