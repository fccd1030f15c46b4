/*
 * env_state.h - the only list of states and the only list of steps between them.
 *
 * The table says what may follow what; which work to start is reconcile's alone, and only
 * control/lifecycle.c takes a step. The names on the right are stored and sent to clients: never
 * change one.
 */
#ifndef ENVD_MODEL_ENV_STATE_H
#define ENVD_MODEL_ENV_STATE_H

#include "base/error.h"

// clang-format off
#define ENV_STATES(X)                                                                              \
	X(ENV_QUEUED,       "queued")       /* accepted, waits for a slot */                       \
	X(ENV_PROVISIONING, "provisioning") /* its engine is creating it */                        \
	X(ENV_CHECKING,     "checking")     /* created, smoke checks running */                    \
	X(ENV_READY,        "ready")        /* in use until its lease ends */                      \
	X(ENV_FAILED,       "failed")       /* kept to be looked at */                             \
	X(ENV_DESTROYING,   "destroying")   /* being removed, or not yet proved gone */            \
	X(ENV_DESTROYED,    "destroyed")    /* proved gone; final */

#define ENV_EVENTS(X)                                                                              \
	X(EVENT_SLOT_GRANTED,  "slot_granted")                                                     \
	X(EVENT_CREATED,       "created")                                                          \
	X(EVENT_CHECKS_PASSED, "checks_passed")                                                    \
	X(EVENT_KEPT,          "kept")        /* failed, and somebody asked to look at it */       \
	X(EVENT_UNWANTED,      "unwanted")    /* the latch fell: desired is absent */              \
	X(EVENT_PROVED_GONE,   "proved_gone")
// clang-format on

enum env_state {
#define X(state, name) state,
	ENV_STATES(X)
#undef X
	    ENV_STATE_COUNT
};

enum env_event {
#define X(event, name) event,
	ENV_EVENTS(X)
#undef X
	    ENV_EVENT_COUNT
};

/* ERR_CONFLICT, naming the event and the state, when the table has no such step. */
NODISCARD bool env_next_state(enum env_state from, enum env_event event, enum env_state *to,
			      struct error *err);

const char *env_state_name(enum env_state state);
const char *env_event_name(enum env_event event);
NODISCARD bool env_state_parse(const char *name, enum env_state *state, struct error *err);

/* The table as a Graphviz graph, for the docs; the caller frees. */
char *env_state_graph(void);

#endif
