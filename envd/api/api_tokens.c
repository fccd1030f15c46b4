#include "api/api_tokens.h"

#include <string.h>

#include "api/api_change.h"
#include "api/api_errors.h"
#include "api/api_view.h"
#include "api/api_visit.h"
#include "base/clock.h"
#include "base/duration.h"
#include "base/text.h"
#include "http/http_response.h"
#include "store/store_tokens.h"
#include "wire/environment_json.h"

static json_t *token_json(const struct token_row *row)
{
	json_t *json = json_object();
	const char *state = row->revoked_at_ms                      ? "revoked"
			    : row->expires_at_ms <= clock_wall_ms() ? "expired"
								    : "good";

	json_object_set_new(json, "apiVersion", json_string("envd/v1"));
	json_object_set_new(json, "kind", json_string("Token"));
	json_object_set_new(json, "id", json_string(row->id));
	json_object_set_new(json, "name", json_string(row->name));
	json_object_set_new(json, "role", json_string(role_name(row->role)));
	json_object_set_new(json, "project", json_string(row->project));
	json_object_set_new(json, "state", json_string(state));
	json_object_set_new(json, "created_by", json_string(row->created_by));
	json_object_set_new(json, "created_at", time_json(row->created_at_ms));
	json_object_set_new(json, "expires_at", time_json(row->expires_at_ms));
	json_object_set_new(json, "last_used_at", time_json(row->last_used_at_ms));
	json_object_set_new(json, "revoked_at", time_json(row->revoked_at_ms));
	return json;
}

static bool find(struct store *store, const char *id, struct token_row *row, struct error *err)
{
	char shown[24];
	bool found;

	if (!store_token_find(store, id, row, &found, err))
		return false;
	if (found)
		return true;
	/* Somebody may have pasted the token itself. */
	text_printable(strlen(id) < TOKEN_ID_SIZE ? id : "...", shown, sizeof(shown));
	error_set_as(err, ERR_NOT_FOUND, "token_not_found", "there is no token with the id \"%s\"",
		     shown);
	return error_hint(err, "envctl token list shows what there is");
}

/* ---- create ---- */

static bool read_name(const json_t *body, const char *key, const char *what, char *into,
		      struct error *err)
{
	const char *text;

	if (!json_read_string(body, key, &text, err) || !name_check(text, what, err))
		return false;
	snprintf(into, NAME_LENGTH_MAX + 1, "%s", text);
	return true;
}

static bool read_lifetime(const struct api_change *change, int64_t *ms, struct error *err)
{
	int64_t longest = change->api->control->settings->token_lifetime_ms;
	char most[DURATION_TEXT_SIZE];

	*ms = longest;
	if (!json_has(change->body, "expires_in"))
		return true;
	if (!json_read_duration_ms(change->body, "expires_in", ms, err))
		return false;
	return (*ms >= 1000 && *ms <= longest) ||
	       error_set(err, ERR_INVALID, "field \"expires_in\" must be from 1s to %s",
			 duration_format(longest, most));
}

static bool read_token(struct api_change *change, struct token_row *row, struct error *err)
{
	static const char *const known[] = { "name", "role", "project", "expires_in", NULL };
	const struct settings *settings = change->api->control->settings;
	const struct quota *ignored;
	const char *role;
	int64_t lifetime_ms;

	if (!http_request_json(change->request, &change->body, err) ||
	    !json_only_keys(change->body, known, err) ||
	    !read_name(change->body, "name", "token name", row->name, err) ||
	    !json_read_string(change->body, "role", &role, err) ||
	    !role_parse(role, &row->role, err) || !read_lifetime(change, &lifetime_ms, err))
		return false;
	snprintf(row->project, sizeof(row->project), "%s", change->caller.project);
	if (json_has(change->body, "project") &&
	    !read_name(change->body, "project", "project name", row->project, err))
		return false;
	if (!project_find(&settings->projects, row->project, &ignored, err))
		return false;
	row->created_at_ms = clock_wall_ms();
	row->expires_at_ms = row->created_at_ms + lifetime_ms;
	return true;
}

static bool apply_create(struct api_change *change, struct store_tx *tx, struct error *err)
{
	struct token_row *row = &change->token.row;

	token_make(&change->token.made);
	memcpy(row->id, change->token.made.id, sizeof(row->id));
	memcpy(row->digest, change->token.made.digest, sizeof(row->digest));
	snprintf(row->created_by, sizeof(row->created_by), "%s", change->caller.name);
	change->subject = row->id;
	return store_token_insert(tx, row, err);
}

/* The only time that anybody sees it. */
static void answer_create(struct api_change *change)
{
	AUTO(json_decref) json_t *json = token_json(&change->token.row);

	json_object_set_new(json, "token", json_string(change->token.made.text));
	token_wipe(&change->token.made);
	http_answer_json(change->request, 201, json);
}

void api_create_token(void *api, struct http_request *request)
{
	AUTO(api_change_free)
	struct api_change *change = api_change_new(api, request, "token create");
	struct error err;

	change->apply = apply_create;
	change->answer = answer_create;
	if (!read_token(change, &change->token.row, &err)) {
		api_answer_error(request, &err);
		return;
	}
	change->detail =
	    json_pack("{s:s, s:s, s:s}", "name", change->token.row.name, "role",
		      role_name(change->token.row.role), "project", change->token.row.project);
	api_change_submit(TAKE(change));
}

/* ---- list, revoke ---- */

void api_list_tokens(void *arg, struct http_request *request)
{
	AUTO(free) struct token_row *rows = xcalloc(PAGE_MAX, sizeof(*rows));
	json_t *items = json_array();
	int64_t limit, after, next = 0;
	struct api *api = arg;
	struct error err;
	size_t count;

	if (!api_page(request, &limit, &after, &err) ||
	    !store_token_list(api->control->store, after, limit, rows, &count, &err)) {
		json_decref(items);
		api_answer_error(request, &err);
		return;
	}
	for (size_t i = 0; i < count; i++)
		json_array_append_new(items, token_json(&rows[i]));
	if (count && (int64_t)count == limit)
		next = rows[count - 1].n;
	api_answer_page(request, items, next);
}

static bool apply_revoke(struct api_change *change, struct store_tx *tx, struct error *err)
{
	struct token_row *row = &change->token.row;
	const char *id = http_request_param(change->request, "id");

	if (!find(store_of(tx), id, row, err))
		return false;
	change->subject = row->id;
	change->was_there = row->revoked_at_ms != 0;
	return store_token_revoke(tx, id, clock_wall_ms(), err) && find(store_of(tx), id, row, err);
}

static void answer_revoke(struct api_change *change)
{
	AUTO(json_decref) json_t *json = token_json(&change->token.row);

	api_visits_end(change->api, change->token.row.id);
	http_answer_json(change->request, 200, json);
}

void api_revoke_token(void *api, struct http_request *request)
{
	struct api_change *change = api_change_new(api, request, "token revoke");

	change->apply = apply_revoke;
	change->answer = answer_revoke;
	api_change_submit(change);
}
