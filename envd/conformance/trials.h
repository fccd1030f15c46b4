/*
 * trials.h - what is tried, in its order: one story of environments that are made, looked at,
 * repeated, stopped in the middle and destroyed.
 */
#ifndef ENVD_CONFORMANCE_TRIALS_H
#define ENVD_CONFORMANCE_TRIALS_H

#include "conformance/rig.h"

enum trial_status { TRIAL_OK, TRIAL_NOTE, TRIAL_BROKEN, TRIAL_NOT_TRIED };

struct trial {
	const char *name; /* true when it is well */
	const char *rule; /* of templates/engines.md */
	enum trial_status (*run)(struct rig *rig, struct text *why);
	bool is_always_run; /* also after an interruption */
};

extern const struct trial trials[];
extern const size_t trial_count;

#endif
