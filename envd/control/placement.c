#include "control/placement.h"

#include <dirent.h>
#include <string.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/log.h"
#include "base/text.h"
#include "store/store_history.h"
#include "store/store_tally.h"
#include "store/store_targets.h"

/* A cloud that has no more of something will not have it in a minute, either. */
enum { NO_ROOM_MS = 10 * 60000 };

/* ---- which would do -------------------------------------------------------------------------- */

static bool has_listed(const struct settings *settings, const char *engine)
{
	for (size_t i = 0; i < settings->target_count; i++)
		if (settings->targets[i].is_listed &&
		    strcmp(settings->targets[i].engine, engine) == 0)
			return true;
	return false;
}

static bool would_do(const struct settings *settings, const struct target *target,
		     const char *engine, const json_t *wishes)
{
	if (strcmp(target->engine, engine) != 0)
		return false;
	if (json_array_size(wishes))
		return target_fits(wishes, target->name, target->labels);
	return has_listed(settings, engine) ? target->is_listed
					    : target == settings_target_for(settings, engine);
}

const struct target *placement_candidate(const struct settings *settings, const char *engine,
					 const json_t *wishes, size_t *at)
{
	while (*at < settings->target_count) {
		const struct target *target = &settings->targets[(*at)++];

		if (would_do(settings, target, engine, wishes))
			return target;
	}
	return NULL;
}

bool placement_first(const struct settings *settings, const char *engine, const json_t *wishes,
		     const struct target **target, struct error *err)
{
	AUTO(free) char *asked = NULL;
	size_t at = 0;

	*target = placement_candidate(settings, engine, wishes, &at);
	if (*target)
		return true;
	if (!settings_target_for(settings, engine))
		return error_set_as(err, ERR_UNAVAILABLE, "no_target",
				    "no target has the engine \"%s\"", engine);
	asked = target_wishes_text(wishes);
	error_set_as(err, ERR_INVALID, "target_not_found",
		     "no target with the engine \"%s\" is \"%.200s\"", engine, asked);
	return error_hint(err, "envctl targets shows what there is");
}

/* ---- which is to be had ---------------------------------------------------------------------- */

static bool was_tried(const struct environment *env, const char *name)
{
	for (size_t i = 0; i < json_array_size(env->targets_tried); i++)
		if (text_equal(json_string_value(json_array_get(env->targets_tried, i)), name))
			return true;
	return false;
}

static bool look(const struct control *control, const struct target *target,
		 const struct environment *env, struct error *err)
{
	struct target_use use = { 0 };
	struct target_row row;

	if (!store_target_read(control->store, target->name, &row, err) ||
	    (target->memory_bytes_max &&
	     !store_tally_target(control->store, target->name, &use, err)))
		return false;
	return target_judge(target->name,
			    &(struct target_standing){
				.condition = row.condition,
				.holders = row.holders,
				.holders_max = target->environments_max,
				.memory_used = use.memory_bytes,
				.memory_needed = env->memory_bytes,
				.memory_max = target->memory_bytes_max,
				.no_room_until_ms = row.no_room_until_ms,
			    },
			    clock_wall_ms(), err);
}

/* Of those that refuse, the first one says why. */
bool placement_find(const struct control *control, const struct environment *env,
		    const struct target **found, struct error *err)
{
	const struct target *target;
	bool is_refused = false;
	struct error refusal;
	size_t at = 0;

	while ((target = placement_candidate(control->settings, env->engine, env->wishes, &at))) {
		if (was_tried(env, target->name))
			continue;
		if (look(control, target, env, err)) {
			*found = target;
			return true;
		}
		if (!target_is_refusal(err))
			return false;
		if (!is_refused)
			refusal = *err;
		is_refused = true;
	}
	if (!is_refused)
		return error_set_as(err, ERR_LIMIT, "target_full",
				    "waits: target \"%s\" is not configured any more", env->target);
	*err = refusal;
	return false;
}

static bool give(struct store_tx *tx, const struct environment *env, const struct target *target,
		 struct error *err)
{
	return store_claim(tx, target->name, env->id, target->environments_max, clock_wall_ms(),
			   err);
}

bool placement_claim(struct control *control, struct store_tx *tx, const struct environment *env,
		     struct error *err)
{
	const struct target *target;
	struct claim claim;

	if (!store_claim_read(store_of(tx), env->id, env->target, &claim, err))
		return false;
	/* A pass that failed after this may have left it: it is as good as a new one. */
	return claim.number ||
	       (placement_find(control, env, &target, err) && give(tx, env, target, err) &&
		store_environment_place(tx, env->id, target->name, err));
}

/* ---- going elsewhere ------------------------------------------------------------------------- */

static bool note(struct store_tx *tx, const struct environment *env, const char *message,
		 struct error *err)
{
	struct history_entry entry = { .kind = HISTORY_WARNING, .message = message };

	return store_history_append(tx, &env->id, clock_wall_ms(), &entry, err);
}

static bool note_tried(struct store_tx *tx, struct environment *env, struct error *err)
{
	if (!env->targets_tried)
		env->targets_tried = json_array();
	json_array_append_new(env->targets_tried, json_string(env->target));
	return store_target_set_no_room(tx, env->target, clock_wall_ms() + NO_ROOM_MS, err) &&
	       store_environment_set_tried(tx, env->id, env->targets_tried, err);
}

bool placement_go_elsewhere(struct control *control, struct store_tx *tx, struct environment *env,
			    const struct error *failure, bool *done, struct error *err)
{
	AUTO(free) char *message = NULL;
	const struct target *next;

	*done = false;
	if (!target_is_exhausted(failure->slug))
		return true;
	if (!note_tried(tx, env, err))
		return false;
	if (!placement_find(control, env, &next, err))
		return target_is_refusal(err);
	message =
	    xasprintf("target \"%s\" has no room for it (%s): what was begun there is removed, "
		      "then it is built on \"%s\"",
		      env->target, failure->message, next->name);
	*done = true;
	return give(tx, env, next, err) && store_claim_leave(tx, env->id, env->target, err) &&
	       note(tx, env, message, err);
}

bool placement_arrive(struct control *control, struct store_tx *tx, const struct environment *env,
		      struct error *err)
{
	AUTO(free) char *message = NULL;
	struct claim next;

	(void)control;
	if (!store_claim_next(store_of(tx), env->id, &next, err))
		return false;
	if (!next.number)
		return error_set(err, ERR_CORRUPT, "it leaves \"%s\" for nowhere", env->target);
	message = xasprintf("nothing is left on target \"%s\"; building on \"%s\"", env->target,
			    next.target);
	return store_claim_vacate(tx, env->id, env->target, next.target, clock_wall_ms(), err) &&
	       note(tx, env, message, err);
}

/* ---- dirty ----------------------------------------------------------------------------------- */

bool placement_soil(struct control *control, struct store_tx *tx, const struct environment *env,
		    const char *why, struct error *err)
{
	const struct target *target = settings_target_named(control->settings, env->target);
	bool done;

	if (!target || !target->is_listed)
		return true;
	if (!store_target_soil(tx, target->name, why, clock_wall_ms(), &done, err))
		return false;
	if (done)
		log_warn("target \"%s\" is dirty: %s", target->name, why);
	return true;
}

/* ---- the fence ------------------------------------------------------------------------------- */

/* Numbers only grow, so one below ours that is not live has ended for good. */
static bool drop_ended(const struct control *control, const char *folder, int64_t own,
		       struct error *err)
{
	DIR *listing = opendir(folder);
	struct dirent *entry;
	bool is_good = listing != NULL;

	while (is_good && (entry = readdir(listing))) {
		bool is_live = true;
		int64_t number;

		if (!text_to_int64(entry->d_name, &number) || number >= own)
			continue;
		is_good = store_claim_is_live(control->store, number, &is_live, err);
		if (is_good && !is_live)
			unlinkat(dirfd(listing), entry->d_name, 0);
	}
	if (listing)
		closedir(listing);
	return is_good || error_wrap(err, "claims of \"%s\"", folder);
}

static bool raise(const struct control *control, const struct environment *env, int64_t number,
		  json_t **fence, struct error *err)
{
	AUTO(free) char *targets = path_join(control->settings->data, "targets");
	AUTO(free) char *folder = path_join(targets, env->target);
	AUTO(free) char *file = xasprintf("%s/%lld", folder, (long long)number);

	if (!folder_make(targets, 0700, err) || !folder_make(folder, 0700, err) ||
	    (!file_exists(file) &&
	     !file_replace(file, env->id.text, strlen(env->id.text), 0600, err)) ||
	    !drop_ended(control, folder, number, err))
		return false;
	*fence = json_pack("{s:I, s:s}", "number", (json_int_t)number, "file", file);
	return true;
}

bool placement_fence(const struct control *control, const struct environment *env, json_t **fence,
		     struct error *err)
{
	const struct target *target = settings_target_named(control->settings, env->target);
	struct claim claim;

	*fence = NULL;
	if (!target || !target->is_listed)
		return true;
	return store_claim_read(control->store, env->id, env->target, &claim, err) &&
	       (!claim.number || raise(control, env, claim.number, fence, err));
}
