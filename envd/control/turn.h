/*
 * turn.h - a loop turn is a transaction.
 *
 * A callback notes; the end of the turn acts. What was noted is applied in order, each under its
 * own savepoint, committed once, and only then settled: no client is told what a crash could undo,
 * and nothing is started that the store does not know. When the store's lock is busy, everything
 * stays noted and is tried again from a timer; after 5 s it is settled with ERR_UNAVAILABLE
 * "store_busy". A holder that does not let go for 10 s is hung and is ended, identity checked,
 * because a crash is safe and a stuck bill is not.
 */
#ifndef ENVD_CONTROL_TURN_H
#define ENVD_CONTROL_TURN_H

#include "loop/loop.h"
#include "store/store.h"

struct turn;

struct turn_work {
	/* Inside the transaction. False undoes this work alone, and `settle` gets the error. */
	bool (*apply)(void *arg, struct store_tx *tx, struct error *err);
	/* Exactly once, never from inside turn_add(): NULL after the commit, else why not. */
	void (*settle)(void *arg, const struct error *failure);
	void *arg;
	/* Ours, not a client's: kept and tried again for as long as the store is busy or full. */
	bool is_persistent;
};

struct turn *turn_new(struct loop *loop, struct store *store);
void turn_free(struct turn *turn);

/* The program ends: what was noted and not committed is settled with ERR_UNAVAILABLE "ending". */
void turn_abandon(struct turn *turn);

void turn_add(struct turn *turn, const struct turn_work *work);
/* How many are waiting for the transaction. */
size_t turn_noted(const struct turn *turn);

/* From inside an apply: run after the commit, in order, unless that work is undone. */
void turn_after_commit(struct turn *turn, void (*effect)(void *arg), void *arg);
/* The same for who has to take something back when it is undone, with its turn or alone: exactly
 * one of the two is called, except when the program ends. */
void turn_after_commit_or(struct turn *turn, void (*effect)(void *arg), void (*undo)(void *arg),
			  void *arg);

/* Every transaction of this turn ends with this (the scheduler's pass); a failure undoes it alone.
 * `is_needed`, outside of a transaction: false when a pass that was asked for would change nothing,
 * and then there is none. */
void turn_set_pass(struct turn *turn,
		   bool (*pass)(void *arg, struct store_tx *tx, struct error *err),
		   bool (*is_needed)(void *arg), void *arg);

/* Ask for a pass even if nothing was noted. */
void turn_want_pass(struct turn *turn);

/* Called after every commit, ours or (seen by data_version) the other program's. */
void turn_on_commit(struct turn *turn, void (*on_commit)(void *arg), void *arg);

/* How long each commit of ours took; NULL: nobody wants to know. */
void turn_measure_commits(struct turn *turn, void (*measured)(void *arg, int64_t took_us),
			  void *arg);

/* A full disk may use up the reserve: for the program that makes bills end. */
void turn_may_use_reserve(struct turn *turn);

/* The end of a loop turn. */
void turn_run(struct turn *turn);

#endif
