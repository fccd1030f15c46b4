/*
 * container_network.h - the networks and volumes of an environment.
 *
 * Between environments nothing may pass. Docker sees to it. Podman does while its service remembers
 * that a network is isolated, and a plain listing by anybody makes it forget (its file on disk
 * still knows): so networks_check_isolation() asks before and after containers start, and before
 * they start networks_renew_isolation() makes the service read its files again.
 */
#ifndef ENVD_ENGINE_CONTAINER_CONTAINER_NETWORK_H
#define ENVD_ENGINE_CONTAINER_CONTAINER_NETWORK_H

#include "engine/container/container_plan.h"

/* What is not in `existing` (items of the inventory) is made, all at once. Error: name_taken for
 * one that is somebody else's. */
NODISCARD bool networks_and_volumes_make(const struct engine_request *request,
					 struct runtime *runtime, struct worker_lines *lines,
					 const struct container_plan *plan, const json_t *existing,
					 struct error *err);

/* Error: ERR_EXTERNAL, slug "isolation_lost", naming the network. */
NODISCARD bool networks_check_isolation(const struct engine_request *request,
					struct runtime *runtime, const struct container_plan *plan,
					struct error *err);
NODISCARD bool networks_renew_isolation(const struct engine_request *request,
					struct runtime *runtime, const struct container_plan *plan,
					struct error *err);

/* Podman: in place of the network with this key, which no container may be on any more, one with
 * other addresses. On failure there may be none. */
NODISCARD bool network_move(const struct engine_request *request, struct runtime *runtime,
			    const char *key, struct error *err);

#endif
