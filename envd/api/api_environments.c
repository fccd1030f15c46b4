#include "api/api_environments.h"

#include <string.h>

#include "api/api_change.h"
#include "api/api_errors.h"
#include "api/api_plan.h"
#include "api/api_view.h"
#include "api/api_sources.h"
#include "base/duration.h"
#include "base/files.h"
#include "base/text.h"
#include "model/git_address.h"
#include "http/http_response.h"

/* ---- create ---- */

enum { KEEP_MS_MIN = 10000 };

enum { IDEMPOTENCY_KEY_MAX = 200, LABELS_MAX = 32, LABEL_BYTES_MAX = 256 };

static bool apply_create(struct api_change *change, struct store_tx *tx, struct error *err)
{
	struct env_id id;

	if (!lifecycle_create(change->api->control, tx, &change->create.request, &change->caller,
			      &id, &change->was_there, err))
		return false;
	change->env = id;
	change->detail = json_pack("{s:s, s:s?}", "template", change->create.request.template_name,
				   "name", change->create.request.name);
	if (!change->is_plan)
		return true;
	if (!api_plan(change->api, &change->create.request, id, change->was_there, &change->plan,
		      err))
		return false;
	return error_set_as(err, ERR_CONFLICT, SLUG_PLANNED, "this was a plan");
}

static void answer_create(struct api_change *change)
{
	char location[128];

	snprintf(location, sizeof(location), "/v1/environments/%s", change->env.text);
	http_response_header(change->request, "Location", location);
	if (change->was_there)
		http_response_header(change->request, "Idempotent-Replayed", "true");
	api_answer_stored(change->api, change->request, change->was_there ? 200 : 201, change->env);
}

static bool read_key(struct api_change *change, struct error *err)
{
	const char *key = http_request_header(change->request, "Idempotency-Key");
	size_t length;
	const char *body = http_request_body(change->request, &length);

	if (!key)
		return true;
	if (!*key || strlen(key) > IDEMPOTENCY_KEY_MAX || !text_is_utf8(key, strlen(key)))
		return error_set_as(err, ERR_INVALID, "idempotency_key_invalid",
				    "Idempotency-Key must have 1 to %d bytes", IDEMPOTENCY_KEY_MAX);
	sha256_text(body, length, change->create.digest);
	change->create.request.idempotency_key = key;
	change->create.request.body_digest = change->create.digest;
	return true;
}

static bool read_optional_object(const json_t *body, const char *key, const json_t **value,
				 struct error *err)
{
	return !json_has(body, key) || json_read_object(body, key, value, err);
}

static bool read_optional_string(const json_t *body, const char *key, const char **value,
				 struct error *err)
{
	return !json_has(body, key) || json_read_string(body, key, value, err);
}

static bool check_labels(const json_t *labels, struct error *err)
{
	const char *key;
	json_t *value;

	if (json_object_size(labels) > LABELS_MAX)
		return error_set_as(err, ERR_INVALID, "labels_invalid",
				    "there may be at most %d labels", LABELS_MAX);
	json_object_foreach((json_t *)(uintptr_t)labels, key, value)
		if (!json_is_string(value) || !*key ||
		    strlen(key) + json_string_length(value) > LABEL_BYTES_MAX ||
		    strlen(json_string_value(value)) != json_string_length(value))
			return error_set_as(
			    err, ERR_INVALID, "labels_invalid",
			    "labels must be strings, name and value of at most %d bytes together",
			    LABEL_BYTES_MAX);
	return true;
}

/* "on-failure" or "on-failure=20m". */
static bool read_keep(const json_t *body, int64_t *keep_ms, struct error *err)
{
	static const char when[] = "on-failure";
	const char *text;

	if (!json_has(body, "keep"))
		return true;
	if (!json_read_string(body, "keep", &text, err))
		return false;
	*keep_ms = KEEP_DEFAULT;
	if (strcmp(text, when) == 0)
		return true;
	if (!text_starts_with(text, when) || text[strlen(when)] != '=')
		return error_set_as(err, ERR_INVALID, "keep_invalid",
				    "\"keep\" must be \"on-failure\" or \"on-failure=DURATION\"");
	if (!duration_parse(text + strlen(when) + 1, "keep", keep_ms, err))
		return false;
	return *keep_ms >= KEEP_MS_MIN ||
	       error_set_as(err, ERR_INVALID, "keep_invalid", "\"keep\" must be at least 10s");
}

static bool read_create(struct api_change *change, const char **ref, struct error *err)
{
	static const char *const known[] = { "template",   "template_ref", "name", "ttl",    "pins",
					     "parameters", "labels",       "keep", "target", NULL };
	struct create_request *wanted = &change->create.request;
	json_t *body;

	if (!http_request_json(change->request, &change->body, err))
		return false;
	body = change->body;
	wanted->lease_ms = -1;
	wanted->trace_parent = http_request_header(change->request, "traceparent");
	return json_only_keys(body, known, err) &&
	       json_read_string(body, "template", &wanted->template_name, err) &&
	       read_optional_string(body, "template_ref", ref, err) &&
	       (!*ref || git_ref_check(*ref, err)) &&
	       read_optional_string(body, "name", &wanted->name, err) &&
	       (!wanted->name || name_check(wanted->name, "environment name", err)) &&
	       (!json_has(body, "ttl") ||
		json_read_duration_ms(body, "ttl", &wanted->lease_ms, err)) &&
	       read_optional_string(body, "target", &wanted->target, err) &&
	       read_optional_object(body, "pins", &wanted->pins, err) &&
	       read_optional_object(body, "parameters", &wanted->parameters, err) &&
	       read_optional_object(body, "labels", &wanted->labels, err) &&
	       check_labels(wanted->labels, err) && read_keep(body, &wanted->keep_ms, err) &&
	       read_key(change, err);
}

static void on_fetched(void *arg, const struct template_checkout *checkout,
		       const struct error *failure)
{
	struct api_change *change = arg;

	if (failure) {
		api_change_refuse(change, failure);
		return;
	}
	change->checkout = template_checkout_copy(checkout);
	change->create.request.checkout = &change->checkout;
	api_change_submit(change);
}

/* What a key has made needs no source any more: it is told even when that cannot be reached. */
static bool is_replay(const struct api_change *change)
{
	const char *key = change->create.request.idempotency_key;
	struct error ignored; /* the transaction looks again */
	struct env_id id;
	char digest[65];
	bool found = false;

	return key &&
	       store_idempotency_find(change->api->control->store, change->caller.name, key, &found,
				      &id, digest, &ignored) &&
	       found;
}

/* `*is_waiting`: the change is handed on when the template is there. */
static bool fetch_template(struct api_change *change, const char *ref, bool *is_waiting,
			   struct error *err)
{
	struct api *api = change->api;
	const char *source;

	*is_waiting = false;
	if (is_replay(change))
		return true;
	if (!template_registry_source_of(api->control->templates,
					 change->create.request.template_name, ref != NULL, &source,
					 err) ||
	    (source &&
	     !api_sources_fetch(api, source, ref, change->request, on_fetched, change, err)))
		return false;
	*is_waiting = source != NULL;
	return true;
}

void api_create_environment(void *api, struct http_request *request)
{
	AUTO(api_change_free) struct api_change *change = api_change_new(api, request, "create");
	const char *ref = NULL;
	bool is_waiting;
	struct error err;

	change->apply = apply_create;
	change->answer = answer_create;
	if (!http_request_query_bool(request, "dry_run", &change->is_plan, &err) ||
	    !read_create(change, &ref, &err) || !fetch_template(change, ref, &is_waiting, &err))
		api_change_refuse(TAKE(change), &err);
	else if (is_waiting)
		change = NULL; /* it is handed over when the source was fetched */
	else
		api_change_submit(TAKE(change));
}

/* ---- list ---- */

static bool read_label(const struct http_request *request, struct environment_filter *filter,
		       char **label, struct error *err)
{
	const char *text = http_request_query(request, "label");
	char *equals;

	if (!text)
		return true;
	*label = xstrdup(text);
	equals = strchr(*label, '=');
	if (!equals || equals == *label)
		return error_set_as(err, ERR_INVALID, "query_invalid",
				    "query parameter \"label\" must be NAME=VALUE");
	*equals = '\0';
	filter->label_key = *label;
	filter->label_value = equals + 1;
	return true;
}

static bool read_filter(const struct http_request *request, const struct caller *caller,
			struct environment_filter *filter, char **label, struct error *err)
{
	enum env_state state;

	*filter = (struct environment_filter){
		.state = http_request_query(request, "state"),
		.owner = http_request_query(request, "owner"),
		.template_name = http_request_query(request, "template"),
		.project = http_request_query(request, "project"),
	};
	if (permission_is_bound(caller, MAY_READ)) {
		if (filter->project && !permission_check(caller, MAY_READ, filter->project, err))
			return false;
		filter->project = caller->project;
	}
	if (filter->state && !env_state_parse(filter->state, &state, err))
		return false;
	if (!http_request_query_bool(request, "all", &filter->with_destroyed, err))
		return false;
	if (text_equal(filter->state, env_state_name(ENV_DESTROYED)))
		filter->with_destroyed = true;
	return read_label(request, filter, label, err) &&
	       api_page(request, &filter->limit, &filter->after_sequence, err);
}

struct page {
	struct api *api;
	struct json_writer json;
	struct queue_cursor cursor;
	int64_t count;
	int64_t last; /* sequence */
};

static bool add_item(void *arg, const struct environment *environment, struct error *err)
{
	struct page *page = arg;

	page->count++;
	page->last = environment->sequence;
	return api_view_write(page->api, environment, &page->cursor, &page->json, err);
}

static void end_page(struct page *page, bool is_full)
{
	char token[PAGE_TOKEN_SIZE];

	json_write_close(&page->json, ']');
	api_page_token(page->last, token);
	json_write_text(&page->json, "next", is_full ? token : NULL);
	json_write_close(&page->json, '}');
}

void api_list_environments(void *arg, struct http_request *request)
{
	AUTO(text_release) struct text text = TEXT_EMPTY;
	AUTO(free) char *label = NULL;
	struct page page = { .api = arg, .json = { .into = &text } };
	struct environment_filter filter;
	struct api *api = arg;
	struct error err;

	json_write_open(&page.json, NULL, '{');
	json_write_open(&page.json, "items", '[');
	if (!read_filter(request, &api->caller, &filter, &label, &err) ||
	    !store_environment_list(api->control->store, &filter, add_item, &page, &err)) {
		api_answer_error(request, &err);
		return;
	}
	end_page(&page, page.count && page.count == filter.limit);
	http_answer_json_text(request, 200, &text);
}

/* ---- one ---- */

void api_get_environment(void *arg, struct http_request *request)
{
	AUTO(environment_free) struct environment *environment = NULL;
	struct api *api = arg;
	struct error err;

	if (!api_view_find(api, request, &environment, &err))
		api_answer_error(request, &err);
	else
		api_answer_environment(api, request, 200, environment);
}

static bool apply_destroy(struct api_change *change, struct store_tx *tx, struct error *err)
{
	AUTO(environment_free) struct environment *environment = NULL;

	if (!api_change_environment(change, tx, &environment, err))
		return false;
	change->was_there = environment->state == ENV_DESTROYED;
	return lifecycle_destroy(change->api->control, tx, change->env, &change->caller, err);
}

static void answer_destroy(struct api_change *change)
{
	api_answer_stored(change->api, change->request, change->was_there ? 200 : 202, change->env);
}

void api_destroy_environment(void *api, struct http_request *request)
{
	struct api_change *change = api_change_new(api, request, "destroy");

	change->apply = apply_destroy;
	change->answer = answer_destroy;
	api_change_submit(change);
}

static bool apply_acknowledge(struct api_change *change, struct store_tx *tx, struct error *err)
{
	AUTO(environment_free) struct environment *environment = NULL;
	const char *name;

	return json_read_string(change->body, "name", &name, err) &&
	       api_change_environment(change, tx, &environment, err) &&
	       lifecycle_acknowledge(change->api->control, tx, change->env, name, &change->caller,
				     err);
}

static void answer_acknowledge(struct api_change *change)
{
	api_answer_stored(change->api, change->request, 200, change->env);
}

void api_acknowledge_environment(void *api, struct http_request *request)
{
	static const char *const known[] = { "name", NULL };
	AUTO(api_change_free)
	struct api_change *change = api_change_new(api, request, "acknowledge");
	struct error err;

	change->apply = apply_acknowledge;
	change->answer = answer_acknowledge;
	if (!http_request_json(request, &change->body, &err) ||
	    !json_only_keys(change->body, known, &err))
		api_answer_error(request, &err);
	else
		api_change_submit(TAKE(change));
}

void api_get_outputs(void *arg, struct http_request *request)
{
	AUTO(environment_free) struct environment *environment = NULL;
	AUTO(json_decref) json_t *none = json_object();
	struct api *api = arg;
	struct error err;

	if (!api_view_find(api, request, &environment, &err))
		api_answer_error(request, &err);
	else
		http_answer_json(request, 200, environment->outputs ? environment->outputs : none);
}

void api_get_lock(void *arg, struct http_request *request)
{
	AUTO(environment_free) struct environment *environment = NULL;
	struct api *api = arg;
	struct error err;

	if (!api_view_find(api, request, &environment, &err)) {
		api_answer_error(request, &err);
	} else if (!environment->lock) {
		error_set_as(&err, ERR_CONFLICT, "not_resolved",
			     "environment \"%s\" has no lock yet: nothing of it was built",
			     environment->name);
		api_answer_error(request, &err);
	} else {
		http_answer_json(request, 200, environment->lock);
	}
}
