#include "wire/environment_json.h"

#include "base/clock.h"
#include "base/json_read.h"
#include "model/cost.h"

json_t *time_json(int64_t at_ms)
{
	char text[CLOCK_TEXT_SIZE];

	return at_ms ? json_string(clock_format(at_ms, text)) : json_null();
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

/* False: it has none. */
static bool lease_left(const struct environment *environment, const struct lease_now *now,
		       int64_t *left_ms)
{
	struct lease lease = {
		.expires_at_ms = environment->expires_at_ms,
		.expires_boot_ms = environment->expires_boot_ms,
		.lease_ms = environment->lease_ms,
		.boot_id = environment->boot_id,
	};

	if (!environment->expires_at_ms)
		return false;
	*left_ms = (environment->state != ENV_READY && environment->state != ENV_FAILED) ||
			   lease_has_ended(&lease, now)
		       ? 0
		       : lease_left_ms(&lease, now);
	return true;
}

/* ---- fields ---- */

static void write_time(struct json_writer *json, const char *key, int64_t at_ms)
{
	char text[CLOCK_TEXT_SIZE];

	json_write_text(json, key, at_ms ? clock_format(at_ms, text) : NULL);
}

/* As it is stored, or as it was parsed. */
static void write_document(struct json_writer *json, const char *key,
			   const struct environment *environment, enum environment_document which,
			   const json_t *parsed, const char *otherwise)
{
	const char *stored = environment->stored[which];

	if (parsed)
		json_write_value(json, key, parsed);
	else
		json_write_raw(json, key, stored && *stored ? stored : otherwise);
}

/* Queueing burns nothing, building has its own limit, and the lease runs from ready. */
static void write_clocks(struct json_writer *json, const struct environment *environment,
			 const struct lease_now *now)
{
	int64_t stopped =
	    first_of(environment->unwanted_at_ms, environment->ended_at_ms, now->wall_ms);
	int64_t queue_end = first_of(environment->provisioning_at_ms, stopped, 0);
	int64_t building =
	    environment->provisioning_at_ms
		? first_of(environment->ready_at_ms, stopped, 0) - environment->provisioning_at_ms
		: 0;
	int64_t left_ms;

	json_write_open(json, "clocks", '{');
	json_write_integer(json, "queued_ms",
			   at_least_zero(queue_end - environment->created_at_ms));
	json_write_integer(json, "provisioning_ms", at_least_zero(building));
	if (lease_left(environment, now, &left_ms))
		json_write_integer(json, "lease_left_ms", left_ms);
	else
		json_write_text(json, "lease_left_ms", NULL);
	json_write_close(json, '}');
}

static void write_checks(struct json_writer *json, const struct environment *environment)
{
	if (!environment->check_run) {
		json_write_text(json, "checks", NULL);
		return;
	}
	json_write_open(json, "checks", '{');
	json_write_text(json, "run", environment->check_run);
	json_write_text(json, "verdict", environment->check_verdict);
	json_write_close(json, '}');
}

/* Every digit of it, and none that it has not. */
static void write_amount(struct json_writer *json, const char *key, int64_t microcents)
{
	char text[MONEY_TEXT_SIZE];

	json_write_raw(json, key, money_exact(microcents, text));
}

static void write_cost(struct json_writer *json, const struct environment *environment,
		       int64_t now_ms)
{
	struct cost cost = cost_of(environment, now_ms);

	json_write_open(json, "cost", '{');
	json_write_text(json, "currency", environment->currency);
	write_amount(json, "per_hour", environment->price_microcents_per_hour);
	write_amount(json, "per_hour_low", environment->price_low_microcents_per_hour);
	write_amount(json, "so_far", cost.so_far_microcents);
	write_amount(json, "at_expiry", cost.at_expiry_microcents);
	write_amount(json, "debt_per_hour", cost_debt_per_hour(environment));
	json_write_text(json, "prices_as_of", environment->prices_as_of);
	json_write_bool(json, "example", environment->prices_are_examples);
	json_write_close(json, '}');
}

static void write_proofs(struct json_writer *json, const json_t *stored)
{
	const json_t *proof;
	size_t i;

	json_write_open(json, "proofs", '[');
	for (i = 0; i < json_array_size(stored) && (proof = json_array_get(stored, i)); i++) {
		json_write_open(json, NULL, '{');
		json_write_text(json, "kind", json_get_string(proof, "kind", ""));
		write_time(json, "at", json_get_int64(proof, "at_ms", 0));
		if (json_has(proof, "detail"))
			json_write_value(json, "detail", json_object_get(proof, "detail"));
		else
			json_write_raw(json, "detail", "{}");
		json_write_close(json, '}');
	}
	json_write_close(json, ']');
}

static void write_identity(struct json_writer *json, const struct environment *env)
{
	json_write_text(json, "apiVersion", "envd/v1");
	json_write_text(json, "kind", "Environment");
	json_write_text(json, "id", env->id.text);
	json_write_text(json, "name", env->name);
	json_write_integer(json, "sequence", env->sequence);
	json_write_text(json, "template", env->template_name);
	json_write_text(json, "template_digest", env->template_digest);
	write_document(json, "source", env, DOCUMENT_SOURCE, env->source, "null");
	json_write_text(json, "engine", env->engine);
	json_write_text(json, "target", env->target);
	json_write_text(json, "owner", env->owner);
	json_write_text(json, "project", env->project);
	write_document(json, "labels", env, DOCUMENT_LABELS, env->labels, "{}");
}

static void write_state(struct json_writer *json, const struct environment *env,
			const char *waits_for)
{
	json_write_text(json, "desired", env_desired_name(env->desired));
	json_write_text(json, "state", env_state_name(env->state));
	json_write_text(json, "reason", env->reason);
	json_write_text(json, "message",
			waits_for ? waits_for : (env->message ? env->message : ""));
	write_document(json, "error", env, DOCUMENT_ERROR, env->error, "null");
	write_document(json, "pins", env, DOCUMENT_PINS, env->pins, "{}");
	write_document(json, "parameters", env, DOCUMENT_PARAMETERS, env->parameters, "{}");
}

static void write_times(struct json_writer *json, const struct environment *env)
{
	write_time(json, "created_at", env->created_at_ms);
	write_time(json, "provisioning_at", env->provisioning_at_ms);
	write_time(json, "ready_at", env->ready_at_ms);
	write_time(json, "expires_at", env->expires_at_ms);
	write_time(json, "grace_until", env->grace_until_ms);
	write_time(json, "hard_wall_at", env->hard_wall_at_ms);
	write_time(json, "ended_at", env->ended_at_ms);
	json_write_integer(json, "lease_seconds", env->lease_ms / 1000);
}

static void write_tries(struct json_writer *json, const struct environment *env,
			const struct environment_view *view)
{
	if (view->queue_position)
		json_write_integer(json, "queue_position", view->queue_position);
	else
		json_write_text(json, "queue_position", NULL);
	if (view->holders)
		json_write_value(json, "holders", view->holders);
	else
		json_write_raw(json, "holders", "[]");
	json_write_integer(json, "attempts", env->attempts);
	write_time(json, "next_try_at", env->next_try_at_ms);
	json_write_bool(json, "quarantined", env->is_quarantined);
	write_document(json, "blocked_by", env, DOCUMENT_BLOCKED_BY, env->blocked_by, "[]");
}

/* Apart from the lease of one that is in use; null unless it failed and is, or was, kept. */
static void write_kept(struct json_writer *json, const struct environment *env)
{
	bool is_kept = env->kept_at_ms && env->state == ENV_FAILED;

	if (!env->keep_ms) {
		json_write_text(json, "kept", NULL);
		return;
	}
	json_write_open(json, "kept", '{');
	json_write_integer(json, "seconds", env->keep_ms / 1000);
	json_write_integer(json, "maximum_seconds", env->keep_maximum_ms / 1000);
	write_time(json, "since", env->kept_at_ms);
	write_time(json, "until", is_kept ? env->expires_at_ms : 0);
	json_write_close(json, '}');
}

static void write_evidence(struct json_writer *json, const struct environment *env)
{
	json_write_open(json, "evidence", '{');
	json_write_text(json, "state", evidence_name(env->evidence));
	write_time(json, "taken_at", env->evidence_at_ms);
	json_write_integer(json, "bytes", env->evidence_bytes);
	json_write_close(json, '}');
}

void environment_write(struct json_writer *json, const struct environment *env,
		       const struct environment_view *view)
{
	json_write_open(json, NULL, '{');
	write_identity(json, env);
	write_state(json, env, view->waits_for);
	write_times(json, env);
	write_clocks(json, env, &view->now);
	write_tries(json, env, view);
	write_document(json, "outputs", env, DOCUMENT_OUTPUTS, env->outputs, "{}");
	write_document(json, "services", env, DOCUMENT_SERVICES, env->services, "[]");
	write_checks(json, env);
	write_cost(json, env, view->now.wall_ms);
	write_proofs(json, view->proofs);
	write_kept(json, env);
	write_evidence(json, env);
	json_write_close(json, '}');
}

json_t *environment_json(const struct environment *environment, const struct environment_view *view)
{
	AUTO(text_release) struct text text = TEXT_EMPTY;
	struct json_writer writer = { .into = &text };

	environment_write(&writer, environment, view);
	return json_loads(text_get(&text), 0, NULL);
}

json_t *environment_lease_json(const struct environment *environment, const struct lease_now *now)
{
	json_t *json = json_object();
	int64_t left_ms;

	json_object_set_new(json, "expires_at", time_json(environment->expires_at_ms));
	json_object_set_new(json, "grace_until", time_json(environment->grace_until_ms));
	json_object_set_new(json, "hard_wall_at", time_json(environment->hard_wall_at_ms));
	json_object_set_new(json, "lease_seconds", json_integer(environment->lease_ms / 1000));
	json_object_set_new(json, "lease_left_ms",
			    lease_left(environment, now, &left_ms) ? json_integer(left_ms)
								   : json_null());
	json_object_set_new(json, "maximum_seconds",
			    json_integer(environment->lease_maximum_ms / 1000));
	return json;
}
