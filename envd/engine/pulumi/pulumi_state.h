/*
 * pulumi_state.h - what Pulumi's own books say of one layer: its state file in the environment's
 * backend, read as it lies there (asking the CLI would take a third of a second for each), or what
 * another backend exports (pulumi_backend.h).
 */
#ifndef ENVD_ENGINE_PULUMI_PULUMI_STATE_H
#define ENVD_ENGINE_PULUMI_PULUMI_STATE_H

#include "engine/pulumi/pulumi_place.h"

struct pulumi_state {
	bool exists;             /* the stack is there, perhaps empty */
	json_t *whole;           /* the file; NULL when it does not exist */
	const json_t *resources; /* array, or NULL */
	const json_t *pending;   /* array of {"resource","type"}, or NULL */
	size_t resource_count;   /* the stack itself and provider configurations are some, too */
	size_t pending_count;
};

/* ERR_CORRUPT when the file cannot be read: never taken for an empty one. */
NODISCARD bool state_read(const struct pulumi_place *place, size_t layer,
			  struct pulumi_state *state, struct error *err);
void state_release(struct pulumi_state *state);

static inline void auto_state_release(struct pulumi_state *state)
{
	state_release(state);
}

/* Resources, or operations under way. */
static inline bool state_has_anything(const struct pulumi_state *state)
{
	return state->resource_count || state->pending_count;
}

/* A CLI killed in the middle of a save can leave the file beside the state, in which its backend
 * keeps a type and a checksum, empty or half: it reads no state then ("EOF"). Without that file it
 * does. Only when nothing of the environment lives. */
void state_mend(const struct pulumi_place *place, size_t layer);

/* How many lock files of the stack there are in a backend of files. */
size_t state_locks(const struct pulumi_place *place, size_t layer);

/* Adds the providers of its resources, pending ones too, as keys. */
void state_add_providers(const struct pulumi_state *state, json_t *providers);

/* An output of the program; NULL: it has none. Secret ones are still encrypted. */
const json_t *state_output(const struct pulumi_state *state, const char *name);
bool state_value_is_secret(const json_t *value);

/* Calls `on_project` with the project of every stack that its program refers to. */
void state_references(const struct pulumi_state *state,
		      void (*on_project)(void *arg, const char *project), void *arg);

/* Appends {"kind","id","name","reason"} for everything in it: what is named when it should be
 * empty. */
void state_add_left(const struct pulumi_state *state, const char *layer, json_t *left);

/* To the disk, and a copy beside it: Pulumi itself syncs nothing. The newest five are kept, and the
 * newest one that was not empty. */
NODISCARD bool state_keep(const struct pulumi_place *place, size_t layer, struct error *err);

/* Of the copies: resources stay with their kinds and ids, without inputs and outputs. */
NODISCARD bool state_strike_values(const struct pulumi_place *place, size_t layer,
				   struct error *err);

#endif
