/*
 * engine_traits.h - what the daemon has to know of an engine: it is of the worker's side and is
 * never called here. One row an engine.
 */
#ifndef ENVD_CONTROL_ENGINE_TRAITS_H
#define ENVD_CONTROL_ENGINE_TRAITS_H

#include <stdbool.h>
#include <stdint.h>

struct engine_traits {
	const char *name;
	int64_t settle_ms;        /* between the two inventories that prove emptiness */
	int64_t stop_grace_ms;    /* from asking its worker to stop until that is ended */
	int64_t memory_bytes_max; /* of a worker and all that it starts */
	bool takes_sources; /* its worker may fetch from the git sources of the configuration */
};

/* Never NULL: of a name that no row has, the most careful. */
const struct engine_traits *engine_traits_of(const char *name);

#endif
