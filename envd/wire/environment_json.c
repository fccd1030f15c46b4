#include "wire/environment_json.h"

#include "base/clock.h"
#include "model/cost.h"

json_t *time_json(int64_t at_ms)
{
	char text[CLOCK_TEXT_SIZE];

	return at_ms ? json_string(clock_format(at_ms, text)) : json_null();
}

static json_t *text_or_null(const char *text)
{
	return text ? json_string(text) : json_null();
}

/* A copy, so that a client's document never shares parts with a record. */
static json_t *copy_or(const json_t *value, json_t *otherwise)
{
	if (!value)
		return otherwise;
	json_decref(otherwise);
	return json_deep_copy(value);
}

static int64_t first_of(int64_t a, int64_t b, int64_t otherwise)
{
	if (a)
		return a;
	return b ? b : otherwise;
}

static int64_t at_least_zero(int64_t value)
{
	return value > 0 ? value : 0;
}

static json_t *lease_left(const struct environment *environment, const struct lease_now *now)
{
	struct lease lease = {
		.expires_at_ms = environment->expires_at_ms,
		.expires_boot_ms = environment->expires_boot_ms,
		.lease_ms = environment->lease_ms,
		.boot_id = environment->boot_id,
	};

	if (!environment->expires_at_ms)
		return json_null();
	if ((environment->state != ENV_READY && environment->state != ENV_FAILED) ||
	    lease_has_ended(&lease, now))
		return json_integer(0);
	return json_integer(lease_left_ms(&lease, now));
}

/* Queueing burns nothing, building has its own limit, and the lease runs from ready. */
static json_t *clocks(const struct environment *environment, const struct lease_now *now)
{
	int64_t stopped =
	    first_of(environment->unwanted_at_ms, environment->ended_at_ms, now->wall_ms);
	int64_t queue_end = first_of(environment->provisioning_at_ms, stopped, 0);
	int64_t building =
	    environment->provisioning_at_ms
		? first_of(environment->ready_at_ms, stopped, 0) - environment->provisioning_at_ms
		: 0;
	json_t *json = json_object();

	json_object_set_new(json, "queued_ms",
			    json_integer(at_least_zero(queue_end - environment->created_at_ms)));
	json_object_set_new(json, "provisioning_ms", json_integer(at_least_zero(building)));
	json_object_set_new(json, "lease_left_ms", lease_left(environment, now));
	return json;
}

static json_t *checks(const struct environment *environment)
{
	json_t *json;

	if (!environment->check_run)
		return json_null();
	json = json_object();
	json_object_set_new(json, "run", json_string(environment->check_run));
	json_object_set_new(json, "verdict", text_or_null(environment->check_verdict));
	return json;
}

static json_t *cost(const struct environment *environment, int64_t now_ms)
{
	struct cost cost = cost_of(environment, now_ms);
	json_t *json = json_object();

	json_object_set_new(json, "currency", text_or_null(environment->currency));
	json_object_set_new(json, "per_hour",
			    json_real(cost_to_units(environment->price_microcents_per_hour)));
	json_object_set_new(json, "so_far", json_real(cost_to_units(cost.so_far_microcents)));
	json_object_set_new(json, "at_expiry", json_real(cost_to_units(cost.at_expiry_microcents)));
	return json;
}

static json_t *proofs(const json_t *stored)
{
	json_t *list = json_array();
	const json_t *proof;
	size_t i;

	for (i = 0; i < json_array_size(stored) && (proof = json_array_get(stored, i)); i++) {
		json_t *json = json_object();

		json_object_set_new(json, "kind", json_string(json_get_string(proof, "kind", "")));
		json_object_set_new(json, "at", time_json(json_get_int64(proof, "at_ms", 0)));
		json_object_set_new(json, "detail",
				    copy_or(json_object_get(proof, "detail"), json_object()));
		json_array_append_new(list, json);
	}
	return list;
}

static void add_identity(json_t *json, const struct environment *environment)
{
	json_object_set_new(json, "apiVersion", json_string("envd/v1"));
	json_object_set_new(json, "kind", json_string("Environment"));
	json_object_set_new(json, "id", json_string(environment->id.text));
	json_object_set_new(json, "name", text_or_null(environment->name));
	json_object_set_new(json, "sequence", json_integer(environment->sequence));
	json_object_set_new(json, "template", text_or_null(environment->template_name));
	json_object_set_new(json, "template_digest", text_or_null(environment->template_digest));
	json_object_set_new(json, "source", copy_or(environment->source, json_null()));
	json_object_set_new(json, "engine", text_or_null(environment->engine));
	json_object_set_new(json, "target", text_or_null(environment->target));
	json_object_set_new(json, "owner", text_or_null(environment->owner));
	json_object_set_new(json, "project", text_or_null(environment->project));
	json_object_set_new(json, "labels", copy_or(environment->labels, json_object()));
}

static void add_state(json_t *json, const struct environment *environment)
{
	json_object_set_new(json, "desired", json_string(env_desired_name(environment->desired)));
	json_object_set_new(json, "state", json_string(env_state_name(environment->state)));
	json_object_set_new(json, "reason", text_or_null(environment->reason));
	json_object_set_new(json, "message",
			    json_string(environment->message ? environment->message : ""));
	json_object_set_new(json, "error", copy_or(environment->error, json_null()));
	json_object_set_new(json, "pins", copy_or(environment->pins, json_object()));
	json_object_set_new(json, "parameters", copy_or(environment->parameters, json_object()));
}

static void add_times(json_t *json, const struct environment *environment)
{
	json_object_set_new(json, "created_at", time_json(environment->created_at_ms));
	json_object_set_new(json, "provisioning_at", time_json(environment->provisioning_at_ms));
	json_object_set_new(json, "ready_at", time_json(environment->ready_at_ms));
	json_object_set_new(json, "expires_at", time_json(environment->expires_at_ms));
	json_object_set_new(json, "grace_until", time_json(environment->grace_until_ms));
	json_object_set_new(json, "hard_wall_at", time_json(environment->hard_wall_at_ms));
	json_object_set_new(json, "ended_at", time_json(environment->ended_at_ms));
	json_object_set_new(json, "lease_seconds", json_integer(environment->lease_ms / 1000));
}

static void add_tries(json_t *json, const struct environment *environment, int64_t queue_position)
{
	json_object_set_new(json, "queue_position",
			    queue_position ? json_integer(queue_position) : json_null());
	json_object_set_new(json, "attempts", json_integer(environment->attempts));
	json_object_set_new(json, "next_try_at", time_json(environment->next_try_at_ms));
	json_object_set_new(json, "quarantined", json_boolean(environment->is_quarantined));
	json_object_set_new(json, "blocked_by", copy_or(environment->blocked_by, json_array()));
}

/* Apart from the lease of one that is in use; null unless it failed and is, or was, kept. */
static json_t *kept(const struct environment *environment)
{
	bool is_kept = environment->kept_at_ms && environment->state == ENV_FAILED;

	if (!environment->keep_ms)
		return json_null();
	return json_pack("{s:I, s:I, s:o, s:o}", "seconds", (json_int_t)environment->keep_ms / 1000,
			 "maximum_seconds", (json_int_t)environment->keep_maximum_ms / 1000,
			 "since", time_json(environment->kept_at_ms), "until",
			 is_kept ? time_json(environment->expires_at_ms) : json_null());
}

static json_t *evidence(const struct environment *environment)
{
	return json_pack("{s:s, s:o, s:I}", "state", evidence_name(environment->evidence),
			 "taken_at", time_json(environment->evidence_at_ms), "bytes",
			 (json_int_t)environment->evidence_bytes);
}

json_t *environment_json(const struct environment *environment, const struct environment_view *view)
{
	json_t *json = json_object();

	add_identity(json, environment);
	add_state(json, environment);
	add_times(json, environment);
	json_object_set_new(json, "clocks", clocks(environment, &view->now));
	if (view->waits_for)
		json_object_set_new(json, "message", json_string(view->waits_for));
	add_tries(json, environment, view->queue_position);
	json_object_set_new(json, "outputs", copy_or(environment->outputs, json_object()));
	json_object_set_new(json, "services", copy_or(environment->services, json_array()));
	json_object_set_new(json, "checks", checks(environment));
	json_object_set_new(json, "cost", cost(environment, view->now.wall_ms));
	json_object_set_new(json, "proofs", proofs(view->proofs));
	json_object_set_new(json, "kept", kept(environment));
	json_object_set_new(json, "evidence", evidence(environment));
	return json;
}

json_t *environment_lease_json(const struct environment *environment, const struct lease_now *now)
{
	json_t *json = json_object();

	json_object_set_new(json, "expires_at", time_json(environment->expires_at_ms));
	json_object_set_new(json, "grace_until", time_json(environment->grace_until_ms));
	json_object_set_new(json, "hard_wall_at", time_json(environment->hard_wall_at_ms));
	json_object_set_new(json, "lease_seconds", json_integer(environment->lease_ms / 1000));
	json_object_set_new(json, "lease_left_ms", lease_left(environment, now));
	json_object_set_new(json, "maximum_seconds",
			    json_integer(environment->lease_maximum_ms / 1000));
	return json;
}
