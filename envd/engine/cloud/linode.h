/*
 * linode.h - Linode: clusters, machines, node balancers, volumes, firewalls. Nothing of it can be
 * tagged by MARA but the cluster, so what a cluster makes is found by the cluster that it names.
 */
#ifndef ENVD_ENGINE_CLOUD_LINODE_H
#define ENVD_ENGINE_CLOUD_LINODE_H

#include "engine/cloud/cloud.h"

extern const struct cloud_adapter cloud_linode;

#endif
