/*
 * container_guard.h - keeping Podman's environments apart when one of them ends.
 *
 * Podman's network program, with iptables, has one jump for all isolated networks
 * (FORWARD -> NETAVARK_ISOLATION_1), and removes it with the last container of *any* of them: until
 * the next container starts, every environment reaches every other. So the first environment of an
 * installation puts a jump of its own before it, marked with the instance, which the program does
 * not know and does not remove; the last one takes it away.
 *
 * It needs root on the machine of the runtime. Elsewhere, and where nftables is used without
 * iptables (which has no such flaw), nothing is done; `guard_keep` warns where the flaw stays.
 */
#ifndef ENVD_ENGINE_CONTAINER_CONTAINER_GUARD_H
#define ENVD_ENGINE_CONTAINER_CONTAINER_GUARD_H

#include "engine/container/container_runtime.h"

/* After the containers of an environment were started. */
void guard_keep(const struct runtime *runtime, const struct engine_request *request,
		struct worker_lines *lines);

/* After one was destroyed: if no network of the instance is left. */
void guard_drop(struct runtime *runtime, const struct engine_request *request);

#endif
