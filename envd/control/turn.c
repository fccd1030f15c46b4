#include "control/turn.h"

#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "control/lock_watch.h"
#include "loop/timer.h"

enum {
	BUSY_RETRY_MS = 5,    /* the other program's transaction takes a few milliseconds */
	FULL_RETRY_MS = 1000, /* a full disk does not get empty by asking often, nor a pass well */
	BUSY_LIMIT_MS = 5000, /* then a client hears 503 */
};

struct work_item {
	struct turn_work work;
	int64_t noted_mono_ms;
	bool is_undone; /* its savepoint was rolled back */
	struct error failure;
};

struct effect {
	void (*run)(void *arg);
	void (*undo)(void *arg); /* may be NULL */
	void *arg;
};

struct turn {
	struct loop *loop;
	struct store *store;
	struct timer *retry;
	struct work_item *works;
	size_t work_count;
	struct effect *effects;
	size_t effect_count;
	bool (*pass)(void *arg, struct store_tx *tx, struct error *err);
	bool (*is_pass_needed)(void *arg);
	void *pass_arg;
	bool pass_wanted;
	bool may_use_reserve;
	void (*on_commit[4])(void *arg);
	void *on_commit_arg[4];
	size_t on_commit_count;
	void (*measured)(void *arg, int64_t took_us);
	void *measured_arg;
	int64_t data_version;
	struct lock_watch watch;
};

static void on_retry(void *arg)
{
	(void)arg; /* waking up is enough: turn_run() follows every loop turn */
}

struct turn *turn_new(struct loop *loop, struct store *store)
{
	struct turn *turn = xcalloc(1, sizeof(*turn));

	turn->loop = loop;
	turn->store = store;
	turn->retry = timer_new(loop, on_retry, turn);
	turn->data_version = store_data_version(store);
	return turn;
}

void turn_free(struct turn *turn)
{
	if (!turn)
		return;
	timer_free(turn->retry);
	free(turn->works);
	free(turn->effects);
	free(turn);
}

void turn_abandon(struct turn *turn)
{
	struct error ending;

	error_set_as(&ending, ERR_UNAVAILABLE, "ending", "the service is ending: ask again");
	while (turn->work_count) {
		struct turn_work work = turn->works[--turn->work_count].work;

		work.settle(work.arg, &ending);
	}
}

void turn_add(struct turn *turn, const struct turn_work *work)
{
	turn->works = xrealloc(turn->works, turn->work_count + 1, sizeof(*turn->works));
	turn->works[turn->work_count++] =
	    (struct work_item){ .work = *work, .noted_mono_ms = clock_mono_ms() };
}

size_t turn_noted(const struct turn *turn)
{
	return turn->work_count;
}

void turn_after_commit_or(struct turn *turn, void (*effect)(void *arg), void (*undo)(void *arg),
			  void *arg)
{
	turn->effects = xrealloc(turn->effects, turn->effect_count + 1, sizeof(*turn->effects));
	turn->effects[turn->effect_count++] = (struct effect){ effect, undo, arg };
}

void turn_after_commit(struct turn *turn, void (*effect)(void *arg), void *arg)
{
	const struct effect *last =
	    turn->effect_count ? &turn->effects[turn->effect_count - 1] : NULL;

	/* A hundred creates wake the reaper once. */
	if (last && last->run == effect && last->arg == arg && !last->undo)
		return;
	turn_after_commit_or(turn, effect, NULL, arg);
}

/* Newest first: what was built on what is taken back in that order. */
static void undo_effects(struct turn *turn, size_t kept)
{
	while (turn->effect_count > kept) {
		struct effect effect = turn->effects[--turn->effect_count];

		if (effect.undo)
			effect.undo(effect.arg);
	}
}

void turn_set_pass(struct turn *turn,
		   bool (*pass)(void *arg, struct store_tx *tx, struct error *err),
		   bool (*is_needed)(void *arg), void *arg)
{
	turn->pass = pass;
	turn->is_pass_needed = is_needed;
	turn->pass_arg = arg;
}

void turn_want_pass(struct turn *turn)
{
	turn->pass_wanted = true;
	timer_set_ms(turn->retry, 0);
}

void turn_on_commit(struct turn *turn, void (*on_commit)(void *arg), void *arg)
{
	turn->on_commit[turn->on_commit_count] = on_commit;
	turn->on_commit_arg[turn->on_commit_count++] = arg;
}

static void tell_commit(struct turn *turn)
{
	for (size_t i = 0; i < turn->on_commit_count; i++)
		turn->on_commit[i](turn->on_commit_arg[i]);
}

void turn_measure_commits(struct turn *turn, void (*measured)(void *arg, int64_t took_us),
			  void *arg)
{
	turn->measured = measured;
	turn->measured_arg = arg;
}

void turn_may_use_reserve(struct turn *turn)
{
	turn->may_use_reserve = true;
}

/* Settle what has waited too long or cannot wait; the rest stays noted. */
static void postpone(struct turn *turn, const struct error *failure, int64_t retry_ms)
{
	int64_t oldest = clock_mono_ms() - BUSY_LIMIT_MS;
	bool is_busy = strcmp(failure->slug, "store_busy") == 0;
	struct work_item *works = turn->works;
	size_t count = turn->work_count;

	/* settle() may note new work: it goes into a new list. */
	turn->works = NULL;
	turn->work_count = 0;
	for (size_t i = 0; i < count; i++) {
		bool waits =
		    works[i].work.is_persistent || (is_busy && works[i].noted_mono_ms > oldest);

		if (!waits) {
			works[i].work.settle(works[i].work.arg, failure);
			continue;
		}
		turn->works = xrealloc(turn->works, turn->work_count + 1, sizeof(*turn->works));
		turn->works[turn->work_count++] = works[i];
	}
	free(works);
	if (strcmp(failure->slug, "disk_full") == 0 && turn->may_use_reserve)
		store_reserve_release(turn->store);
	timer_set_ms(turn->retry, retry_ms);
}

static bool begin(struct turn *turn, struct store_tx **tx)
{
	struct error err;

	if (store_begin(turn->store, tx, &err)) {
		lock_watch_free(&turn->watch);
		return true;
	}
	if (strcmp(err.slug, "store_busy") == 0) {
		lock_watch_busy(&turn->watch, store_folder(turn->store));
		postpone(turn, &err, BUSY_RETRY_MS);
	} else {
		log_line(LOG_ERROR, NULL, "cannot begin a transaction: %s", err.message);
		postpone(turn, &err, FULL_RETRY_MS);
	}
	return false;
}

static bool apply_one(struct turn *turn, struct store_tx *tx,
		      bool (*apply)(void *, struct store_tx *, struct error *), void *arg,
		      struct error *err)
{
	size_t effects_before = turn->effect_count;

	if (!store_savepoint(tx, err))
		return false;
	if (apply(arg, tx, err) && store_savepoint_keep(tx, err))
		return true;
	undo_effects(turn, effects_before);
	store_savepoint_undo(tx);
	return false;
}

static void apply_works(struct turn *turn, struct store_tx *tx, size_t count)
{
	for (size_t i = 0; i < count && !store_tx_is_broken(tx); i++) {
		struct work_item *item = &turn->works[i];
		void *arg = item->work.arg;
		struct error failure;

		/* apply() may note more work and move the list: nothing of it is held across the
		 * call. */
		if (apply_one(turn, tx, item->work.apply, arg, &failure))
			continue;
		turn->works[i].is_undone = true;
		turn->works[i].failure = failure;
	}
}

static void run_pass(struct turn *turn, struct store_tx *tx)
{
	struct error err;

	if (!turn->pass || store_tx_is_broken(tx) ||
	    apply_one(turn, tx, turn->pass, turn->pass_arg, &err))
		return;
	log_line(LOG_ERROR, NULL, "the scheduler's pass failed and is tried again: %s",
		 err.message);
	/* It did not come to setting its own timer. */
	turn->pass_wanted = true;
	timer_set_ms(turn->retry, FULL_RETRY_MS);
}

static void run_effects(struct turn *turn)
{
	struct effect *effects = turn->effects;
	size_t count = turn->effect_count;

	turn->effects = NULL;
	turn->effect_count = 0;
	for (size_t i = 0; i < count; i++)
		effects[i].run(effects[i].arg);
	free(effects);
}

static void settle_works(struct turn *turn, size_t count)
{
	struct work_item *works;

	if (!turn->work_count) /* a pass alone: there is no list, and memcpy() wants one */
		return;
	works = xcalloc(count, sizeof(*works));
	memcpy(works, turn->works, count * sizeof(*works));
	turn->work_count -= count;
	memmove(turn->works, turn->works + count, turn->work_count * sizeof(*works));
	for (size_t i = 0; i < count; i++)
		works[i].work.settle(works[i].work.arg,
				     works[i].is_undone ? &works[i].failure : NULL);
	free(works);
	if (turn->work_count)
		timer_set_ms(turn->retry, 0);
}

static void run_transaction(struct turn *turn)
{
	size_t count = turn->work_count;
	struct store_tx *tx;
	int64_t began_us;
	bool is_committed;
	struct error err;

	if (!begin(turn, &tx))
		return;
	fault_point(POINT_TURN_BEGUN);
	turn->pass_wanted = false;
	apply_works(turn, tx, count);
	run_pass(turn, tx);
	fault_point(POINT_TURN_APPLIED);
	began_us = clock_mono_us();
	is_committed = store_commit(tx, &err);
	if (turn->measured)
		turn->measured(turn->measured_arg, clock_mono_us() - began_us);
	if (!is_committed) {
		log_line(LOG_ERROR, NULL,
			 "a turn of %zu changes was lost, nothing of it was done: %s", count,
			 err.message);
		undo_effects(turn, 0);
		for (size_t i = 0; i < turn->work_count; i++)
			turn->works[i].is_undone = false;
		turn->pass_wanted = true;
		postpone(turn, &err, FULL_RETRY_MS);
		return;
	}
	fault_point(POINT_TURN_COMMITTED);
	store_reserve_ensure(turn->store);
	run_effects(turn);
	store_read_begin(turn->store);
	tell_commit(turn);
	fault_point(POINT_TURN_STARTED);
	settle_works(turn, count);
	store_read_end(turn->store);
	fault_point(POINT_TURN_SETTLED);
}

static bool must_pass(struct turn *turn)
{
	turn->pass_wanted = !turn->is_pass_needed || turn->is_pass_needed(turn->pass_arg);
	return turn->pass_wanted;
}

void turn_run(struct turn *turn)
{
	int64_t version = store_data_version(turn->store);

	if (version != turn->data_version) {
		turn->data_version = version;
		tell_commit(turn);
	}
	if (turn->work_count || (turn->pass_wanted && must_pass(turn)))
		run_transaction(turn);
}
