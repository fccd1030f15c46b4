/*
 * sim.h - envd and envd-reaper in one process, on virtual time, in a world that misbehaves.
 *
 * The decision core is the real one: control/, model/ and store/ with a real SQLite file (in
 * memory-backed storage). What surrounds it is taken away by the linker (--wrap, see the Makefile)
 * and played by this folder: the clock, the loop and its timers (sim_loop.c), processes of jobs
 * (sim_workers.c) and what they build (sim_things.c), the other program, templates and ids
 * (sim_seams.c), and clients (sim_clients.c). The reaper's sweep is the real one too, over a
 * listing of this world (sim_sweep.c). sim_judge.c watches every commit and the end.
 *
 * A schedule is a list of operations made from a seed alone, so that a seed replays; an operation
 * can be left out without changing what the others mean, so that a failing schedule shrinks.
 */
#ifndef TESTS_SIMULATION_SIM_H
#define TESTS_SIMULATION_SIM_H

#include <setjmp.h>
#include <stdint.h>

#include "base/error.h"
#include "base/ids.h"
#include "base/json_read.h"
#include "control/control.h"
#include "jobs/job.h"

enum {
	SIM_OPS_MAX = 40,
	SIM_CREATES_MAX = 8,
	SIM_ENVS_MAX = 16,
	SIM_ORPHANS_MAX = 4,        /* six at once would be too many for a healthy installation */
	SIM_FAULTS_END_MS = 120000, /* operations lie before it */
	SIM_SETTLE_MS = 14400000,   /* then everything must be over by itself */
	SIM_STEPS_MAX = 100000,
	SIM_QUEUE_LIMIT_MS = 30000,
	SIM_GRACE_MS = 20000,
	SIM_SCAN_MS = 31000,
	SIM_TURNS_IN_SECOND_MAX = 400, /* a busy store is tried every 5 ms */
};

enum sim_role { SIM_BUILDER, SIM_DESTROYER, SIM_ROLES };

/* What can be in a schedule; the words are for people. The first five are clients', the rest
 * faults. */
#define SIM_OPS(X)                                                                                 \
	X(OP_CREATE, "create")                                                                     \
	X(OP_RETRY, "create again with the same key")                                              \
	X(OP_EXTEND, "extend")                                                                     \
	X(OP_DESTROY, "destroy")                                                                   \
	X(OP_CHECK, "check")                                                                       \
	X(OP_CRASH, "crash")                                                                       \
	X(OP_REBOOT, "reboot")                                                                     \
	X(OP_HANG, "hang")                                                                         \
	X(OP_JUMP, "clock jumps")                                                                  \
	X(OP_WORKER_FAULT, "worker fault")                                                         \
	X(OP_KILL_WORKERS, "kill the workers")                                                     \
	X(OP_BUSY, "the store is busy")                                                            \
	X(OP_COMMIT_FAILS, "a commit fails")                                                       \
	X(OP_FOLDER_FAILS, "a job's folder cannot be made")                                        \
	X(OP_PASS_FAILS, "the scheduler's pass fails")                                             \
	X(OP_ORPHAN, "an orphan")

enum sim_op_kind {
#define X(kind, name) kind,
	SIM_OPS(X)
#undef X
	    OP_KINDS
};

/* Where a program dies. */
#define SIM_MOMENTS(X)                                                                             \
	X(CRASH_BETWEEN_TURNS, "between turns")                                                    \
	X(CRASH_BEFORE_COMMIT, "before a commit")                                                  \
	X(CRASH_AFTER_COMMIT, "after a commit")                                                    \
	X(CRASH_BEFORE_FOLDER, "before a job's folder")                                            \
	X(CRASH_BEFORE_LAUNCH, "before a launch")                                                  \
	X(CRASH_AFTER_LAUNCH, "after a launch")                                                    \
	X(CRASH_BEFORE_GO, "before go")                                                            \
	X(CRASH_AFTER_GO, "after go")                                                              \
	X(CRASH_BEFORE_STOP, "before a stop is asked")

enum sim_moment {
#define X(moment, name) moment,
	SIM_MOMENTS(X)
#undef X
	    CRASH_MOMENTS
};

/* What a worker does wrong. */
#define SIM_FAULTS(X)                                                                              \
	X(FAULT_NONE, "none")                                                                      \
	X(FAULT_DIES_EARLY, "dies before it is ready")                                             \
	X(FAULT_NEVER_READY, "is never ready")                                                     \
	X(FAULT_DIES, "dies half-way, without a result")                                           \
	X(FAULT_DIES_LATE, "dies when all is done, without a result")                              \
	X(FAULT_FAILS, "fails, worth another try")                                                 \
	X(FAULT_FAILS_FOR_GOOD, "fails for good")                                                  \
	X(FAULT_HANGS, "hangs until its deadline")                                                 \
	X(FAULT_SLOW, "is slow")                                                                   \
	X(FAULT_DEAF, "does not stop when asked")                                                  \
	X(FAULT_LATE_NEWS, "its end is told late")                                                 \
	X(FAULT_LATE_THING, "what it asked for appears after its death")                           \
	X(FAULT_LEAVES, "destroy leaves something and says so")                                    \
	X(FAULT_INCOMPLETE, "destroy lists incompletely")                                          \
	X(FAULT_TOO_SOON, "destroy lists twice at once")                                           \
	X(FAULT_NO_EVIDENCE, "destroy says done and shows nothing")

enum sim_fault {
#define X(fault, name) fault,
	SIM_FAULTS(X)
#undef X
	    FAULT_COUNT
};

/* Whose an orphan is. */
#define SIM_ORPHANS(X)                                                                             \
	X(ORPHAN_OURS, "of ours, unknown to the store")                                            \
	X(ORPHAN_OTHER, "of another installation")                                                 \
	X(ORPHAN_STRAGGLER, "of an environment that is proved gone")                               \
	X(ORPHAN_FUTURE, "of ours, from a store that was ahead")

enum sim_orphan_kind {
#define X(kind, name) kind,
	SIM_ORPHANS(X)
#undef X
	    ORPHAN_KINDS
};

enum sim_kind { KIND_CREATE, KIND_RECOVER, KIND_CHECK, KIND_DESTROY, KIND_COUNT };

struct sim_op {
	int64_t at_ms;
	enum sim_op_kind kind;
	int64_t which; /* environment, role or kind of work */
	int64_t how;   /* moment or fault */
	int64_t ms;
	bool is_left_out;
};

struct sim_program {
	enum sim_role role;
	struct control control;
	bool is_up, is_dying;
	jmp_buf out; /* of the middle of a turn */
	enum sim_moment armed;
	int64_t down_ms;       /* how long an armed crash keeps it down */
	int64_t starts_at_ms;  /* while down */
	int64_t hung_since_ms; /* 0: not */
	int64_t hung_until_ms;
	int64_t busy_until_ms;
	bool commit_fails, folder_fails, pass_fails;
	int64_t well_since_ms; /* nothing has held it up since */
	int64_t second;        /* of the last turn, and how many there were in it */
	int64_t turns_in_second;
	void (*on_wake)(void *arg);
	void *wake_arg;
};

/* One environment, as the world knows it. */
struct sim_env {
	struct env_id id;
	bool was_ready, is_absent, is_destroyed;
	bool destroy_was_asked, work_went_wrong, work_was_started, had_grace;
	int64_t absent_since_ms;
	/* What was promised last: until when it may be used. */
	int64_t promised_end_ms; /* true time */
	int64_t promised_wall_ms;
	int promised_boot;
	int64_t lease_ms;
	int64_t asked_ms; /* by extensions that are not answered yet */
};

/* A client and its one environment. */
struct sim_create {
	int64_t lease_ms;
	bool with_checks, was_answered;
	struct env_id id;
};

struct sim_worker;

struct sim_thing {
	struct sim_thing *next;
	struct env_id environment;
	char instance[ID_TEXT_SIZE];
	int64_t sequence, hard_wall_s; /* its labels */
	int64_t appears_at_ms;         /* later than now: on its way */
	int64_t made_wall_ms;
	int64_t number;
};

struct sim_orphan {
	struct env_id id;
	enum sim_orphan_kind kind;
	int64_t listed_at_ms; /* by the first complete listing that was used; 0: by none */
};

/* One sweep after the other. */
struct sim_sweep {
	json_t *listing; /* NULL: between two */
	int64_t due_ms, listed_at_ms, started_wall_ms;
	uint64_t asked;
};

struct sim_counts {
	int64_t turns, commits, crashes, ready, destroyed, adopted, recovered, extended, gone,
	    worker_faults, sweeps, swept;
};

struct sim {
	uint64_t seed;
	struct sim_op ops[SIM_OPS_MAX];
	size_t op_count, next_op;
	int64_t now_ms; /* true time */
	int64_t wall_offset_ms;
	int64_t boot_at_ms;
	int boots;
	char boot_id[40];
	bool has_jumped;
	uint64_t ids, steps;
	char folder[64];
	struct settings settings;
	struct target target;
	struct sim_program programs[SIM_ROLES];
	struct sim_program *running; /* whose turn it is */
	struct sim_worker *workers;
	struct sim_thing *things;
	struct sim_orphan orphans[SIM_ORPHANS_MAX];
	size_t orphan_count;
	struct sim_sweep sweep;
	enum sim_fault next_fault[KIND_COUNT];
	struct sim_create creates[SIM_CREATES_MAX];
	size_t create_count;
	struct sim_env envs[SIM_ENVS_MAX];
	size_t env_count;
	struct env_id touched[SIM_ENVS_MAX];
	size_t touched_count;
	struct sim_counts counts;
	char failure[400]; /* "" while all is well */
	bool tells;        /* print the story */
};

extern struct sim *sim;

/* ---- sim.c ---- */

/* Run the schedule in `made`. True when every invariant held; else made->failure says which did
 * not. */
bool sim_run(struct sim *made);
/* The first failure counts. */
void sim_fail(const char *format, ...) PRINTF_LIKE(1, 2);
void sim_tell(const char *format, ...) PRINTF_LIKE(1, 2);
void sim_crash(struct sim_program *program, int64_t down_ms);
/* Die here, in the middle of a turn, if that was planned. */
void sim_crash_point(enum sim_moment moment);
int64_t sim_wall_ms(void);
/* Something holds it up until then. */
void sim_not_well(struct sim_program *program, int64_t until_ms);

/* ---- sim_schedule.c ---- */

void sim_schedule_make(struct sim *made, uint64_t seed);
void sim_schedule_print(const struct sim *made);
/* The same for the same three numbers; below `below`. */
int64_t sim_random(uint64_t stream, uint64_t n, int64_t below);

/* ---- sim_loop.c ---- */

/* When this loop has something to do; INT64_MAX: never by itself. */
int64_t sim_loop_next_ms(const struct loop *loop);
/* Call back in the loop's next turn. */
void sim_loop_post(struct loop *loop, void (*call)(void *arg), void *arg);

/* ---- sim_workers.c ---- */

int64_t sim_workers_next_ms(void);
void sim_workers_step(void); /* one that is due */
void sim_workers_kill(void);
void sim_workers_program_died(struct control *control);
void sim_workers_free(void);
bool sim_workers_are_over(void);
bool sim_is_worked_on(struct env_id id);

/* ---- sim_things.c ---- */

/* From now on, or from `like->appears_at_ms` on. */
void sim_thing_make(const struct sim_thing *like);
/* Also those on their way. */
size_t sim_things_of(struct env_id id);
bool sim_has_thing(struct env_id id, int64_t number);
/* One that has appeared; false: there is none. */
bool sim_thing_remove(struct env_id id);
/* An engine's inventory. New reference. */
json_t *sim_things_list(bool is_complete);
void sim_things_free(void);

/* ---- sim_sweep.c ---- */

void sim_sweep_orphan(const struct sim_op *op);
void sim_sweep_step(void); /* sim->sweep.due_ms has come */
void sim_sweep_free(void);
/* Nothing is there that it should have removed. */
bool sim_sweep_is_done(void);
/* Something of it may be left: it is an orphan, and the sweep is halted. */
bool sim_sweep_is_excused(struct env_id id);
void sim_sweep_judge_end(void);

/* ---- sim_clients.c ---- */

void sim_clients_do(const struct sim_op *op);

/* ---- sim_judge.c ---- */

struct sim_env *sim_env_of(struct env_id id);
void sim_judge_touch(struct env_id id);
void sim_judge_forget_touched(void);
/* After a commit of `program`. */
void sim_judge_commit(struct sim_program *program);
/* The program has just let a worker go on. */
void sim_judge_go(struct sim_program *program, struct job_id job, struct env_id id,
		  enum sim_kind kind);
/* A client was told that it got `more_ms`. */
void sim_judge_promise(struct sim_program *program, struct env_id id);
/* Nothing is open any more. */
bool sim_judge_is_settled(void);
void sim_judge_end(void);

#endif
