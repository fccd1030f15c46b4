#include "api/api_sources.h"

#include <string.h>

#include "api/api_question.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/log.h"
#include "base/text.h"
#include "control/source_request.h"

enum {
	RUNNING_MAX = 4,
	WAITS_MAX = 256,
	REFRESH_MS = 60000,
	ANSWER_MS = 5000, /* for the worker to say that its time is over */
};

/* Somebody who waits. */
struct wait {
	struct wait *next;
	struct http_request *request; /* NULL: nobody */
	bool has_left;
	api_source_done on_done;
	void *arg;
};

/* One ref of one source. */
struct api_source_ask {
	LIST_ENTRY(api_source_ask) link;
	struct api *api;
	const struct source_settings *source;
	char *ref;                     /* NULL: the source's own */
	struct api_question *question; /* NULL: waits for a place */
	struct wait *served;           /* by what runs now */
	struct wait *waiting;          /* came later, and want to see what is later */
};

static void pump(struct api *api);

/* ---- what is asked ---- */

static json_t *request_of(const struct api_source_ask *ask)
{
	return json_pack("{s:i, s:s, s:o}", "protocol", WORKER_PROTOCOL, "task", "source", "source",
			 source_request(ask->api->control->settings, ask->source, ask->ref));
}

/* ---- the answer ---- */

static void tell(struct api *api, struct wait *waits, const struct template_checkout *checkout,
		 const struct error *failure)
{
	struct error left;

	error_set_as(&left, ERR_UNAVAILABLE, "client_left", "the client left while it waited");
	while (waits) {
		struct wait *wait = waits;

		waits = wait->next;
		api->source_wait_count--;
		if (wait->request)
			http_request_on_left(wait->request, NULL, NULL);
		wait->on_done(wait->arg, wait->has_left ? NULL : checkout,
			      wait->has_left ? &left : failure);
		free(wait);
	}
}

static void drop(struct api_source_ask *ask)
{
	LIST_REMOVE(ask, link);
	free(ask->ref);
	free(ask);
}

/* It may be the source's own ref under its name. */
static void keep_head(const struct api_source_ask *ask, const struct template_checkout *checkout,
		      const struct error *failure)
{
	if (ask->ref && !text_equal(ask->ref, ask->source->ref))
		return;
	template_registry_set_head(ask->api->control->templates, ask->source->name, checkout,
				   failure);
	if (failure)
		log_warn("source \"%s\" could not be fetched: %s", ask->source->name,
			 failure->message);
	else
		log_debug("source \"%s\" is at %s", ask->source->name, checkout->commit);
}

static void settle(struct api_source_ask *ask, const struct template_checkout *checkout,
		   const struct error *failure)
{
	struct api *api = ask->api;
	struct wait *served = ask->served;

	ask->question = NULL;
	ask->served = NULL;
	keep_head(ask, checkout, failure);
	if (!ask->waiting)
		drop(ask);
	tell(api, served, checkout, failure);
}

static void on_line(void *arg, enum worker_line_type type, const json_t *object)
{
	(void)arg;
	if (type == WORKER_LOG)
		log_warn("%s", json_get_string(object, "message", ""));
}

/* Clients learn one word for a source that did not give what it should; the message says why. */
static void name_failure(const struct api_source_ask *ask, struct error *err)
{
	if (err->code == ERR_TIMEOUT)
		error_set_as(err, ERR_EXTERNAL, "source_failed",
			     "source \"%s\" did not answer in %lld s", ask->source->name,
			     (long long)ask->api->control->settings->source_limit_ms / 1000);
	else if (err->code == ERR_EXTERNAL)
		err->slug = "source_failed";
}

static void on_end(void *arg, const json_t *data, const struct error *failure)
{
	struct api_source_ask *ask = arg;
	struct api *api = ask->api;
	struct template_checkout checkout = { .source = NULL };
	struct error err;

	if (!failure && template_checkout_read(data, ask->source, &checkout, &err)) {
		settle(ask, &checkout, NULL);
	} else {
		if (failure)
			err = *failure;
		name_failure(ask, &err);
		settle(ask, NULL, &err);
	}
	template_checkout_release(&checkout);
	pump(api);
}

/* ---- starting ---- */

static void begin(struct api_source_ask *ask)
{
	AUTO(json_decref) json_t *request = request_of(ask);
	struct api_question_spec spec = {
		.request = request,
		.time_limit_ms = ask->api->control->settings->source_limit_ms + ANSWER_MS,
		.on_line = on_line,
		.on_end = on_end,
		.arg = ask,
	};
	struct error err;

	ask->served = TAKE(ask->waiting);
	if (!api_question_ask(ask->api, &spec, &ask->question, &err))
		settle(ask, NULL, &err);
}

static struct api_source_ask *next_to_begin(const struct api *api)
{
	struct api_source_ask *ask, *next = NULL;
	size_t running = 0;

	LIST_FOREACH(ask, &api->source_asks, link)
	{
		if (ask->question)
			running++;
		else if (ask->waiting)
			next = ask; /* the oldest stands last */
	}
	return running < RUNNING_MAX ? next : NULL;
}

static void pump(struct api *api)
{
	struct api_source_ask *ask;

	while (!api->is_closing && (ask = next_to_begin(api)))
		begin(ask);
}

static struct api_source_ask *ask_for(struct api *api, const struct source_settings *source,
				      const char *ref)
{
	struct api_source_ask *ask;

	LIST_FOREACH(ask, &api->source_asks, link)
	if (ask->source == source && text_equal(ask->ref, ref))
		return ask;
	ask = xcalloc(1, sizeof(*ask));
	ask->api = api;
	ask->source = source;
	ask->ref = ref ? xstrdup(ref) : NULL;
	LIST_INSERT_HEAD(&api->source_asks, ask, link);
	return ask;
}

static void on_left(void *arg)
{
	struct wait *wait = arg;

	wait->has_left = true;
}

bool api_sources_fetch(struct api *api, const char *source, const char *ref,
		       struct http_request *request, api_source_done on_done, void *arg,
		       struct error *err)
{
	const struct source_settings *settings =
	    settings_source_named(api->control->settings, source);
	struct api_source_ask *ask;
	struct wait *wait;

	if (!settings)
		return error_set_as(err, ERR_NOT_FOUND, "source_not_found",
				    "there is no source \"%s\"", source);
	if (api->source_wait_count >= WAITS_MAX)
		return error_set_as(err, ERR_LIMIT, "too_many_fetches",
				    "%d requests wait for git sources already", WAITS_MAX);
	ask = ask_for(api, settings, ref);
	wait = xcalloc(1, sizeof(*wait));
	*wait = (struct wait){ ask->waiting, request, false, on_done, arg };
	if (request)
		http_request_on_left(request, on_left, wait);
	ask->waiting = wait;
	api->source_wait_count++;
	pump(api);
	return true;
}

/* ---- heads ---- */

static void on_refreshed(void *arg, const struct template_checkout *checkout,
			 const struct error *failure)
{
	(void)arg;
	(void)checkout;
	(void)failure; /* the head has it */
}

void api_sources_refresh(struct api *api)
{
	const struct settings *settings = api->control->settings;
	struct error ignored; /* too much is being fetched anyway */

	if (api->sources_refreshed_mono_ms &&
	    clock_mono_ms() - api->sources_refreshed_mono_ms < REFRESH_MS)
		return;
	api->sources_refreshed_mono_ms = clock_mono_ms();
	for (size_t i = 0; i < settings->source_count; i++)
		(void)!api_sources_fetch(api, settings->sources[i].name, NULL, NULL, on_refreshed,
					 NULL, &ignored);
}

void api_sources_open(struct api *api)
{
	const struct settings *settings = api->control->settings;

	for (size_t i = 0; i < settings->source_count; i++)
		template_registry_add_source(api->control->templates, settings->sources[i].name);
	api_sources_refresh(api);
}

void api_sources_close(struct api *api)
{
	struct error err;

	error_set_as(&err, ERR_UNAVAILABLE, "shutting_down", "the server is shutting down");
	while (!LIST_EMPTY(&api->source_asks)) {
		struct api_source_ask *ask = LIST_FIRST(&api->source_asks);
		struct wait *waits = ask->waiting;

		drop(ask);
		tell(api, waits, NULL, &err);
	}
}
