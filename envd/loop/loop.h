/*
 * loop.h - one turn after the other, on libevent.
 *
 * A callback notes; the end of the turn acts. A turn waits until something happened, calls the
 * callbacks of everything that did, and then what was deferred. The clock is read once a turn.
 *
 * Whatever is watched may be unwatched, and whatever is a timer freed, from any callback, its own
 * too: memory goes at the end of the turn, and no callback comes after the call.
 */
#ifndef ENVD_LOOP_LOOP_H
#define ENVD_LOOP_LOOP_H

#include <stdint.h>

#include "base/cleanup.h"

struct event_base;
struct loop;

struct loop *loop_new(void);
void loop_free(struct loop *loop);
DEFINE_AUTO(struct loop *, loop_free)

/* Wait for something (not at all if work was deferred outside a turn), call back, run what was
 * deferred. */
void loop_turn(struct loop *loop);
/* What has come meanwhile belongs to the same turn: call back, without waiting. */
void loop_turn_more(struct loop *loop);

/* Milliseconds, monotonic, the same all through a turn. */
int64_t loop_now_mono_ms(struct loop *loop);

/* For http/, which brings events of its own. */
struct event_base *loop_event_base(struct loop *loop);

/* The end of this turn (of the next one when called between turns), in the order of the calls. What
 * a deferred call defers runs in the next turn, which does not wait then. */
void loop_defer(struct loop *loop, void (*call)(void *arg), void *arg);

/* At loop_free(), for what would otherwise only end in a turn that does not come any more. May be
 * taken back, also from the call itself. */
struct loop_ending;

struct loop_ending *loop_on_free(struct loop *loop, void (*call)(void *arg), void *arg);
void loop_not_on_free(struct loop_ending *ending);

/* ---- descriptors: level-triggered, the descriptor stays the caller's ---- */

struct loop_watch;

struct loop_watch *loop_watch_fd(struct loop *loop, int fd, void (*on_readable)(void *arg),
				 void *arg);

/* Before the descriptor is closed. NULL is fine. */
void loop_unwatch(struct loop_watch *watch);

/* ---- signals: `on_signal` is called from a turn, not from a handler; until loop_free() ---- */

void loop_on_signal(struct loop *loop, int signal_number, void (*on_signal)(void *arg), void *arg);

#endif
