#include "loop/loop.h"

#include <assert.h>
#include <event2/event.h>

#include "base/clock.h"

struct deferred {
	struct deferred *next;
	void (*call)(void *arg);
	void *arg;
};

struct loop_ending {
	struct loop *loop;
	struct loop_ending *next;
	void (*call)(void *arg);
	void *arg;
};

struct loop_watch {
	struct loop *loop;
	struct event *event;
	void (*on_readable)(void *arg);
	void *arg;
	bool is_over;
};

struct signal_watch {
	struct signal_watch *next;
	struct event *event;
	void (*on_signal)(void *arg);
	void *arg;
};

struct loop {
	struct event_base *base;
	int64_t now_mono_ms; /* 0: not read in this turn yet */
	struct deferred *first;
	struct deferred **last;
	struct signal_watch *signals;
	struct loop_ending *endings;
};

struct loop *loop_new(void)
{
	struct loop *loop = xcalloc(1, sizeof(*loop));
	struct event_config *config = event_config_new();

	/* Leases and load are timed to the millisecond; the coarse clock is off by up to ten. */
	event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
	/* One connection a request changes its mind eight times about what it waits for. No
	 * descriptor that is watched is a copy of another one: the condition of this flag. */
	event_config_set_flag(config, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
	loop->base = event_base_new_with_config(config);
	event_config_free(config);
	assert(loop->base);
	loop->last = &loop->first;
	return loop;
}

static void run_deferred(struct loop *loop)
{
	struct deferred *call = loop->first;

	/* Only what is there now: what these calls defer belongs to the next turn. */
	loop->first = NULL;
	loop->last = &loop->first;
	while (call) {
		struct deferred *next = call->next;

		call->call(call->arg);
		free(call);
		call = next;
	}
}

static void run_ending(struct loop_ending *ending)
{
	void (*call)(void *arg) = ending->call;
	void *arg = ending->arg;

	loop_not_on_free(ending);
	call(arg);
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	while (loop->endings)
		run_ending(loop->endings);
	while (loop->first)
		run_deferred(loop);
	while (loop->signals) {
		struct signal_watch *watch = loop->signals;

		loop->signals = watch->next;
		event_free(watch->event);
		free(watch);
	}
	event_base_free(loop->base);
	free(loop);
}

/* EVLOOP_ONCE in any case: without it EVLOOP_NONBLOCK goes on for as long as anything is ready, and
 * a client that asks without a pause would keep everybody's changes from being committed. */
void loop_turn(struct loop *loop)
{
	loop->now_mono_ms = 0;
	event_base_loop(loop->base, EVLOOP_ONCE | (loop->first ? EVLOOP_NONBLOCK : 0));
	run_deferred(loop);
}

void loop_turn_more(struct loop *loop)
{
	event_base_loop(loop->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	run_deferred(loop);
}

int64_t loop_now_mono_ms(struct loop *loop)
{
	if (!loop->now_mono_ms)
		loop->now_mono_ms = clock_mono_ms();
	return loop->now_mono_ms;
}

struct event_base *loop_event_base(struct loop *loop)
{
	return loop->base;
}

void loop_defer(struct loop *loop, void (*call)(void *arg), void *arg)
{
	struct deferred *deferred = xcalloc(1, sizeof(*deferred));

	deferred->call = call;
	deferred->arg = arg;
	*loop->last = deferred;
	loop->last = &deferred->next;
}

struct loop_ending *loop_on_free(struct loop *loop, void (*call)(void *arg), void *arg)
{
	struct loop_ending *ending = xcalloc(1, sizeof(*ending));

	*ending = (struct loop_ending){ loop, loop->endings, call, arg };
	loop->endings = ending;
	return ending;
}

void loop_not_on_free(struct loop_ending *ending)
{
	struct loop_ending **at = &ending->loop->endings;

	while (*at != ending)
		at = &(*at)->next;
	*at = ending->next;
	free(ending);
}

static void on_descriptor(evutil_socket_t fd, short what, void *arg)
{
	struct loop_watch *watch = arg;

	(void)fd;
	(void)what;
	if (!watch->is_over)
		watch->on_readable(watch->arg);
}

struct loop_watch *loop_watch_fd(struct loop *loop, int fd, void (*on_readable)(void *arg),
				 void *arg)
{
	struct loop_watch *watch = xcalloc(1, sizeof(*watch));

	watch->loop = loop;
	watch->on_readable = on_readable;
	watch->arg = arg;
	watch->event = event_new(loop->base, fd, EV_READ | EV_PERSIST, on_descriptor, watch);
	assert(watch->event);
	event_add(watch->event, NULL);
	return watch;
}

static void free_watch(void *arg)
{
	struct loop_watch *watch = arg;

	event_free(watch->event);
	free(watch);
}

void loop_unwatch(struct loop_watch *watch)
{
	if (!watch)
		return;
	watch->is_over = true;
	event_del(watch->event);
	loop_defer(watch->loop, free_watch, watch);
}

static void on_signal_event(evutil_socket_t signal_number, short what, void *arg)
{
	struct signal_watch *watch = arg;

	(void)signal_number;
	(void)what;
	watch->on_signal(watch->arg);
}

void loop_on_signal(struct loop *loop, int signal_number, void (*on_signal)(void *arg), void *arg)
{
	struct signal_watch *watch = xcalloc(1, sizeof(*watch));

	watch->on_signal = on_signal;
	watch->arg = arg;
	watch->event = evsignal_new(loop->base, signal_number, on_signal_event, watch);
	assert(watch->event);
	event_add(watch->event, NULL);
	watch->next = loop->signals;
	loop->signals = watch;
}
