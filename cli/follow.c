#include "cli/follow.h"

#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/duration.h"
#include "cli/event_stream.h"
#include "cli/interrupt.h"

enum {
	LOOK_ANYWAY_MS = 30000,
	SILENCE_MS = 60000, /* several heartbeats of the server */
	AWAY_MAX_MS = 60000,
	PAUSE_MS = 500,
	FOLLOW_TICK_MS = 250,
	CATCH_UP_MS = 200,
};

struct following {
	const struct follow *follow;
	struct event_stream events;
	int64_t deadline_ms;    /* monotonic; 0: none */
	int64_t look_at_ms;     /* monotonic: when to look at the document even without an event */
	int64_t away_since_ms;  /* monotonic; 0: the server answers */
	int64_t since_ms;       /* as in follow; of shows_only_new once the server has answered */
	char said[512];         /* what it waits for, as it was said last */
	bool has_news;          /* the stream was ended because of an event */
	const char *last_state; /* what is waited for has come: show what led to it; else NULL */
};

static bool is_past(int64_t deadline_ms)
{
	return deadline_ms && clock_mono_ms() >= deadline_ms;
}

/* Layers and words are only shown; everything else may have changed the document. */
static bool may_matter(const json_t *row)
{
	static const char *const shown[] = { "layer", "progress", "log", "resource" };
	const char *kind = json_get_string(row, "kind", "");

	for (size_t i = 0; i < ARRAY_SIZE(shown); i++)
		if (text_equal(kind, shown[i]))
			return false;
	return true;
}

static bool is_old(const struct following *following, const json_t *row)
{
	struct error ignored; /* a row without a time is shown */
	int64_t at_ms;

	return following->since_ms &&
	       clock_parse(json_get_string(row, "at", ""), &at_ms, &ignored) &&
	       at_ms < following->since_ms;
}

/* False ends the stream, so that the document is looked at. */
static bool on_event(void *arg, const char *kind, const char *data)
{
	struct following *following = arg;
	AUTO(json_decref) json_t *row = NULL;
	struct error ignored; /* an event that we do not understand is not shown */

	(void)kind;
	if (!json_parse(data, strlen(data), "event", &row, &ignored) || is_old(following, row))
		return true;
	progress_change(following->follow->progress, row);
	if (following->last_state)
		return !text_equal(json_get_string(row, "state", ""), following->last_state);
	following->has_news = may_matter(row);
	return !following->has_news;
}

static bool on_bytes(void *arg, const char *bytes, size_t length)
{
	struct following *following = arg;

	following->away_since_ms = 0;
	return event_stream_feed(&following->events, bytes, length);
}

static bool on_tick(void *arg)
{
	struct following *following = arg;

	progress_tick(following->follow->progress);
	return !is_past(following->deadline_ms) && !is_past(following->look_at_ms);
}

/* Until there is reason to look. A connection that fails is no error here: the look tells. */
static bool listen_for_events(struct following *following, int64_t limit_ms, struct error *err)
{
	AUTO(free)
	char *path = api_path("/v1/environments/%s/events", following->follow->environment);
	struct api_stream stream = {
		.path = path,
		.last_event_id = following->events.id[0] ? following->events.id : "0",
		.silence_ms = SILENCE_MS,
		.on_bytes = on_bytes,
		.on_tick = on_tick,
		.tick_ms = limit_ms < FOLLOW_TICK_MS ? limit_ms : FOLLOW_TICK_MS,
		.arg = following,
	};

	event_stream_restart(&following->events);
	following->has_news = false;
	following->look_at_ms = clock_mono_ms() + limit_ms;
	return api_stream(following->follow->client, &stream, err) ||
	       !text_equal(err->slug, SLUG_INTERRUPTED);
}

static bool pause_a_little(struct error *err)
{
	struct pollfd wake = { .fd = interrupt_fd(), .events = POLLIN };

	if (poll(&wake, wake.fd >= 0 ? 1 : 0, PAUSE_MS) <= 0)
		return true;
	return error_set_as(err, ERR_TIMEOUT, SLUG_INTERRUPTED, "interrupted");
}

/* False: give up, with the error as it is. */
static bool is_worth_waiting(struct following *following, const struct error *err)
{
	int64_t now_ms = clock_mono_ms();

	if (!error_is_transient(err) || text_equal(err->slug, SLUG_INTERRUPTED))
		return false;
	if (!following->away_since_ms) {
		following->away_since_ms = now_ms;
		progress_say(following->follow->progress,
			     "the server does not answer, trying again");
	}
	return now_ms - following->away_since_ms < AWAY_MAX_MS;
}

/* Who has what it waits for is in no event: nothing happened to it. */
static void say_what_it_waits_for(struct following *following, const json_t *document)
{
	const char *message = json_get_string(document, "message", "");

	if (following->follow->path || !*message ||
	    !text_equal(json_get_string(document, "state", ""), "queued") ||
	    strcmp(message, following->said) == 0)
		return;
	snprintf(following->said, sizeof(following->said), "%s", message);
	progress_say(following->follow->progress, "%s", message);
}

/* True with `*document` NULL: not there just now, look again. */
static bool look(struct following *following, json_t **document, struct error *err)
{
	const struct follow *follow = following->follow;
	AUTO(free)
	char *path = follow->path ? xstrdup(follow->path)
				  : api_path("/v1/environments/%s", follow->environment);
	AUTO(api_answer_release) struct api_answer answer = API_ANSWER_EMPTY;
	struct api_request request = { .path = path };
	int64_t called_at_ms = clock_wall_ms();

	if (!api_call(follow->client, &request, &answer, err))
		return is_worth_waiting(following, err);
	following->away_since_ms = 0;
	if (follow->shows_only_new && !following->since_ms)
		following->since_ms = api_answer_began_at_ms(follow->client, &answer, called_at_ms);
	if (!follow->path)
		progress_begin(follow->progress, json_get_string(answer.json, "name", NULL),
			       json_get_string(answer.json, "state", ""));
	say_what_it_waits_for(following, answer.json);
	*document = TAKE(answer.json);
	return true;
}

/* The document may be ahead of the events; people want to see the last of them too. */
static void catch_up(struct following *following, const json_t *document)
{
	struct error ignored; /* what was waited for has come; these are extras */

	following->last_state = json_get_string(document, "state", "");
	following->deadline_ms = 0;
	if (!listen_for_events(following, CATCH_UP_MS, &ignored))
		return;
}

static bool timed_out(const struct follow *follow, struct error *err)
{
	char limit[DURATION_TEXT_SIZE];

	return error_set_as(err, ERR_TIMEOUT, "timed_out", "waited %s for %s",
			    duration_format(follow->timeout_ms, limit), follow->what);
}

static bool follow_on(struct following *following, json_t **document, struct error *err)
{
	for (;;) {
		AUTO(json_decref) json_t *seen = NULL;
		int64_t began_ms = clock_mono_ms();

		if (!look(following, &seen, err))
			return false;
		if (seen && following->follow->is_over(following->follow->arg, seen)) {
			catch_up(following, seen);
			*document = TAKE(seen);
			return true;
		}
		if (is_past(following->deadline_ms))
			return timed_out(following->follow, err);
		progress_tick(following->follow->progress);
		if (!listen_for_events(following, LOOK_ANYWAY_MS, err))
			return false;
		/* A stream that ends at once, of itself, would make us spin. */
		if (!following->has_news && clock_mono_ms() - began_ms < PAUSE_MS &&
		    !pause_a_little(err))
			return false;
	}
}

static void auto_following_release(struct following *following)
{
	event_stream_release(&following->events);
}

bool follow_until(const struct follow *follow, json_t **document, struct error *err)
{
	AUTO(following_release)
	struct following following = { .follow = follow, .since_ms = follow->since_ms };

	following.events.on_event = on_event;
	following.events.arg = &following;
	if (follow->timeout_ms)
		following.deadline_ms = clock_mono_ms() + follow->timeout_ms;
	return follow_on(&following, document, err);
}
