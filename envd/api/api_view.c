#include "api/api_view.h"

#include <string.h>

#include "api/api_errors.h"
#include "api/api_targets.h"
#include "base/clock.h"
#include "control/placement.h"
#include "http/http_response.h"
#include "wire/environment_json.h"
#include "wire/history_json.h"

enum { HOLDERS_SHOWN_MAX = 10 };

struct lease_now api_view_now(void)
{
	return (struct lease_now){
		.wall_ms = clock_wall_ms(),
		.boot_ms = clock_boot_ms(),
		.boot_id = clock_boot_id(),
	};
}

bool api_view_find(struct api *api, const struct http_request *request,
		   struct environment **environment, struct error *err)
{
	AUTO(environment_free) struct environment *found = NULL;

	if (!store_environment_find(api->control->store, http_request_param(request, "env"), &found,
				    err) ||
	    !permission_check(&api->caller, MAY_READ, found->project, err))
		return false;
	*environment = TAKE(found);
	return true;
}

static bool queue_position(struct api *api, const struct environment *environment,
			   struct queue_cursor *cursor, int64_t *position, struct error *err)
{
	*position = 0;
	if (environment->state != ENV_QUEUED)
		return true;
	if (!store_tally_queued_before(api->control->store, environment->sequence, cursor, position,
				       err))
		return false;
	*position += 1; /* the first in the queue is number one */
	return true;
}

/* ---- who has what it waits for ---- */

static bool add_holders(struct api *api, const struct target *target, json_t *holders,
			struct error *err)
{
	AUTO(holder_list_release) struct holder_list list = { NULL, 0 };
	size_t room = HOLDERS_SHOWN_MAX - json_array_size(holders);

	if (!store_target_holders(api->control->store, target->name, (int64_t)room, &list, err))
		return false;
	for (size_t i = 0; i < list.count; i++)
		json_array_append_new(holders,
				      api_target_holder(api, target->name, &list.items[i]));
	return true;
}

static bool find_holders(struct api *api, const struct environment *environment, json_t *holders,
			 struct error *err)
{
	const struct settings *settings = api->control->settings;
	const struct target *target;
	size_t at = 0;

	while (
	    json_array_size(holders) < HOLDERS_SHOWN_MAX &&
	    (target = placement_candidate(settings, environment->engine, environment->wishes, &at)))
		if (target->is_listed && !add_holders(api, target, holders, err))
			return false;
	return true;
}

/* Of several, whoever is to give it back first. */
static const json_t *first_to_leave(const json_t *holders)
{
	const json_t *first = NULL;

	for (size_t i = 0; i < json_array_size(holders); i++) {
		const json_t *holder = json_array_get(holders, i);
		const char *until = json_get_string(holder, "until", "");

		if (!first || strcmp(until, json_get_string(first, "until", "")) < 0)
			first = holder;
	}
	return first;
}

static void say_holder(const json_t *holders, struct error *waits)
{
	const json_t *holder = first_to_leave(holders);
	const char *name = json_get_string(holder, "environment", NULL);
	const char *until = json_get_string(holder, "until", NULL);
	AUTO(free) char *who = NULL;

	if (!holder || !text_equal(waits->slug, "target_full"))
		return;
	who = name ? xasprintf("\"%s\" (%s)", name, json_get_string(holder, "owner", "?"))
		   : xstrdup("another project");
	snprintf(waits->message, sizeof(waits->message),
		 until ? "waits for target \"%s\": %s has it until %.19sZ at the latest"
		       : "waits for target \"%s\": %s has it and is being destroyed",
		 json_get_string(holder, "target", "?"), who, until);
}

/* `waits` holds what view->waits_for points to. */
static bool fill_view(struct api *api, const struct environment *environment,
		      struct queue_cursor *cursor, struct environment_view *view, json_t **proofs,
		      json_t *holders, struct error *waits, struct error *err)
{
	const struct target *target;

	*view = (struct environment_view){ .now = api_view_now() };
	if (!queue_position(api, environment, cursor, &view->queue_position, err))
		return false;
	if (environment->desired == DESIRED_ABSENT &&
	    !store_proofs(api->control->store, environment->id, proofs, err))
		return false;
	view->proofs = *proofs;
	if (environment->state != ENV_QUEUED || environment->desired != DESIRED_PRESENT ||
	    placement_find(api->control, environment, &target, waits))
		return true;
	view->waits_for = waits->message;
	view->holders = holders;
	if (target_is_refusal(waits)) {
		if (!find_holders(api, environment, holders, err))
			return false;
		say_holder(holders, waits);
		return true;
	}
	*err = *waits;
	return false;
}

bool api_view_environment(struct api *api, const struct environment *environment, json_t **json,
			  struct error *err)
{
	AUTO(json_decref) json_t *proofs = NULL, *holders = json_array();
	struct queue_cursor cursor = { 0 };
	struct environment_view view;
	struct error waits;

	if (!fill_view(api, environment, &cursor, &view, &proofs, holders, &waits, err))
		return false;
	*json = environment_json(environment, &view);
	return true;
}

bool api_view_write(struct api *api, const struct environment *environment,
		    struct queue_cursor *cursor, struct json_writer *json, struct error *err)
{
	AUTO(json_decref) json_t *proofs = NULL, *holders = json_array();
	struct environment_view view;
	struct error waits;

	if (!fill_view(api, environment, cursor, &view, &proofs, holders, &waits, err))
		return false;
	environment_write(json, environment, &view);
	return true;
}

json_t *api_view_history(const struct history_row *row)
{
	return history_json(&(struct history_view){
	    .n = row->n,
	    .at_ms = row->at_ms,
	    .environment = row->environment.text,
	    .name = row->name,
	    .kind = row->kind,
	    .state = row->state,
	    .event = row->event,
	    .message = row->message,
	    .data = row->data,
	});
}

void api_answer_environment(struct api *api, struct http_request *request, int status,
			    const struct environment *environment)
{
	AUTO(text_release) struct text text = TEXT_EMPTY;
	struct json_writer json = { .into = &text };
	struct queue_cursor cursor = { 0 };
	struct error err;

	if (!api_view_write(api, environment, &cursor, &json, &err))
		api_answer_error(request, &err);
	else
		http_answer_json_text(request, status, &text);
}

void api_answer_stored(struct api *api, struct http_request *request, int status, struct env_id id)
{
	AUTO(environment_free) struct environment *environment = NULL;
	struct error err;

	if (!store_environment_show(api->control->store, id, &environment, &err))
		api_answer_error(request, &err);
	else
		api_answer_environment(api, request, status, environment);
}

/* ---- pages ---- */

static bool parse_token(const char *token, int64_t *after)
{
	char *end;

	if (*token != 'p' || strlen(token) < 2 || strlen(token) > 16 ||
	    strspn(token + 1, "0123456789abcdef") != strlen(token + 1))
		return false;
	*after = strtoll(token + 1, &end, 16);
	return *after > 0;
}

bool api_page(const struct http_request *request, int64_t *limit, int64_t *after, struct error *err)
{
	const char *token = http_request_query(request, "next");

	*after = 0;
	if (token && !parse_token(token, after))
		return error_set_as(
		    err, ERR_INVALID, "query_invalid",
		    "query parameter \"next\" must be the \"next\" of an earlier page");
	return http_request_query_int64(request, "limit", PAGE_DEFAULT, 1, PAGE_MAX, limit, err);
}

void api_page_token(int64_t after, char token[PAGE_TOKEN_SIZE])
{
	snprintf(token, PAGE_TOKEN_SIZE, "p%llx", (unsigned long long)after);
}

void api_answer_page(struct http_request *request, json_t *items, int64_t next)
{
	AUTO(json_decref) json_t *page = json_object();
	char token[PAGE_TOKEN_SIZE];

	api_page_token(next, token);
	json_object_set_new(page, "items", items);
	json_object_set_new(page, "next", next ? json_string(token) : json_null());
	http_answer_json(request, 200, page);
}
