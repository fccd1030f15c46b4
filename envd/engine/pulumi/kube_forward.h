/*
 * kube_forward.h - a connection to a port of a service in the environment's cluster, through its
 * API server: what `kubectl port-forward` does, over WebSocket and without kubectl.
 *
 * The service's port is looked up, one of its pods that is ready is chosen, and the API server asks
 * the pod's kubelet to connect. The protocol is v4.channel.k8s.io, which all versions speak: one
 * connection each, the first byte of a message says which channel it is of (0 data, 1 error), and
 * the first message of each holds only the port. It has no way to say that one side has said all.
 */
#ifndef ENVD_ENGINE_PULUMI_KUBE_FORWARD_H
#define ENVD_ENGINE_PULUMI_KUBE_FORWARD_H

#include "engine/engine.h"

/* The engine's verb `dial`. `service` is one of the template's `forwards`, or SERVICE.NAMESPACE.
 * ERR_NOT_FOUND "service_not_found", ERR_CONFLICT "service_not_running", and those of
 * kube_client.h.
 */
bool pulumi_dial(const struct engine_request *request, const char *service, int port, int *fd,
		 struct error *err);

#endif
