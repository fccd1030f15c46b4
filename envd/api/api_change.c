#include "api/api_change.h"

#include <assert.h>
#include <string.h>

#include "api/api_errors.h"
#include "api/api_exec.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "http/http_response.h"
#include "store/store_audit.h"
#include "store/store_environments.h"

struct api_change *api_change_new(struct api *api, struct http_request *request, const char *verb)
{
	struct api_change *change = xcalloc(1, sizeof(*change));

	change->api = api;
	change->request = request;
	change->verb = verb;
	change->caller = api->caller;
	assert(change->caller.role != ROLE_NONE); /* nothing that changes is open to all */
	return change;
}

void api_change_free(struct api_change *change)
{
	if (!change)
		return;
	json_decref(change->body);
	json_decref(change->suites);
	json_decref(change->detail);
	json_decref(change->plan);
	json_decref(change->question);
	api_reach_drop(change->reach);
	template_checkout_release(&change->checkout);
	explicit_bzero(change, sizeof(*change)); /* it may hold a new token */
	free(change);
}

bool api_change_environment(struct api_change *change, struct store_tx *tx,
			    struct environment **environment, struct error *err)
{
	if (!store_environment_find(store_of(tx), http_request_param(change->request, "env"),
				    environment, err))
		return false;
	change->env = (*environment)->id;
	return true;
}

/* In the same transaction: there is no change without its entry, and no entry without its change.
 */
static bool audit(const struct api_change *change, struct store_tx *tx, struct error *err)
{
	const struct caller *caller = &change->caller;
	const struct audit_entry entry = {
		.at_ms = clock_wall_ms(),
		.who = caller->name,
		.role = role_name(caller->role),
		.project = caller->project,
		.token = caller->token,
		.from = caller->from,
		.request = http_request_id(change->request),
		.action = change->verb,
		.subject = change->subject ? change->subject : change->env.text,
		.detail = change->detail,
	};

	return store_audit_append(tx, &entry, err);
}

static bool apply(void *arg, struct store_tx *tx, struct error *err)
{
	struct api_change *change = arg;

	/* Others have asked meanwhile: what is shown is for this one's eyes. */
	change->api->caller = change->caller;
	return change->apply(change, tx, err) && (change->was_there || audit(change, tx, err));
}

static void log_change(const struct api_change *change, const struct error *failure)
{
	char identity[128];

	snprintf(identity, sizeof(identity), "env=%s req=%s",
		 *change->env.text ? change->env.text : "-", http_request_id(change->request));
	if (failure)
		log_line(LOG_INFO, identity, "%s asked for by %s was refused: %s", change->verb,
			 change->caller.name, failure->message);
	else
		log_line(LOG_INFO, identity, "%s asked for by %s", change->verb,
			 change->caller.name);
}

static void settle(void *arg, const struct error *failure)
{
	AUTO(api_change_free) struct api_change *change = arg;

	/* Undone as it should be: nothing happened that a log has to tell. */
	if (failure && change->plan && text_equal(failure->slug, SLUG_PLANNED)) {
		http_answer_json(change->request, 200, change->plan);
		return;
	}
	fault_point(POINT_CHANGE_ANSWERING);
	change->api->caller = change->caller;
	log_change(change, failure);
	if (failure)
		api_answer_error(change->request, failure);
	else
		change->answer(change);
}

void api_change_refuse(struct api_change *change, const struct error *failure)
{
	settle(change, failure);
}

void api_change_submit(struct api_change *change)
{
	turn_add(change->api->control->turn,
		 &(struct turn_work){ .apply = apply, .settle = settle, .arg = change });
	fault_point(POINT_CHANGE_NOTED);
}
