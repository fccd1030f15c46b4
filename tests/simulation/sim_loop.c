/*
 * sim_loop.c - loop/ on virtual time: timers and posted calls, no descriptors.
 */
#include "tests/simulation/sim.h"

#include "loop/loop.h"
#include "loop/timer.h"

struct call {
	struct call *next;
	void (*call)(void *arg);
	void *arg;
};

struct loop {
	struct timer *timers;
	struct call *posted, **posted_end;
	struct call *deferred, **deferred_end;
};

struct timer {
	struct timer *next;
	struct loop *loop;
	void (*on_due)(void *arg);
	void *arg;
	int64_t due_ms; /* -1: not set */
	bool is_over;
};

struct loop *__wrap_loop_new(void);
void __wrap_loop_free(struct loop *loop);
void __wrap_loop_turn(struct loop *loop);
void __wrap_loop_turn_more(struct loop *loop);
int64_t __wrap_loop_now_mono_ms(struct loop *loop);
void __wrap_loop_defer(struct loop *loop, void (*call)(void *arg), void *arg);
struct timer *__wrap_timer_new(struct loop *loop, void (*on_due)(void *arg), void *arg);
void __wrap_timer_set_ms(struct timer *timer, int64_t ms);
void __wrap_timer_stop(struct timer *timer);
bool __wrap_timer_is_set(const struct timer *timer);
void __wrap_timer_free(struct timer *timer);

static void append(struct call ***end, void (*call)(void *arg), void *arg)
{
	struct call *made = xcalloc(1, sizeof(*made));

	made->call = call;
	made->arg = arg;
	**end = made;
	*end = &made->next;
}

static void run_all(struct call **first, struct call ***end)
{
	struct call *at = *first;

	/* Only what is there now. */
	*first = NULL;
	*end = first;
	while (at) {
		struct call now = *at;

		free(at);
		at = now.next;
		now.call(now.arg);
	}
}

static void drop_all(struct call **first)
{
	while (*first) {
		struct call *at = *first;

		*first = at->next;
		free(at);
	}
}

struct loop *__wrap_loop_new(void)
{
	struct loop *loop = xcalloc(1, sizeof(*loop));

	loop->posted_end = &loop->posted;
	loop->deferred_end = &loop->deferred;
	return loop;
}

static void sweep_timers(struct loop *loop, bool all)
{
	struct timer **at = &loop->timers;

	while (*at) {
		struct timer *timer = *at;

		if (!all && !timer->is_over) {
			at = &timer->next;
			continue;
		}
		*at = timer->next;
		free(timer);
	}
}

void __wrap_loop_free(struct loop *loop)
{
	if (!loop)
		return;
	run_all(&loop->deferred, &loop->deferred_end);
	drop_all(&loop->posted);
	drop_all(&loop->deferred);
	sweep_timers(loop, true);
	free(loop);
}

static void run_due(struct loop *loop)
{
	for (struct timer *at = loop->timers; at; at = at->next) {
		if (at->is_over || at->due_ms < 0 || at->due_ms > sim->now_ms)
			continue;
		at->due_ms = -1;
		at->on_due(at->arg);
	}
}

void __wrap_loop_turn(struct loop *loop)
{
	run_all(&loop->posted, &loop->posted_end);
	run_due(loop);
	run_all(&loop->deferred, &loop->deferred_end);
	sweep_timers(loop, false);
}

/* Nothing comes by itself here. */
void __wrap_loop_turn_more(struct loop *loop)
{
	(void)loop;
}

int64_t __wrap_loop_now_mono_ms(struct loop *loop)
{
	(void)loop;
	return sim->now_ms;
}

void __wrap_loop_defer(struct loop *loop, void (*call)(void *arg), void *arg)
{
	append(&loop->deferred_end, call, arg);
}

void sim_loop_post(struct loop *loop, void (*call)(void *arg), void *arg)
{
	append(&loop->posted_end, call, arg);
}

int64_t sim_loop_next_ms(const struct loop *loop)
{
	int64_t next = INT64_MAX;

	if (loop->posted || loop->deferred)
		return sim->now_ms;
	for (const struct timer *at = loop->timers; at; at = at->next)
		if (!at->is_over && at->due_ms >= 0 && at->due_ms < next)
			next = at->due_ms;
	return next;
}

struct timer *__wrap_timer_new(struct loop *loop, void (*on_due)(void *arg), void *arg)
{
	struct timer *timer = xcalloc(1, sizeof(*timer));

	*timer = (struct timer){ loop->timers, loop, on_due, arg, -1, false };
	loop->timers = timer;
	return timer;
}

void __wrap_timer_set_ms(struct timer *timer, int64_t ms)
{
	timer->due_ms = sim->now_ms + (ms > 0 ? ms : 0);
}

void __wrap_timer_stop(struct timer *timer)
{
	timer->due_ms = -1;
}

bool __wrap_timer_is_set(const struct timer *timer)
{
	return timer->due_ms >= 0;
}

void __wrap_timer_free(struct timer *timer)
{
	if (timer)
		timer->is_over = true;
}
