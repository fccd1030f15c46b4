#include "api/api_events.h"

#include <string.h>

#include "api/api_errors.h"
#include "api/api_view.h"
#include "api/api_visit.h"
#include "base/log.h"
#include "base/text.h"
#include "control/history_feed.h"
#include "http/http_stream.h"

enum {
	ROWS_AT_ONCE = 100,
	/* Below this much room the reader is behind, and the rows wait in the store, not in memory.
	 */
	ROOM_WANTED = 262144,
};

struct event_stream {
	struct api *api;
	struct http_stream *stream;
	struct history_subscription *subscription;
	struct api_visit *visit;
	struct env_id environment;
	bool is_of_all;
	struct caller caller; /* of all: who sees its own project's only */
	bool is_past;   /* it had ended when the stream began: no row will come that is not there */
	int64_t sent;   /* number of the newest row that was sent or passed over */
	bool is_behind; /* there may be rows in the store that were not looked at */
};

/* As it is sent, written once for all who follow. */
static const struct text *event_of(struct api *api, const struct history_row *row)
{
	AUTO(json_decref) json_t *json = NULL;
	AUTO(free) char *data = NULL;

	if (api->event_n == row->n && api->event.length)
		return &api->event;
	json = api_view_history(row);
	data = json_to_text(json);
	api->event_n = row->n;
	text_clear(&api->event);
	text_format(&api->event, "id: %lld\nevent: %s\ndata: ", (long long)row->n, row->kind);
	text_add(&api->event, data);
	text_add(&api->event, "\n\n");
	return &api->event;
}

static bool is_final(const struct history_row *row)
{
	return strcmp(row->kind, HISTORY_STATE) == 0 &&
	       text_equal(row->state, env_state_name(ENV_DESTROYED));
}

/* An environment that is forgotten has no project any more, and is seen by who sees all. */
static bool may_see(const struct event_stream *events, const struct history_row *row)
{
	struct error ignored; /* what may not be seen is passed over */

	return !events->is_of_all ||
	       permission_check(&events->caller, MAY_READ, row->project, &ignored);
}

static void pass_on(struct event_stream *events, const struct history_row *row)
{
	events->sent = row->n;
	if (may_see(events, row)) {
		const struct text *event = event_of(events->api, row);

		http_stream_send(events->stream, event->bytes, event->length);
	}
	if (!events->is_of_all && is_final(row))
		http_stream_end(events->stream);
}

/* Everything after the last row that was sent, as far as there is room. */
static void pump(struct event_stream *events)
{
	const struct env_id *id = events->is_of_all ? NULL : &events->environment;
	size_t count = ROWS_AT_ONCE;

	while (count == ROWS_AT_ONCE && http_stream_room(events->stream) > ROOM_WANTED) {
		AUTO(history_list_release) struct history_list list = { NULL, 0 };
		struct error err;

		if (!store_history_list(events->api->control->store, id, events->sent, ROWS_AT_ONCE,
					&list, &err)) {
			log_warn("an event stream ends early: %s", err.message);
			http_stream_end(events->stream);
			return;
		}
		count = list.count;
		for (size_t i = 0; i < count; i++)
			pass_on(events, &list.rows[i]);
		if (events->is_past && count < ROWS_AT_ONCE)
			http_stream_end(events->stream);
	}
	events->is_behind = count == ROWS_AT_ONCE;
}

static void on_row(void *arg, const struct history_row *row)
{
	struct event_stream *events = arg;

	if (row->n <= events->sent)
		return;
	/* Who is up to date gets it at once; the others find it in the store when they have room.
	 */
	if (events->is_behind || http_stream_room(events->stream) <= ROOM_WANTED)
		events->is_behind = true;
	else
		pass_on(events, row);
}

static void on_room(void *arg)
{
	struct event_stream *events = arg;

	if (events->is_behind)
		pump(events);
}

static void on_end(void *arg)
{
	struct event_stream *events = arg;

	history_feed_unsubscribe(events->subscription);
	api_visit_leave(events->visit);
	free(events);
}

/* Its token has ended: it may see no more. */
static void on_token_end(void *arg)
{
	struct event_stream *events = arg;

	http_stream_end(events->stream);
}

static bool read_start(const struct http_request *request, int64_t otherwise, int64_t *sent,
		       struct error *err)
{
	const char *last = http_request_header(request, "Last-Event-ID");

	*sent = otherwise;
	if (last && !text_to_int64(last, sent))
		return error_set_as(err, ERR_INVALID, "last_event_id_invalid",
				    "Last-Event-ID must be the id of an earlier event");
	return true;
}

static void start(struct event_stream *prepared, struct http_request *request)
{
	struct event_stream *events = xcalloc(1, sizeof(*events));
	struct history_feed *feed = prepared->api->control->feed;
	struct http_stream_spec spec = {
		.content_type = "text/event-stream",
		.heartbeat = ": heartbeat\n\n",
		.on_room = on_room,
		.on_end = on_end,
		.arg = events,
	};
	struct error err;

	*events = *prepared;
	if (!http_stream_start(request, &spec, &events->stream, &err)) {
		free(events);
		api_answer_error(request, &err);
		return;
	}
	events->subscription = history_feed_subscribe(
	    feed, events->is_of_all ? NULL : &events->environment, on_row, events);
	events->visit = api_visit_begin(events->api, on_token_end, events);
	/* Something at once, so that the reader knows that it is connected. */
	http_stream_send(events->stream, ": connected\n\n", strlen(": connected\n\n"));
	pump(events);
}

void api_stream_events(void *arg, struct http_request *request)
{
	AUTO(environment_free) struct environment *environment = NULL;
	struct event_stream prepared = { .api = arg };
	struct error err;

	if (!api_view_find(arg, request, &environment, &err) ||
	    !read_start(request, 0, &prepared.sent, &err)) {
		api_answer_error(request, &err);
		return;
	}
	prepared.environment = environment->id;
	prepared.is_past = environment->state == ENV_DESTROYED;
	start(&prepared, request);
}

void api_stream_all_events(void *arg, struct http_request *request)
{
	struct api *api = arg;
	struct event_stream prepared = { .api = api, .is_of_all = true, .caller = api->caller };
	struct error err;
	int64_t newest;

	if (!store_history_newest(api->control->store, &newest, &err) ||
	    !read_start(request, newest, &prepared.sent, &err))
		api_answer_error(request, &err);
	else
		start(&prepared, request);
}
