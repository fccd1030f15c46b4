#include "sweep.h"

#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "control/job_request.h"
#include "control/proofs.h"
#include "engine_question.h"
#include "image_sweep.h"
#include "retention.h"
#include "store/store_environments.h"
#include "store/store_history.h"
#include "store/store_tally.h"
#include "store/store_sightings.h"
#include "sweep_plan.h"
#include "store/store_targets.h"
#include "target_clean.h"

enum { BUSY_LIMIT_MS = 5000 };

/* ---- knowing ---- */

static enum sweep_standing standing_of(void *arg, struct env_id id)
{
	struct sweep *sweep = arg;
	AUTO(environment_free) struct environment *env = NULL;
	struct error err;

	if (!sweep->store)
		return SWEEP_UNKNOWN;
	/* What ended after the listing had begun was listed while it was there. */
	if (store_environment_read(sweep->store, id, &env, &err))
		return env->state == ENV_DESTROYED && env->ended_at_ms < sweep->now_ms ? SWEEP_GONE
										       : SWEEP_LIVE;
	/* Only "there is none" is an answer; a store that cannot be read means hands off. */
	return err.code == ERR_NOT_FOUND ? SWEEP_UNKNOWN : SWEEP_LIVE;
}

static bool was_sighted(void *arg, struct env_id id)
{
	struct sweep *sweep = arg;
	struct error ignored; /* not known to have been sighted */
	int64_t first;

	return sweep->store && store_sighting_first(sweep->store, id, &first, &ignored) && first &&
	       sweep->now_ms - first >= sweep->settings->sweep_interval_ms * 9 / 10;
}

static bool make_rules(struct sweep *sweep, struct sweep_rules *rules, struct error *err)
{
	int64_t live = 0;

	*rules =
	    (struct sweep_rules){ .instance = sweep->instance,
				  .now_s = sweep->now_ms / 1000,
				  .min_age_s = sweep->settings->sweep_interval_ms * 3 / 2 / 1000,
				  .newest_sequence = -1 };
	if (!sweep->store)
		return true;
	if (!store_sequence(sweep->store, &rules->newest_sequence, err) ||
	    !store_tally_open(sweep->store, &live, err))
		return false;
	rules->live_count = (size_t)live;
	return true;
}

/* ---- writing: a moment under the store's lock, which others hold only for moments ---- */

static bool note_sightings(struct store_tx *tx, struct sweep *sweep, const char *target,
			   const struct sweep_plan *plan, struct error *err)
{
	for (size_t i = 0; i < plan->count; i++) {
		AUTO(json_decref)
		json_t *detail = json_pack("{s:I}", "things", (json_int_t)plan->items[i].things);
		struct sighting sighting = { plan->items[i].environment, target, detail };

		if (!store_sighting_note(tx, &sighting, sweep->now_ms, err))
			return false;
	}
	return store_sightings_prune(tx, target, sweep->now_ms, err);
}

static bool remember(struct sweep *sweep, const char *target, const struct sweep_plan *plan,
		     struct error *err)
{
	struct store_tx *tx;

	if (!sweep->store || sweep->options->dry_run)
		return true;
	if (!store_begin_within(sweep->store, BUSY_LIMIT_MS, &tx, err))
		return false;
	if (note_sightings(tx, sweep, target, plan, err))
		return store_commit(tx, err);
	store_rollback(tx);
	return false;
}

static void note_removed(struct sweep *sweep, struct env_id id, const char *message)
{
	struct history_entry entry = { .kind = HISTORY_SWEEP, .message = message };
	struct store_tx *tx;
	struct error err;

	if (!sweep->store)
		return;
	if (!store_begin_within(sweep->store, BUSY_LIMIT_MS, &tx, &err)) {
		log_warn("what the sweep removed could not be written down: %s", err.message);
		return;
	}
	if (!store_history_append(tx, &id, clock_wall_ms(), &entry, &err) ||
	    !store_sighting_forget(tx, id, &err))
		store_rollback(tx);
	else if (!store_commit(tx, &err))
		log_warn("what the sweep removed could not be written down: %s", err.message);
}

/* ---- removing ---- */

static json_t *destroy_request(const struct sweep *sweep, const struct target *target,
			       const struct sweep_item *item)
{
	json_t *request = job_request_target(sweep->instance, target, "destroy");

	json_object_set_new(request, "environment",
			    json_pack("{s:s, s:s, s:I, s:I}", "id", item->environment.text, "name",
				      "orphan", "sequence", (json_int_t)item->sequence,
				      "hard_wall_s", (json_int_t)item->hard_wall_s));
	return request;
}

static void remove_one(struct sweep *sweep, const struct target *target,
		       const struct sweep_item *item)
{
	AUTO(json_decref) json_t *request = destroy_request(sweep, target, item);
	AUTO(json_decref) json_t *data = NULL;
	AUTO(json_decref) json_t *blocked = NULL;
	AUTO(free) char *message = NULL;
	struct error err;

	if (!engine_question_ask(request, &data, &err) ||
	    !proofs_judge(data, target->engine, item->environment, &blocked, &err)) {
		sweep->failures++;
		fprintf(sweep->errors, "envd-reaper: environment %s could not be removed: %s\n",
			item->environment.text, err.message);
		return;
	}
	fault_point(POINT_SWEEP_REMOVED);
	sweep->removed++;
	message = xasprintf("orphan removed and proved gone: %lld things",
			    (long long)json_get_int64(data, "removed", 0));
	fprintf(sweep->out, "%s  %s\n", item->environment.text, message);
	note_removed(sweep, item->environment, message);
	fault_point(POINT_SWEEP_NOTED);
}

/* ---- saying ---- */

static void show(const struct sweep *sweep, const struct sweep_plan *plan)
{
	char wall[CLOCK_TEXT_SIZE];

	for (size_t i = 0; i < plan->count && !sweep->options->scheduled; i++) {
		const struct sweep_item *item = &plan->items[i];

		fprintf(sweep->out, "%s  %zu things  hard wall %s  %s\n", item->environment.text,
			item->things, clock_format_seconds(item->hard_wall_s * 1000, wall),
			item->may_be_destroyed
			    ? (item->is_overdue ? "overdue: to be removed" : "to be removed")
			    : item->why);
	}
}

static void show_kept(const struct sweep *sweep, const struct sweep_plan *plan)
{
	size_t kept = plan->count - plan->destroyable;

	if (plan->halted)
		fprintf(sweep->errors, "envd-reaper: nothing is removed: %s\n", plan->halted);
	if (kept && !sweep->options->scheduled)
		fprintf(sweep->out, "%zu %s kept; to remove %s too: --confirm %zu\n", kept,
			kept == 1 ? "environment is" : "environments are",
			kept == 1 ? "it" : "them", kept);
}

/* ---- one target ---- */

static bool confirms(const struct sweep *sweep, const struct sweep_plan *plan, struct error *err)
{
	size_t kept = plan->halted ? plan->count : plan->count - plan->destroyable;

	if (sweep->options->confirm == 0)
		return true;
	if (sweep->options->confirm == (int64_t)kept)
		return true;
	return error_set(
	    err, ERR_CONFLICT,
	    "--confirm says %lld, but it would be %zu environments: look at the list again",
	    (long long)sweep->options->confirm, kept);
}

static void remove_all(struct sweep *sweep, const struct target *target,
		       const struct sweep_plan *plan)
{
	bool confirmed = sweep->options->confirm > 0;

	if (plan->halted && !confirmed) {
		sweep->failures++;
		return;
	}
	for (size_t i = 0; i < plan->count; i++)
		if (plan->items[i].may_be_destroyed || confirmed)
			remove_one(sweep, target, &plan->items[i]);
}

static bool sweep_target(struct sweep *sweep, const struct target *target, struct error *err)
{
	AUTO(json_decref)
	json_t *request = job_request_target(sweep->instance, target, "inventory");
	AUTO(json_decref) json_t *inventory = NULL;
	struct sweep_knowledge knowledge = { standing_of, was_sighted, sweep };
	struct sweep_rules rules;
	struct sweep_plan plan;
	bool done;

	if (!engine_question_ask(request, &inventory, err) || !make_rules(sweep, &rules, err) ||
	    fault_fails(POINT_SWEEP_LISTED, err))
		return false;
	sweep_plan_make(inventory, &rules, &knowledge, &plan);
	show(sweep, &plan);
	show_kept(sweep, &plan);
	done = json_get_bool(inventory, "complete", false)
		   ? remember(sweep, target->name, &plan, err) && confirms(sweep, &plan, err)
		   : error_set(err, ERR_EXTERNAL, "target \"%s\" could not be listed completely",
			       target->name);
	fault_point(POINT_SWEEP_SIGHTED);
	if (done && !sweep->options->dry_run)
		remove_all(sweep, target, &plan);
	sweep_plan_release(&plan);
	return done && (!sweep->store || image_sweep(sweep->store, sweep->settings, target,
						     sweep->options->dry_run, &sweep->images, err));
}

/* ---- targets of the targets file: is a free one as clean as we think? ---- */

static bool soil(const struct sweep *sweep, const char *name, const char *why, int64_t last_claim,
		 bool *done, struct error *err)
{
	AUTO(free) char *message = xasprintf("target \"%s\" is dirty: %s", name, why);
	struct history_entry entry = { .kind = HISTORY_SWEEP, .message = message };
	struct store_tx *tx;

	if (!store_begin_within(sweep->store, BUSY_LIMIT_MS, &tx, err))
		return false;
	if (store_target_soil_free(tx, name, why, last_claim, clock_wall_ms(), done, err) &&
	    (!*done || store_history_append(tx, NULL, clock_wall_ms(), &entry, err)))
		return store_commit(tx, err);
	store_rollback(tx);
	return false;
}

/* What cannot be listed is not known to be clean. */
static bool look_at_free(struct sweep *sweep, const struct target *target, struct error *err)
{
	AUTO(json_decref) json_t *found = NULL;
	AUTO(free) char *why = NULL;
	struct target_row row;
	struct error unknown;
	bool done = false;

	if (!sweep->store || !target->inventory)
		return true;
	if (!store_target_read(sweep->store, target->name, &row, err))
		return false;
	if (row.holders || row.condition != TARGET_CLEAN)
		return true;
	if (!target_list(sweep->instance, target, &found, &unknown))
		why = xstrdup(unknown.message);
	else if (json_get_int64(found, "count", -1) != 0)
		why = xasprintf("a sweep found %lld things on it: %s",
				(long long)json_get_int64(found, "count", -1),
				json_get_string(found, "words", "?"));
	if (!why || sweep->options->dry_run) {
		fprintf(sweep->out, "%s%s%s%s", why ? target->name : "", why ? ": " : "",
			why ? why : "", why ? "\n" : "");
		return true;
	}
	if (!soil(sweep, target->name, why, row.last_claim, &done, err))
		return false;
	if (done)
		fprintf(sweep->errors, "target \"%s\" is dirty: %s\n", target->name, why);
	return true;
}

static void sweep_targets(struct sweep *sweep)
{
	struct error err;

	for (size_t i = 0; i < sweep->settings->target_count; i++) {
		const struct target *target = &sweep->settings->targets[i];
		const char *engine = target->engine;
		bool is_listed = target->is_listed;

		/* What these made is listed by programs that only an environment's template names.
		 */
		if (!is_listed &&
		    (strcmp(engine, "external") == 0 || strcmp(engine, "pulumi") == 0))
			continue;
		if (is_listed ? !look_at_free(sweep, target, &err)
			      : !sweep_target(sweep, target, &err)) {
			sweep->failures++;
			fprintf(sweep->errors, "envd-reaper: target \"%s\": %s\n",
				sweep->settings->targets[i].name, err.message);
		}
	}
	if (!sweep->failures && !sweep->options->scheduled)
		fprintf(sweep->out, "%d removed\n", sweep->removed);
}

static void forget_old(struct sweep *sweep)
{
	struct retention_count count;
	struct error err;

	if (!sweep->store || sweep->options->dry_run)
		return;
	if (!retention_run(sweep->store, sweep->settings, sweep->now_ms, &count, &err)) {
		sweep->failures++;
		fprintf(sweep->errors, "envd-reaper: old records could not be removed: %s\n",
			err.message);
		return;
	}
	if (count.environments || count.folders)
		fprintf(sweep->out,
			"%zu records of ended environments and %zu stray folders removed\n",
			count.environments, count.folders);
}

void sweep_run(struct sweep *sweep)
{
	sweep_targets(sweep);
	forget_old(sweep);
}
