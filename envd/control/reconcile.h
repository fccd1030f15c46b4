/*
 * reconcile.h - what to do next about one environment: a pure function of the record, of what is
 * seen around it, and of the clock. Level-triggered: calling it again with the same facts gives the
 * same answer, so a lost wake-up or a restart needs no special case.
 */
#ifndef ENVD_CONTROL_RECONCILE_H
#define ENVD_CONTROL_RECONCILE_H

#include "model/environment.h"
#include "store/store_jobs.h"

enum reconcile_role { RECONCILE_BUILDER, RECONCILE_DESTROYER };

struct observation {
	enum reconcile_role role;
	int64_t now_ms;
	int64_t boot_ms;
	const char *boot_id;
	const struct job_row *live_job; /* NULL: none */
	bool is_job_orphaned;           /* its owner is proved dead */
	bool had_a_job;                 /* ever, of any kind */
	bool has_slot;                  /* to start the work that it needs now */
	bool target_has_room;           /* for one more environment */
	bool is_leaving_target;         /* what was begun there is removed, it is built elsewhere */
	bool check_is_asked;            /* a check run waits */
	bool builder_is_alive;          /* envd was there to take an extension */
	int64_t grace_ms;               /* granted once when it was not */
	int64_t longest_pause_ms;       /* that is ever made between two attempts */
};

enum action_kind {
	ACTION_NONE,
	ACTION_APPLY,       /* take the step `event` */
	ACTION_UNWANT,      /* latch, because of `reason` */
	ACTION_EXPIRE,      /* latch, if the lease still ends when the record says */
	ACTION_GRANT_GRACE, /* until `until_ms` */
	ACTION_START,       /* a job of kind `job_kind` */
	ACTION_STOP,        /* ask the live job to stop */
	ACTION_TAKE_OVER,   /* the live job's owner is dead */
	ACTION_PROVE_NEVER_STARTED,
	ACTION_GIVE_UP_EVIDENCE, /* what waited for it goes on; `reason` is a sentence */
};

struct action {
	enum action_kind kind;
	enum env_event event;
	const char *reason;
	const char *job_kind;
	int64_t until_ms;
	int64_t wake_at_ms; /* with ACTION_NONE: look again then at the latest; 0: when something
			       happens */
};

struct action reconcile(const struct environment *environment, const struct observation *seen);

/* Pause before the next attempt at removing something: 30 s doubling to 30 min, then hourly; the
 * caller adds jitter. `attempts` have failed so far. */
int64_t destroy_pause_ms(int64_t attempts);
/* Before building again. */
int64_t create_pause_ms(int64_t attempts);
/* The longest of them, without jitter. */
int64_t longest_pause_ms(enum reconcile_role role);

#endif
