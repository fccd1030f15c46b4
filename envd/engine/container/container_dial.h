/*
 * container_dial.h - a connection to any port of a container, also one that is not published.
 *
 * Where the container's network namespace is on our machine and may be entered, the connection is
 * made from inside it, to its loopback first: so what listens there alone is reached, and neither
 * the firewall nor the isolation of environments has a say. Else its address on its network is
 * tried, which a machine's own runtime usually allows and a remote one does not.
 */
#ifndef ENVD_ENGINE_CONTAINER_CONTAINER_DIAL_H
#define ENVD_ENGINE_CONTAINER_CONTAINER_DIAL_H

#include "engine/engine.h"

/* Errors: "service_not_found", "service_not_running", "port_refused" (nobody listens),
 * "port_not_reachable". */
bool container_dial(const struct engine_request *request, const char *service, int port, int *fd,
		    struct error *err);

#endif
