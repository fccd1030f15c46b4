#include "model/env_state.h"

#include <string.h>

#include "base/text.h"

static const char *const state_names[] = {
#define X(state, name) [state] = name,
	ENV_STATES(X)
#undef X
};

static const char *const event_names[] = {
#define X(event, name) [event] = name,
	ENV_EVENTS(X)
#undef X
};

// clang-format off
static const struct {
	enum env_state from;
	enum env_event event;
	enum env_state to;
} steps[] = {
	{ ENV_QUEUED,       EVENT_SLOT_GRANTED,  ENV_PROVISIONING },
	{ ENV_QUEUED,       EVENT_UNWANTED,      ENV_DESTROYING },
	{ ENV_PROVISIONING, EVENT_CREATED,       ENV_CHECKING },
	{ ENV_PROVISIONING, EVENT_KEPT,          ENV_FAILED },
	{ ENV_PROVISIONING, EVENT_UNWANTED,      ENV_DESTROYING },
	{ ENV_CHECKING,     EVENT_CHECKS_PASSED, ENV_READY },
	{ ENV_CHECKING,     EVENT_KEPT,          ENV_FAILED },
	{ ENV_CHECKING,     EVENT_UNWANTED,      ENV_DESTROYING },
	{ ENV_READY,        EVENT_UNWANTED,      ENV_DESTROYING },
	/* A failed environment may still own things, so it too must be destroyed. */
	{ ENV_FAILED,       EVENT_UNWANTED,      ENV_DESTROYING },
	{ ENV_DESTROYING,   EVENT_PROVED_GONE,   ENV_DESTROYED },
};
// clang-format on

bool env_next_state(enum env_state from, enum env_event event, enum env_state *to,
		    struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		if (steps[i].from == from && steps[i].event == event) {
			*to = steps[i].to;
			return true;
		}
	}
	return error_set_as(err, ERR_CONFLICT, "state_forbids",
			    "\"%s\" cannot happen to an environment that is %s",
			    env_event_name(event), env_state_name(from));
}

const char *env_state_name(enum env_state state)
{
	return state_names[state];
}

const char *env_event_name(enum env_event event)
{
	return event_names[event];
}

bool env_state_parse(const char *name, enum env_state *state, struct error *err)
{
	char shown[40];

	for (size_t i = 0; i < ARRAY_SIZE(state_names); i++) {
		if (strcmp(state_names[i], name) == 0) {
			*state = (enum env_state)i;
			return true;
		}
	}
	return error_set(
	    err, ERR_INVALID,
	    "\"%s\" is not a state (expected queued, provisioning, checking, ready, failed, "
	    "destroying or destroyed)",
	    text_printable(name, shown, sizeof(shown)));
}

char *env_state_graph(void)
{
	struct text graph = TEXT_EMPTY;

	text_add(&graph, "digraph lifecycle {\n");
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		text_format(&graph, "\t%s -> %s [label=\"%s\"];\n", env_state_name(steps[i].from),
			    env_state_name(steps[i].to), env_event_name(steps[i].event));
	text_add(&graph, "}\n");
	return text_take(&graph);
}
