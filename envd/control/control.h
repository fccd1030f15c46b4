/*
 * control.h - what the decisions of one program share: its role, its store, its turn, its settings.
 *
 * envd is the builder (desired = present), envd-reaper the destroyer (desired = absent); both run
 * this same code with another role.
 */
#ifndef ENVD_CONTROL_CONTROL_H
#define ENVD_CONTROL_CONTROL_H

#include "control/template_registry.h"
#include "control/turn.h"
#include "loop/loop.h"
#include "settings/settings.h"
#include "store/store.h"

struct jobs;
struct job_runner;
struct history_feed;

enum control_role { ROLE_BUILDER, ROLE_DESTROYER };

struct control {
	enum control_role role;
	const struct settings *settings;
	struct loop *loop;
	struct store *store;
	struct turn *turn;
	struct template_registry *templates; /* NULL in the reaper */
	struct history_feed *feed;           /* NULL in the reaper */
	struct job_runner *runner;
	char *jobs_folder;         /* DATA/jobs */
	char *environments_folder; /* DATA/environments */
	/* Told to the other program after a commit that concerns it. */
	void (*wake_other)(void *arg);
	void *wake_arg;
};

/* "envd" or "reaper": the owner of the job rows that this program writes. */
const char *control_owner(const struct control *control);

#endif
