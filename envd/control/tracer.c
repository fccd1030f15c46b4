#include "control/tracer.h"

#include <string.h>

#include "base/log.h"
#include "control/history_feed.h"
#include "control/meter.h"
#include "control/trace_document.h"
#include "http/http_post.h"
#include "loop/timer.h"
#include "store/store_environments.h"

enum { QUEUE_MAX = 100, ROWS_MAX = 5000, SEND_LIMIT_S = 5 };

struct tracer {
	struct control *control;
	struct http_place *place;
	struct history_subscription *subscription;
	struct env_id queue[QUEUE_MAX]; /* a ring: ended, and not sent yet */
	size_t first, count;
	bool is_sending;
	struct timer *next; /* one follows the other in turns of their own */
};

static void drop(struct tracer *tracer, const char *why)
{
	metrics_add(meter_metrics(tracer->control->meter), METRIC_TRACES_DROPPED, why, NULL, 1);
}

static bool make_document(struct tracer *tracer, struct env_id id, json_t **document,
			  struct error *err)
{
	struct store *store = tracer->control->store;
	AUTO(environment_free) struct environment *env = NULL;
	AUTO(history_list_release) struct history_list history = { NULL, 0 };
	AUTO(job_list_release) struct job_list jobs = { NULL, 0 };
	AUTO(json_decref) json_t *proofs = NULL;
	struct trace_source source = { .history = &history,
				       .jobs = &jobs,
				       .instance = store_instance(store) };

	if (!store_environment_read(store, id, &env, err) ||
	    !store_history_list(store, &id, 0, ROWS_MAX, &history, err) ||
	    !store_jobs_of(store, id, &jobs, err) || !store_proofs(store, id, &proofs, err))
		return false;
	source.environment = env;
	source.proofs = proofs;
	*document = trace_document(&source);
	return true;
}

static void on_sent(void *arg, int status, const char *distrust)
{
	struct tracer *tracer = arg;

	tracer->is_sending = false;
	if (status >= 200 && status < 300)
		metrics_add(meter_metrics(tracer->control->meter), METRIC_TRACES_SENT, NULL, NULL,
			    1);
	else
		drop(tracer, status ? "refused" : distrust ? "untrusted" : "unreachable");
	if (distrust)
		log_warn("a trace was dropped: the certificate of \"%s\": %s",
			 tracer->control->settings->otlp_endpoint, distrust);
	/* This may be inside of the sending still: a connection can be refused at once. */
	timer_set_ms(tracer->next, 0);
}

static bool send_one(struct tracer *tracer, struct env_id id, struct error *err)
{
	AUTO(json_decref) json_t *document = NULL;
	AUTO(free) char *body = NULL;
	struct http_post post = { .content_type = "application/json",
				  .limit_s = SEND_LIMIT_S,
				  .on_end = on_sent,
				  .arg = tracer };

	if (!make_document(tracer, id, &document, err))
		return false;
	body = json_to_text(document);
	post.body = body;
	post.length = strlen(body);
	tracer->is_sending = true;
	if (http_post_begin(tracer->control->loop, tracer->place, &post, err))
		return true;
	tracer->is_sending = false;
	return false;
}

static void send_next(void *arg)
{
	struct tracer *tracer = arg;
	struct error err;

	while (tracer->count && !tracer->is_sending) {
		struct env_id id = tracer->queue[tracer->first];

		tracer->first = (tracer->first + 1) % QUEUE_MAX;
		tracer->count--;
		if (send_one(tracer, id, &err))
			return;
		log_debug("a trace was dropped: %s", err.message);
		drop(tracer, "failed");
	}
}

static void on_row(void *arg, const struct history_row *row)
{
	struct tracer *tracer = arg;

	if (strcmp(row->kind, HISTORY_STATE) != 0 || !row->event ||
	    strcmp(row->event, env_event_name(EVENT_PROVED_GONE)) != 0)
		return;
	if (tracer->count == QUEUE_MAX) {
		drop(tracer, "queue_full");
		return;
	}
	tracer->queue[(tracer->first + tracer->count++) % QUEUE_MAX] = row->environment;
	send_next(tracer);
}

bool tracer_new(struct control *control, struct tracer **made, struct error *err)
{
	const struct http_place_spec spec = { control->settings->otlp_endpoint, "/v1/traces",
					      control->settings->otlp_ca };
	struct tracer *tracer;
	struct http_place *place;

	*made = NULL;
	if (!spec.address && !spec.ca_file)
		return true;
	if (!spec.address)
		return error_set_as(err, ERR_INVALID, "endpoint_invalid",
				    "--otlp-ca needs --otlp-endpoint https://HOST:PORT");
	if (!http_place_new(&spec, &place, err))
		return error_wrap(err, "--otlp-endpoint");
	tracer = xcalloc(1, sizeof(*tracer));
	tracer->control = control;
	tracer->place = place;
	tracer->next = timer_new(control->loop, send_next, tracer);
	tracer->subscription = history_feed_subscribe(control->feed, NULL, on_row, tracer);
	*made = tracer;
	return true;
}

void tracer_free(struct tracer *tracer)
{
	if (!tracer)
		return;
	history_feed_unsubscribe(tracer->subscription);
	timer_free(tracer->next);
	http_place_free(tracer->place);
	free(tracer);
}
