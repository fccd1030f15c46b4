/*
 * kube_export.h - the environment's kubeconfig for somebody else's machine: one context, named as
 * the environment, and nothing that is a file here.
 */
#ifndef ENVD_ENGINE_PULUMI_KUBE_EXPORT_H
#define ENVD_ENGINE_PULUMI_KUBE_EXPORT_H

#include "engine/engine.h"

/* The engine's verb: {"kubeconfig": {...}} as JSON, which is YAML. It holds keys: never to be
 * stored. ERR_CONFLICT "no_cluster", ERR_INVALID "kubeconfig_invalid". */
bool pulumi_kubeconfig(const struct engine_request *request, json_t **data, struct error *err);

/* The same of a file. New reference. */
NODISCARD bool kube_export(const char *path, const char *name, json_t **config, struct error *err);

#endif
