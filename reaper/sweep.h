/*
 * sweep.h - find by label what carries our instance and is in no store, and remove it. Blocking,
 * one shot: the command `envd-reaper sweep` (sweep_command.h) has the store opened and runs this.
 */
#ifndef REAPER_SWEEP_H
#define REAPER_SWEEP_H

#include <stdio.h>

#include "base/ids.h"
#include "settings/settings.h"
#include "store/store.h"

struct sweep_options {
	bool help;
	bool dry_run;
	bool no_store;
	bool scheduled; /* say only what was done */
	const char *instance;
	int64_t confirm; /* 0: not given */
};

/* The caller sets what is above the line; everything in it is borrowed. */
struct sweep {
	const struct sweep_options *options;
	const struct settings *settings;
	struct store *store; /* NULL: lost */
	char instance[ID_TEXT_SIZE];
	int64_t now_ms; /* before anything is listed */
	FILE *out, *errors;

	int failures; /* could not be listed or removed, or a guard stopped it: told on `errors` */
	int removed;
	size_t images;
};

void sweep_run(struct sweep *sweep);

#endif
