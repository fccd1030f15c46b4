#include "api/api_visit.h"

#include <string.h>

#include "base/clock.h"
#include "loop/timer.h"

/* The clock that a token goes by may jump. */
enum { LOOK_AGAIN_MS = 60000 };

struct api_visit {
	LIST_ENTRY(api_visit) link;
	char token[sizeof(((struct caller *)NULL)->token)]; /* "": none, and it never ends */
	int64_t expires_at_ms;
	struct timer *timer;
	void (*end)(void *arg);
	void *arg;
	bool is_ended;
};

static void end(struct api_visit *visit)
{
	if (visit->is_ended)
		return;
	visit->is_ended = true;
	visit->end(visit->arg);
}

static void on_time(void *arg)
{
	struct api_visit *visit = arg;
	int64_t left_ms = visit->expires_at_ms - clock_wall_ms();

	if (left_ms <= 0)
		end(visit);
	else
		timer_set_ms(visit->timer, left_ms < LOOK_AGAIN_MS ? left_ms : LOOK_AGAIN_MS);
}

struct api_visit *api_visit_begin(struct api *api, void (*end_it)(void *arg), void *arg)
{
	struct api_visit *visit = xcalloc(1, sizeof(*visit));

	memcpy(visit->token, api->caller.token, sizeof(visit->token));
	visit->expires_at_ms = api->caller.token_expires_at_ms;
	visit->end = end_it;
	visit->arg = arg;
	visit->timer = timer_new(api->control->loop, on_time, visit);
	LIST_INSERT_HEAD(&api->visits, visit, link);
	if (*visit->token)
		timer_set_ms(visit->timer, 1);
	return visit;
}

void api_visit_leave(struct api_visit *visit)
{
	if (!visit)
		return;
	LIST_REMOVE(visit, link);
	timer_free(visit->timer);
	free(visit);
}

void api_visits_end(struct api *api, const char *token)
{
	struct api_visit *visit;

	/* What ends is left later, from the loop. */
	LIST_FOREACH(visit, &api->visits, link)
	{
		if (strcmp(visit->token, token) == 0)
			end(visit);
	}
}
