/*
 * control.h - what the decisions of one program share: its role, its store, its turn, its settings.
 *
 * envd is the builder (desired = present), envd-reaper the destroyer (desired = absent); both run
 * this same code with another role.
 */
#ifndef ENVD_CONTROL_CONTROL_H
#define ENVD_CONTROL_CONTROL_H

#include "control/price_shelf.h"
#include "control/template_registry.h"
#include "control/turn.h"
#include "loop/loop.h"
#include "settings/settings.h"
#include "store/store.h"

struct jobs;
struct job_runner;
struct history_feed;
struct meter;
struct tracer;
struct scheduler;
struct peer;
struct target_reload;

enum control_role { CONTROL_BUILDER, CONTROL_DESTROYER };

struct environment;

struct control {
	enum control_role role;
	const struct settings *settings;
	struct loop *loop;
	struct store *store;
	struct turn *turn;
	struct template_registry *templates; /* NULL in the reaper */
	struct price_shelf *prices;          /* NULL in the reaper */
	struct tracer *tracer;               /* NULL in the reaper, and where no endpoint is set */
	struct meter *meter;                 /* NULL in the reaper */
	struct history_feed *feed;           /* NULL in the reaper */
	struct job_runner *runner;
	char *jobs_folder;         /* DATA/jobs */
	char *environments_folder; /* DATA/environments */
	struct scheduler *scheduler;
	struct target_reload *targets; /* NULL: there is no targets file */
	struct peer *self;             /* our lock and our wake-up socket */
	/* What is known of an environment, on paper; set by api/, which knows how. NULL in the
	 * reaper, which takes no evidence. */
	bool (*make_report)(void *arg, const struct environment *environment, json_t **report,
			    struct error *err);
	void *make_report_arg;
	char *evidence_folder; /* DATA/evidence */
	struct peer *other;    /* the other program's */
};

/* Takes the data folder for this role and wires everything but the templates and the API. Errors:
 * ERR_CONFLICT "already_running" naming the pid, and those of store_open(). */
NODISCARD bool control_open(struct control *control, enum control_role role,
			    const struct settings *settings, struct error *err);
/* Processes under way go on. */
void control_close(struct control *control);

/* One turn of the loop, and what was noted in it. */
void control_turn(struct control *control);

/* "envd" or "reaper": the owner of the job rows that this program writes. */
const char *control_owner(const struct control *control);

#endif
