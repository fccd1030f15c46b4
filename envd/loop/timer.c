#include "loop/timer.h"

#include <assert.h>
#include <event2/event.h>

struct timer {
	struct loop *loop;
	struct event *event;
	void (*on_due)(void *arg);
	void *arg;
	bool is_over;
};

static void on_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct timer *timer = arg;

	(void)fd;
	(void)what;
	if (!timer->is_over)
		timer->on_due(timer->arg);
}

struct timer *timer_new(struct loop *loop, void (*on_due)(void *arg), void *arg)
{
	struct timer *timer = xcalloc(1, sizeof(*timer));

	timer->loop = loop;
	timer->on_due = on_due;
	timer->arg = arg;
	timer->event = evtimer_new(loop_event_base(loop), on_timeout, timer);
	assert(timer->event);
	return timer;
}

void timer_set_ms(struct timer *timer, int64_t ms)
{
	struct timeval delay = { 0, 0 };

	if (ms > 0) {
		delay.tv_sec = ms / 1000;
		delay.tv_usec = ms % 1000 * 1000;
	}
	evtimer_add(timer->event, &delay);
}

void timer_stop(struct timer *timer)
{
	evtimer_del(timer->event);
}

bool timer_is_set(const struct timer *timer)
{
	return evtimer_pending(timer->event, NULL);
}

static void free_later(void *arg)
{
	struct timer *timer = arg;

	event_free(timer->event);
	free(timer);
}

void timer_free(struct timer *timer)
{
	if (!timer)
		return;
	timer->is_over = true;
	evtimer_del(timer->event);
	loop_defer(timer->loop, free_later, timer);
}
