/*
 * container_resolver.h - do the services of an environment find each other by name?
 *
 * Podman has one name server for all networks (aardvark-dns). When one environment begins in the
 * moment in which the last one ends, Podman 4.3 starts a second: the first keeps the address of its
 * gateway, knows no new names, and every environment that gets this address after it has services
 * which never find each other. Nothing says so but their own troubles.
 *
 * So each network with more than one service is asked for one of their names, from inside: over a
 * socket that is made in the network namespace of a container, so that no program of its image is
 * needed. That takes root on the machine of the runtime; elsewhere nothing is asked. Docker answers
 * names inside the container, by the daemon itself.
 */
#ifndef ENVD_ENGINE_CONTAINER_CONTAINER_RESOLVER_H
#define ENVD_ENGINE_CONTAINER_CONTAINER_RESOLVER_H

#include "engine/container/service_run.h"

/* `runs`: as `plan->services`, built or not; what is not running is left out. Takes less than a
 * millisecond a network when all is well, and up to 3 s for a name that is not known.
 * Error: ERR_EXTERNAL (which is worth another attempt), slug "names_unresolved"; `*network` is then
 * the key of the network in the file, borrowed from `plan`. */
NODISCARD bool resolver_check(const struct runtime *runtime, const struct container_plan *plan,
			      const struct service_run *runs, const char **network,
			      struct error *err);

#endif
