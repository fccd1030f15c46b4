#include "control/lifecycle.h"

#include <string.h>
#include <sys/statvfs.h>

#include "base/clock.h"
#include "base/duration.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "control/admission.h"
#include "control/peer.h"
#include "control/placement.h"
#include "control/project_budget.h"
#include "control/project_quota.h"
#include "control/trace_document.h"
#include "model/lease.h"
#include "model/pins.h"
#include "store/store_checks.h"
#include "store/store_environments.h"
#include "store/store_history.h"
#include "store/store_spending.h"
#include "store/store_tally.h"

enum {
	LABELS_MAX = 32,
	LABEL_BYTES_MAX = 256,
	KEY_BYTES_MAX = 200,
	CHECKS_WAITING_MAX = 10,
	DISK_FREE_BYTES_MIN = 16 << 20, /* below it nothing new is accepted */
};

static bool note(struct store_tx *tx, struct env_id id, const char *kind, const char *message,
		 const json_t *data, struct error *err)
{
	struct history_entry entry = { .kind = kind, .message = message, .data = data };

	return store_history_append(tx, &id, clock_wall_ms(), &entry, err);
}

static void log_step(struct env_id id, enum env_event event, enum env_state to, const char *message)
{
	char identity[64];

	snprintf(identity, sizeof(identity), "env=%s", id.text);
	log_line(LOG_INFO, identity, "%s: %s%s%s", env_event_name(event), env_state_name(to),
		 *message ? ": " : "", message);
}

static void wake_other(void *arg)
{
	struct control *control = arg;

	peer_wake(control->other);
}

/* The lease begins now: what came before was queueing and building. */
static bool begin_lease(struct store_tx *tx, const struct environment *env, struct error *err)
{
	int64_t end = clock_wall_ms() + env->lease_ms;
	struct lease_change change = { .boot_id = clock_boot_id() };

	change.expires_at_ms = end < env->hard_wall_at_ms ? end : env->hard_wall_at_ms;
	change.expires_boot_ms = clock_boot_ms() + (change.expires_at_ms - clock_wall_ms());
	return store_environment_set_lease(tx, env->id, &change, err);
}

static bool go_with_step(struct store_tx *tx, const struct environment *env, enum env_event event,
			 struct error *err)
{
	if (event == EVENT_CHECKS_PASSED)
		return begin_lease(tx, env, err);
	if (event == EVENT_UNWANTED)
		return store_checks_abandon(tx, env->id, "the environment is being destroyed",
					    clock_wall_ms(), err);
	return true;
}

bool lifecycle_apply(struct control *control, struct store_tx *tx, struct env_id id,
		     enum env_event event, const char *message, struct error *err)
{
	AUTO(environment_free) struct environment *env = NULL;
	struct history_entry entry = { .kind = HISTORY_STATE,
				       .event = env_event_name(event),
				       .message = message };
	enum env_state to;

	if (!store_environment_show(store_of(tx), id, &env, err) ||
	    !env_next_state(env->state, event, &to, err) || !go_with_step(tx, env, event, err) ||
	    !store_environment_move(tx, id, env->state, to, clock_wall_ms(), err))
		return error_wrap(err, "environment %s", id.text);
	entry.state = env_state_name(to);
	if (!store_history_append(tx, &id, clock_wall_ms(), &entry, err) ||
	    fault_fails(POINT_MOVED, err))
		return false;
	log_step(id, event, to, message);
	/* Told only after the turn's commit: it must still be true after a crash. */
	turn_after_commit(control->turn, wake_other, control);
	turn_want_pass(control->turn);
	return true;
}

bool lifecycle_unwant(struct control *control, struct store_tx *tx, struct env_id id,
		      const char *reason, const char *message, const struct error *failure,
		      struct error *err)
{
	bool fell;

	if (!store_environment_latch(tx, id, reason, message, failure, clock_wall_ms(), &fell,
				     err) ||
	    fault_fails(POINT_LATCHED, err))
		return false;
	return !fell || lifecycle_apply(control, tx, id, EVENT_UNWANTED, message, err);
}

/* Its own, shorter lease; of what is kept nobody expects that it stays. */
static bool keep(struct control *control, struct store_tx *tx, const struct environment *env,
		 const char *reason, const struct error *failure, struct error *err)
{
	int64_t now = clock_wall_ms(), end = now + env->keep_ms;
	struct lease_change change = { .boot_id = clock_boot_id() };
	AUTO(free) char *message = NULL;
	char at[CLOCK_TEXT_SIZE];

	change.expires_at_ms = end < env->hard_wall_at_ms ? end : env->hard_wall_at_ms;
	change.expires_boot_ms = clock_boot_ms() + (change.expires_at_ms - now);
	message = xasprintf("%s; kept until %s to be looked at", failure->message,
			    clock_format_seconds(change.expires_at_ms, at));
	return store_environment_keep(tx, env->id, reason, failure->message, failure, now, err) &&
	       store_environment_set_lease(tx, env->id, &change, err) &&
	       store_checks_abandon(tx, env->id, "the environment has failed", now, err) &&
	       lifecycle_apply(control, tx, env->id, EVENT_KEPT, message, err);
}

bool lifecycle_fail(struct control *control, struct store_tx *tx, struct env_id id,
		    const char *reason, const struct error *failure, struct error *err)
{
	AUTO(environment_free) struct environment *env = NULL;

	if (!store_environment_show(store_of(tx), id, &env, err))
		return false;
	if (env->desired == DESIRED_ABSENT)
		return true;
	/* In the transaction of the latch: whoever destroys sees both or neither. */
	return lifecycle_want_evidence(control, tx, id, err) &&
	       (env->keep_ms > 0
		    ? keep(control, tx, env, reason, failure, err)
		    : lifecycle_unwant(control, tx, id, reason, failure->message, failure, err));
}

/* ---- evidence ---- */

bool lifecycle_want_evidence(struct control *control, struct store_tx *tx, struct env_id id,
			     struct error *err)
{
	int64_t limit_ms = control->settings->evidence_limit_ms;

	if (!limit_ms)
		return true;
	turn_want_pass(control->turn);
	return store_environment_want_evidence(tx, id, clock_wall_ms() + limit_ms, err);
}

bool lifecycle_give_up_evidence(struct control *control, struct store_tx *tx, struct env_id id,
				const char *why, struct error *err)
{
	AUTO(free) char *message = xasprintf("no evidence was taken: %s", why);

	turn_want_pass(control->turn);
	turn_after_commit(control->turn, wake_other, control);
	return store_environment_set_evidence(tx, id, EVIDENCE_GIVEN_UP, 0, 0, err) &&
	       note(tx, id, HISTORY_WARNING, message, NULL, err);
}

bool lifecycle_expire(struct control *control, struct store_tx *tx, struct env_id id,
		      int64_t expires_at_ms, const char *message, struct error *err)
{
	bool done;

	if (!store_environment_expire(tx, id, expires_at_ms, clock_wall_ms(), &done, err) ||
	    fault_fails(POINT_EXPIRED, err))
		return false;
	/* Not done: an extension was first, and it is in use. */
	return !done || lifecycle_apply(control, tx, id, EVENT_UNWANTED, message, err);
}

/* ---- create ---- */

static bool check_labels(const json_t *labels, struct error *err)
{
	const char *key;
	json_t *value;

	if (json_object_size(labels) > LABELS_MAX)
		return error_set(err, ERR_INVALID, "too many labels (at most %d)", LABELS_MAX);
	json_object_foreach_const(labels, key, value) {
		if (!*key || strlen(key) > 64 ||
		    strspn(key,
			   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-") !=
			strlen(key))
			return error_set(err, ERR_INVALID,
					 "label name \"%.64s\" must be 1 to 64 letters, digits, "
					 "\".\", \"_\", \"/\" and \"-\"",
					 key);
		if (!json_is_string(value) || json_string_length(value) > LABEL_BYTES_MAX)
			return error_set(err, ERR_INVALID,
					 "label \"%s\" must be a string of at most %d bytes", key,
					 LABEL_BYTES_MAX);
	}
	return true;
}

static bool find_replay(struct store_tx *tx, const struct create_request *request,
			const struct caller *caller, struct env_id *id, bool *is_replay,
			struct error *err)
{
	char digest[65];

	*is_replay = false;
	if (!request->idempotency_key)
		return true;
	if (strlen(request->idempotency_key) > KEY_BYTES_MAX || !*request->idempotency_key)
		return error_set(err, ERR_INVALID, "Idempotency-Key must be 1 to %d bytes",
				 KEY_BYTES_MAX);
	if (!store_idempotency_find(store_of(tx), caller->name, request->idempotency_key, is_replay,
				    id, digest, err))
		return false;
	if (*is_replay && strcmp(digest, request->body_digest) != 0)
		return error_set_as(
		    err, ERR_INVALID, "idempotency_key_reused",
		    "this Idempotency-Key was used for another request (environment %s)", id->text);
	return true;
}

static bool check_disk(const struct control *control, struct error *err)
{
	struct statvfs disk;

	if (statvfs(store_folder(control->store), &disk) != 0 ||
	    (uint64_t)disk.f_bavail * disk.f_frsize >= DISK_FREE_BYTES_MIN)
		return true;
	error_set_as(err, ERR_UNAVAILABLE, "disk_low",
		     "the disk of the data folder is nearly full (%llu MiB free)",
		     (unsigned long long)disk.f_bavail * disk.f_frsize >> 20);
	return error_hint(err, "free some space; what exists is still extended and destroyed");
}

static bool check_open(const struct control *control, struct error *err)
{
	int64_t open;

	if (!store_tally_open(control->store, &open, err))
		return false;
	if (open < control->settings->open_max)
		return true;
	error_set_as(err, ERR_LIMIT, "environment_limit",
		     "there are %lld environments already (at most %lld)", (long long)open,
		     (long long)control->settings->open_max);
	return error_hint(err, "destroy some, or try again when leases have ended");
}

static char *make_name(const char *template_name)
{
	char suffix[7];

	random_hex(suffix, 6);
	return xasprintf("%.*s-%s", NAME_LENGTH_MAX - 7, template_name, suffix);
}

/* What the template wishes and what the caller wishes must both be so. */
static bool choose_target(const struct control *control, struct environment *env,
			  const struct template *template, const char *asked,
			  const struct target **target, struct error *err)
{
	json_t *wish = NULL;

	if (asked && !target_wish_parse(asked, &wish, err))
		return false;
	if (wish || template->targets)
		env->wishes = json_array();
	if (template->targets)
		json_array_append(env->wishes, template->targets);
	if (wish)
		json_array_append_new(env->wishes, wish);
	return placement_first(control->settings, template->engine, env->wishes, target, err);
}

static void take_copy(json_t **slot, const json_t *given)
{
	if (!given)
		return;
	json_decref(*slot);
	*slot = json_deep_copy(given);
}

/* Never longer than what the template lends at all: the hard wall is made of that. */
static bool choose_keep(const struct control *control, struct environment *env, int64_t asked_ms,
			struct error *err)
{
	const struct settings *settings = control->settings;
	char most[DURATION_TEXT_SIZE], asked[DURATION_TEXT_SIZE];

	env->keep_maximum_ms = settings->keep_max_ms < env->lease_maximum_ms
				   ? settings->keep_max_ms
				   : env->lease_maximum_ms;
	env->keep_ms = asked_ms;
	if (asked_ms == KEEP_DEFAULT)
		env->keep_ms = settings->keep_default_ms < env->keep_maximum_ms
				   ? settings->keep_default_ms
				   : env->keep_maximum_ms;
	if (asked_ms && !env->keep_maximum_ms)
		return error_set_as(err, ERR_LIMIT, "keep_off",
				    "this server keeps no failed environments");
	return env->keep_ms <= env->keep_maximum_ms ||
	       error_set_as(err, ERR_LIMIT, "keep_out_of_range",
			    "a failed environment may be kept for at most %s (asked %s)",
			    duration_format(env->keep_maximum_ms, most),
			    duration_format(asked_ms, asked));
}

static bool fill_in(struct control *control, struct environment *env,
		    const struct create_request *request, const struct caller *caller,
		    const struct template_entry *entry, struct error *err)
{
	const struct template *template = entry->template;
	const struct target *target;
	struct lease_limits limits = { template->limits.lease_default_ms,
				       template->limits.lease_min_ms,
				       template->limits.lease_max_ms };
	json_t *parameters;
	int64_t memory;

	env->project = xstrdup(caller->project);
	if (!choose_target(control, env, template, request->target, &target, err) ||
	    !project_quota_default_lease(control, env->project, &limits.default_ms, err) ||
	    !lease_choose(&limits, request->lease_ms, &env->lease_ms, err) ||
	    !pins_check(template, request->pins, err) ||
	    !template_resolve_parameters(template, request->parameters, &parameters, err))
		return false;
	json_decref(env->parameters);
	env->parameters = parameters;
	if (!admission_need(target, entry, request->pins, parameters, &memory, err))
		return false;
	take_copy(&env->pins, request->pins);
	take_copy(&env->labels, request->labels);
	env->template_name = xstrdup(template->name);
	env->template_folder = xstrdup(entry->folder);
	env->template_digest = xstrdup(entry->digest);
	env->source = entry->checkout ? template_checkout_json(entry->checkout) : NULL;
	env->is_trusted = entry->is_trusted;
	env->engine = xstrdup(template->engine);
	env->target = xstrdup(target->name);
	env->queue_limit_ms = control->settings->queue_limit_ms;
	env->provision_limit_ms = template->limits.provision_ms;
	env->lease_maximum_ms = template->limits.lease_max_ms;
	env->attempts_max = template->limits.attempts;
	env->has_checks = template->checks != NULL;
	env->memory_bytes = memory ? memory : template->limits.memory_bytes;
	if (!choose_keep(control, env, request->keep_ms, err))
		return false;
	env->created_at_ms = clock_wall_ms();
	return project_budget_quote(control, template, env, err);
}

static void build_wall(struct environment *env)
{
	env->hard_wall_at_ms = env->created_at_ms + env->queue_limit_ms + env->provision_limit_ms +
			       env->lease_maximum_ms;
}

static bool insert(struct control *control, struct store_tx *tx, struct environment *env,
		   const struct create_request *request, struct error *err)
{
	struct history_entry entry = { .kind = HISTORY_STATE, .state = env_state_name(ENV_QUEUED) };
	AUTO(free)
	char *message =
	    xasprintf("accepted for \"%s\" from template \"%s\"", env->owner, env->template_name);

	entry.message = message;
	if (!store_environment_insert(tx, env, err) ||
	    !store_history_append(tx, &env->id, env->created_at_ms, &entry, err) ||
	    (request->idempotency_key &&
	     !store_idempotency_add(tx, env->owner, request->idempotency_key, env->id,
				    request->body_digest, err)) ||
	    fault_fails(POINT_ACCEPTED, err))
		return false;
	turn_after_commit(control->turn, wake_other, control);
	return true;
}

static bool find_template(struct control *control, const struct create_request *request,
			  struct template_entry *entry, struct error *err)
{
	if (request->checkout)
		return template_registry_find_in(control->templates, request->checkout,
						 request->template_name, entry, err);
	return template_registry_find(control->templates, request->template_name, entry, err);
}

bool lifecycle_create(struct control *control, struct store_tx *tx,
		      const struct create_request *request, const struct caller *caller,
		      struct env_id *id, bool *is_replay, struct error *err)
{
	AUTO(environment_free) struct environment *env = environment_new();
	struct template_entry entry;

	if (!permission_check(caller, MAY_CREATE, caller->project, err) ||
	    !find_replay(tx, request, caller, id, is_replay, err))
		return false;
	if (*is_replay)
		return true;
	if ((request->name && !name_check(request->name, "environment name", err)) ||
	    (request->labels && !check_labels(request->labels, err)) ||
	    !find_template(control, request, &entry, err) ||
	    !fill_in(control, env, request, caller, &entry, err) || !check_open(control, err) ||
	    !project_quota_admit(control, tx, env, err) ||
	    !project_budget_admit(control, tx, entry.template, env, err) ||
	    !check_disk(control, err))
		return false;
	build_wall(env);
	env->id = env_id_new();
	/* As the W3C says: one that cannot be read is as none, and no error. */
	if (request->trace_parent && trace_parent_is_valid(request->trace_parent))
		env->trace_parent = xstrdup(request->trace_parent);
	env->owner = xstrdup(caller->name);
	env->name = request->name ? xstrdup(request->name) : make_name(env->template_name);
	*id = env->id;
	return insert(control, tx, env, request, err);
}

/* ---- extend, destroy, check ---- */

static bool refuse_ended(const struct environment *env, struct error *err)
{
	char at[CLOCK_TEXT_SIZE];

	error_set_as(
	    err, ERR_GONE,
	    env->reason && strcmp(env->reason, REASON_LEASE_ENDED) == 0 ? "lease_ended"
									: "environment_ended",
	    "environment \"%s\" ended at %s (%s)", env->name,
	    clock_format_seconds(env->unwanted_at_ms, at), env->reason ? env->reason : "unknown");
	return error_hint(err, "ask for a new one: envctl create %s", env->template_name);
}

static bool require_ready(const struct environment *env, const char *what, struct error *err)
{
	if (env->desired == DESIRED_ABSENT)
		return refuse_ended(env, err);
	return env->state == ENV_READY ||
	       error_set_as(err, ERR_CONFLICT, "not_ready",
			    "environment \"%s\" is %s and can only be %s when ready", env->name,
			    env_state_name(env->state), what);
}

/* What is kept although it failed may be looked at for longer, and for nothing else. */
static bool require_extendable(const struct environment *env, struct error *err)
{
	if (env->desired == DESIRED_PRESENT && env->state == ENV_FAILED)
		return true;
	return require_ready(env, "extended", err);
}

/* Until when it may be used as things are. What is over by the clock and not yet by decree ends
 * now: an extension never gives less than there was. */
static int64_t end_so_far(const struct environment *env, const struct lease_now *now)
{
	struct lease lease = { env->expires_at_ms, env->expires_boot_ms, env->lease_ms,
			       env->boot_id };
	int64_t end = lease_end_now_ms(&lease, now);

	return end > now->wall_ms ? end : now->wall_ms;
}

static bool choose_end(const struct environment *env, enum extend_kind kind, int64_t more_ms,
		       int64_t *end_ms, struct error *err)
{
	char asked[DURATION_TEXT_SIZE], most[DURATION_TEXT_SIZE];
	struct lease_now now = { clock_wall_ms(), clock_boot_ms(), clock_boot_id() };
	int64_t until = end_so_far(env, &now), end;
	bool is_kept = env->state == ENV_FAILED;
	int64_t most_ms = is_kept ? env->keep_maximum_ms : env->lease_maximum_ms;
	int64_t since_ms = is_kept ? env->kept_at_ms : env->ready_at_ms;

	if (more_ms <= 0)
		return error_set_as(err, ERR_INVALID, "lease_out_of_range",
				    "an extension must be longer than 0");
	end = (kind == EXTEND_BY ? until : now.wall_ms) + more_ms;
	if (kind == EXTEND_AT_LEAST && end < until)
		end = until;
	if (end - since_ms > most_ms)
		return error_set_as(
		    err, ERR_INVALID, "lease_too_long",
		    "the lease of \"%s\" may not pass %s in all (this would make it %s)", env->name,
		    duration_format(most_ms, most), duration_format(end - since_ms, asked));
	if (end > env->hard_wall_at_ms)
		return error_set_as(err, ERR_INVALID, "lease_too_long",
				    "the lease of \"%s\" may not pass its hard wall", env->name);
	*end_ms = end;
	return true;
}

static bool note_extended(struct store_tx *tx, struct env_id id, const struct caller *caller,
			  int64_t end_ms, struct error *err)
{
	char at[CLOCK_TEXT_SIZE];
	AUTO(free)
	char *message = xasprintf("lease extended by %s until %s", caller->name,
				  clock_format_seconds(end_ms, at));

	return note(tx, id, HISTORY_LEASE, message, NULL, err);
}

bool lifecycle_extend(struct control *control, struct store_tx *tx, struct env_id id,
		      enum extend_kind kind, int64_t more_ms, const struct caller *caller,
		      struct error *err)
{
	AUTO(environment_free) struct environment *env = NULL;
	struct lease_change change = { .boot_id = clock_boot_id() };
	bool done;

	if (!store_environment_show(store_of(tx), id, &env, err) ||
	    !permission_check(caller, MAY_EXTEND, env->project, err) ||
	    !require_extendable(env, err))
		return false;
	if (!choose_end(env, kind, more_ms, &change.expires_at_ms, err))
		return project_quota_name(control, env, err);
	if (!project_budget_extend(control, tx, env, change.expires_at_ms, err))
		return false;
	change.expires_boot_ms = clock_boot_ms() + (change.expires_at_ms - clock_wall_ms());
	if (!store_environment_extend(tx, id, &change, &done, err) ||
	    fault_fails(POINT_EXTENDED, err))
		return false;
	if (!done)
		return refuse_ended(env, err);
	turn_after_commit(control->turn, wake_other, control);
	return note_extended(tx, id, caller, change.expires_at_ms, err);
}

bool lifecycle_destroy(struct control *control, struct store_tx *tx, struct env_id id,
		       const struct caller *caller, struct error *err)
{
	AUTO(environment_free) struct environment *env = NULL;
	AUTO(free) char *message = NULL;

	if (!store_environment_show(store_of(tx), id, &env, err) ||
	    !permission_check(caller, MAY_DESTROY, env->project, err))
		return false;
	message = xasprintf("destroy requested by %s", caller->name);
	return lifecycle_unwant(control, tx, id, REASON_REQUESTED, message, NULL, err);
}

bool lifecycle_ask_evidence(struct control *control, struct store_tx *tx, struct env_id id,
			    const struct caller *caller, struct error *err)
{
	AUTO(environment_free) struct environment *env = NULL;

	if (!store_environment_show(store_of(tx), id, &env, err) ||
	    !permission_check(caller, MAY_READ_LOGS, env->project, err))
		return false;
	if (env->desired == DESIRED_ABSENT)
		return refuse_ended(env, err);
	if (env->state == ENV_QUEUED)
		return error_set_as(err, ERR_CONFLICT, "not_started",
				    "environment \"%s\" is queued: there is nothing of it yet",
				    env->name);
	if (!control->settings->evidence_limit_ms)
		return error_set_as(err, ERR_CONFLICT, "evidence_off",
				    "this server takes no evidence (--evidence-limit 0s)");
	return lifecycle_want_evidence(control, tx, id, err);
}

/* Who writes the name has read it. */
static bool require_name(const struct environment *env, const char *name, struct error *err)
{
	return strcmp(name, env->name) == 0 ||
	       error_set(err, ERR_INVALID, "the name \"%.60s\" is not that of environment \"%s\"",
			 name, env->name);
}

static bool may_be_acknowledged(struct store_tx *tx, const struct environment *env,
				const char *name, struct error *err)
{
	AUTO(job_row_free) struct job_row *live = NULL;

	if (!require_name(env, name, err))
		return false;
	if (!store_job_live(store_of(tx), env->id, &live, err))
		return false;
	return (env->is_quarantined && !live) ||
	       error_set_as(err, ERR_CONFLICT, "not_quarantined",
			    "environment \"%s\" is %s: only what could not be destroyed in several "
			    "attempts, and "
			    "is not being tried right now, can be acknowledged",
			    env->name, env_state_name(env->state));
}

bool lifecycle_acknowledge(struct control *control, struct store_tx *tx, struct env_id id,
			   const char *name, const struct caller *caller, struct error *err)
{
	AUTO(environment_free) struct environment *env = NULL;
	AUTO(json_decref) json_t *detail = NULL;
	AUTO(free) char *message = NULL;

	if (!store_environment_read(store_of(tx), id, &env, err) ||
	    !permission_check(caller, MAY_ACKNOWLEDGE, env->project, err))
		return false;
	if (env->state == ENV_DESTROYED)
		return true;
	if (!may_be_acknowledged(tx, env, name, err))
		return false;
	detail = json_pack("{s:s, s:O}", "by", caller->name, "blocked_by", env->blocked_by);
	message =
	    xasprintf("not proved gone: what may be left was acknowledged by %s", caller->name);
	return placement_soil(control, tx, env, message, err) &&
	       store_environment_set_reason(tx, id, REASON_ACKNOWLEDGED, err) &&
	       store_proof_add(tx, id, "acknowledged", clock_wall_ms(), detail, err) &&
	       lifecycle_apply(control, tx, id, EVENT_PROVED_GONE, message, err);
}

bool lifecycle_settle(struct control *control, struct store_tx *tx, struct env_id id,
		      const char *name, const struct caller *caller, struct error *err)
{
	AUTO(environment_free) struct environment *env = NULL;
	AUTO(free) char *message = xasprintf("settled by %s: it costs no more", caller->name);
	bool was_owed;

	(void)control;
	if (!store_environment_read(store_of(tx), id, &env, err) ||
	    !permission_check(caller, MAY_ACKNOWLEDGE, env->project, err) ||
	    !require_name(env, name, err))
		return false;
	if (env->state != ENV_DESTROYED || !text_equal(env->reason, REASON_ACKNOWLEDGED))
		return error_set_as(
		    err, ERR_CONFLICT, "not_acknowledged",
		    "environment \"%s\" was not acknowledged: what it costs ends when "
		    "it is proved gone",
		    env->name);
	return store_spending_settle(tx, id, clock_wall_ms(), &was_owed, err) &&
	       (!was_owed || note(tx, id, HISTORY_MONEY, message, NULL, err));
}

bool lifecycle_check(struct control *control, struct store_tx *tx, struct env_id id,
		     const json_t *suites, const json_t *plan, const struct caller *caller,
		     char run_id[ID_TEXT_SIZE], struct error *err)
{
	AUTO(environment_free) struct environment *env = NULL;
	AUTO(check_run_free) struct check_run *run = xcalloc(1, sizeof(*run));
	int64_t waiting;

	if (!store_environment_show(store_of(tx), id, &env, err) ||
	    !permission_check(caller, MAY_CHECK, env->project, err) ||
	    !require_ready(env, "checked", err))
		return false;
	if (!plan && !env->has_checks)
		return error_set_as(err, ERR_INVALID, "no_check_plan",
				    "template \"%s\" has no check plan, and none was sent",
				    env->template_name);
	if (!store_checks_waiting(store_of(tx), id, &waiting, err))
		return false;
	if (waiting >= CHECKS_WAITING_MAX)
		return error_set_as(err, ERR_LIMIT, "check_limit",
				    "%lld check runs of \"%s\" are waiting already",
				    (long long)waiting, env->name);
	memcpy(run->id, env_id_new().text, sizeof(run->id));
	memcpy(run_id, run->id, sizeof(run->id));
	run->environment = id;
	run->owner = xstrdup(caller->name);
	run->suites = json_deep_copy(suites);
	run->plan = plan ? json_deep_copy(plan) : NULL;
	run->asked_at_ms = clock_wall_ms();
	turn_want_pass(control->turn);
	return store_check_insert(tx, run, err);
}
