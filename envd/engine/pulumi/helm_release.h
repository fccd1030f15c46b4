/*
 * helm_release.h - the chart of a release, as Helm keeps it in the cluster: a secret that holds
 * base64 of gzip of JSON. Pure.
 */
#ifndef ENVD_ENGINE_PULUMI_HELM_RELEASE_H
#define ENVD_ENGINE_PULUMI_HELM_RELEASE_H

#include <stdbool.h>

#include "base/cleanup.h"

/* `data` is "release" of the secret's data, with Kubernetes' own base64 around it. The caller frees
 * both. False: it cannot be read. */
NODISCARD bool helm_release_chart(const char *data, char **name, char **version);

#endif
