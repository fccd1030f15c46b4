/*
 * fault.h - named places at which a test build (make FAULTS=1) can be told to die, to stall or to
 * fail. In a normal build there is nothing of it but these names.
 *
 * The folder $ENVD_EXTERNAL_FAULTS (workers keep that variable) holds "plan": one line
 *
 *	POINT exit|stop|fail N
 *
 * for the N-th time that any program passes POINT: exit status 137, half a second's pause, or an
 * error where the place can return one. Every pass adds a line to "passed" in it.
 */
#ifndef ENVD_BASE_FAULT_H
#define ENVD_BASE_FAULT_H

#include <stdint.h>

#include "base/error.h"

// clang-format off
#define FAULT_POINTS(X)                                                                            \
	X(POINT_TURN_BEGUN,          "turn.begun")            /* the lock is held */               \
	X(POINT_TURN_APPLIED,        "turn.applied")          /* all noted, not committed */       \
	X(POINT_TURN_COMMITTED,      "turn.committed")        /* nothing started, nobody told */   \
	X(POINT_TURN_STARTED,        "turn.started")          /* effects done, nobody told */      \
	X(POINT_TURN_SETTLED,        "turn.settled")                                               \
	X(POINT_STORE_BEGIN,         "store.begin")           /* may fail: busy */                 \
	X(POINT_STORE_COMMIT,        "store.commit")          /* may fail: full */                 \
	X(POINT_CHANGE_NOTED,        "change.noted")                                               \
	X(POINT_CHANGE_ANSWERING,    "change.answering")      /* committed, not answered */        \
	X(POINT_ACCEPTED,            "lifecycle.accepted")    /* may fail */                       \
	X(POINT_MOVED,               "lifecycle.moved")       /* may fail */                       \
	X(POINT_LATCHED,             "lifecycle.latched")     /* may fail */                       \
	X(POINT_EXPIRED,             "lifecycle.expired")     /* may fail */                       \
	X(POINT_EXTENDED,            "lifecycle.extended")    /* may fail */                       \
	X(POINT_PASS,                "scheduler.pass")        /* may fail */                       \
	X(POINT_CLAIMED,             "scheduler.claimed")                                          \
	X(POINT_TAKEN_OVER,          "scheduler.taken_over")                                       \
	X(POINT_NEVER_STARTED,       "scheduler.never_started")                                    \
	X(POINT_JOB_NOTED,           "job.intent.noted")      /* may fail */                       \
	X(POINT_JOB_INTENT,          "job.intent.committed")                                       \
	X(POINT_JOB_REQUEST,         "job.request")           /* may fail */                       \
	X(POINT_JOB_FOLDER,          "job.folder")            /* may fail */                       \
	X(POINT_JOB_LAUNCHED,        "job.launched")                                               \
	X(POINT_JOB_READY,           "job.ready")                                                  \
	X(POINT_JOB_RUNNING,         "job.running.committed")                                      \
	X(POINT_JOB_GO,              "job.go.said")                                                \
	X(POINT_JOB_STOP,            "job.stop.asked")        /* may fail */                       \
	X(POINT_JOB_LINE,            "job.line")              /* may fail */                       \
	X(POINT_JOB_ENDED,           "job.ended")                                                  \
	X(POINT_JOB_END_APPLIED,     "job.end.applied")       /* may fail */                       \
	X(POINT_JOB_PROVED,          "job.proved")            /* may fail */                       \
	X(POINT_JOB_ADOPTED,         "job.adopted")                                                \
	X(POINT_REAPER_STARTED,      "reaper.started")                                             \
	X(POINT_SWEEP_LISTED,        "sweep.listed")          /* may fail */                       \
	X(POINT_SWEEP_SIGHTED,       "sweep.sighted")         /* committed, nothing removed */     \
	X(POINT_SWEEP_REMOVED,       "sweep.removed")         /* and nowhere written down */       \
	X(POINT_SWEEP_NOTED,         "sweep.noted")                                                \
	X(POINT_WORKER_BEGUN,        "worker.begun")                                               \
	X(POINT_WORKER_LOCKED,       "worker.locked")         /* may fail */                       \
	X(POINT_WORKER_IDENTITY,     "worker.identity")       /* may fail */                       \
	X(POINT_WORKER_READY,        "worker.ready")                                               \
	X(POINT_WORKER_GO,           "worker.go")                                                  \
	X(POINT_WORKER_STARTED,      "worker.task.started")                                        \
	X(POINT_WORKER_TASK,         "worker.task")           /* in the task's own process */      \
	X(POINT_WORKER_TASK_OVER,    "worker.task.over")                                           \
	X(POINT_WORKER_RESULT,       "worker.result.writing") /* may fail */                       \
	X(POINT_WORKER_END,          "worker.result.written")
// clang-format on

enum fault_point {
#define X(point, name) point,
	FAULT_POINTS(X)
#undef X
};

#ifdef ENVD_FAULTS
/* A place that cannot fail. */
void fault_point(enum fault_point point);
/* True when it is to fail here: `*err` is set, transient. */
bool fault_fails(enum fault_point point, struct error *err);
void fault_print_points(void);
/* A limit on how long another program may hang. A fortieth of it if $ENVD_EXTERNAL_SCALED is set:
 * so that a pause of half a second is longer than ten. */
int64_t fault_scaled_ms(int64_t limit_ms);
#else
#define fault_scaled_ms(limit_ms) (limit_ms)
#define fault_point(point) ((void)(point))
#define fault_fails(point, err) ((void)(point), (void)(err), false)
#endif

#endif
