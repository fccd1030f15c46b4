/*
 * timer.h - be called once, later. Precise to a millisecond, on the monotonic clock.
 */
#ifndef ENVD_LOOP_TIMER_H
#define ENVD_LOOP_TIMER_H

#include "loop/loop.h"

struct timer;

struct timer *timer_new(struct loop *loop, void (*on_due)(void *arg), void *arg);

/* Call back in `ms` (0 or less: in the next turn), instead of at any earlier set time. */
void timer_set_ms(struct timer *timer, int64_t ms);
void timer_stop(struct timer *timer);
bool timer_is_set(const struct timer *timer);

/* Also from its own callback. NULL is fine. */
void timer_free(struct timer *timer);
DEFINE_AUTO(struct timer *, timer_free)

#endif
