#include "control/control.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/files.h"
#include "control/history_feed.h"
#include "control/instance_record.h"
#include "control/job_runner.h"
#include "control/lock_watch.h"
#include "control/meter.h"
#include "control/peer.h"
#include "control/scheduler.h"
#include "control/target_reload.h"
#include "control/tracer.h"

enum { GATHER_MAX = 8 };
enum { OPEN_LIMIT_MS = 30000 }; /* three times what makes a holder a hung one */

const char *control_owner(const struct control *control)
{
	return control->role == CONTROL_BUILDER ? "envd" : "reaper";
}

static void on_wake(void *arg)
{
	struct control *control = arg;

	if (control->turn)
		turn_want_pass(control->turn);
}

static void wake_other(void *arg)
{
	struct control *control = arg;

	peer_wake(control->other);
}

static bool make_folders(struct control *control, const char *data, struct error *err)
{
	control->jobs_folder = path_join(data, "jobs");
	control->environments_folder = path_join(data, "environments");
	control->evidence_folder = path_join(data, "evidence");
	return folder_make(data, 0700, err) && folder_make(control->jobs_folder, 0700, err) &&
	       folder_make(control->environments_folder, 0700, err) &&
	       folder_make(control->evidence_folder, 0700, err);
}

/* Each program opens the other's lock only to look at it. Migrating needs both to be ours. */
static bool take_place(struct control *control, const char *data, struct error *err)
{
	bool is_builder = control->role == CONTROL_BUILDER;

	if (!peer_take(control->loop, data, is_builder ? "envd" : "reaper", on_wake, control,
		       &control->self, err))
		return false;
	control->other = peer_see(data, is_builder ? "reaper" : "envd");
	return true;
}

/* The other program may be in the middle of a transaction, or hang in one: that must not keep this
 * one from starting. It blocks, but nothing runs yet. */
static bool open_when_free(struct control *control, const char *data, struct error *err)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	int64_t until_ms = clock_mono_ms() + OPEN_LIMIT_MS;
	struct lock_watch watch = { .seen_mono_ms = 0 };

	while (!store_open(data, !peer_is_running(control->other), &control->store, err)) {
		if (strcmp(err->slug, "store_busy") != 0 || clock_mono_ms() > until_ms)
			return false;
		lock_watch_busy(&watch, data);
		nanosleep(&pause, NULL);
	}
	return true;
}

/* On a full disk SQLite cannot even be opened for reading. */
static bool open_store(struct control *control, const char *data, struct error *err)
{
	AUTO(free) char *reserve = path_join(data, "reserve");

	if (open_when_free(control, data, err))
		return true;
	if (strcmp(err->slug, "disk_full") != 0 || control->role != CONTROL_DESTROYER ||
	    unlink(reserve) != 0)
		return false;
	return open_when_free(control, data, err);
}

static bool open_parts(struct control *control, struct error *err)
{
	const char *data = control->settings->data;

	control->loop = loop_new();
	if (!make_folders(control, data, err) || !take_place(control, data, err) ||
	    !open_store(control, data, err))
		return false;
	control->turn = turn_new(control->loop, control->store);
	if (control->role == CONTROL_DESTROYER)
		turn_may_use_reserve(control->turn);
	control->runner = job_runner_new(control);
	/* envd tells the world what the reaper did, and goes on where it made room. */
	if (control->role == CONTROL_DESTROYER)
		turn_on_commit(control->turn, wake_other, control);
	control->scheduler = scheduler_new(control);
	control->targets = target_reload_new(control);
	instance_record_keep(control);
	return true;
}

bool control_open(struct control *control, enum control_role role, const struct settings *settings,
		  struct error *err)
{
	memset(control, 0, sizeof(*control));
	control->role = role;
	control->settings = settings;
	if (open_parts(control, err))
		return true;
	control_close(control);
	return false;
}

void control_close(struct control *control)
{
	tracer_free(control->tracer);
	meter_free(control->meter);
	history_feed_free(control->feed);
	target_reload_free(control->targets);
	scheduler_free(control->scheduler);
	if (control->turn)
		turn_abandon(control->turn);
	job_runner_free(control->runner);
	turn_free(control->turn);
	store_close(control->store);
	peer_free(control->other);
	peer_free(control->self);
	template_registry_free(control->templates);
	price_shelf_free(control->prices);
	loop_free(control->loop);
	free(control->jobs_folder);
	free(control->environments_folder);
	free(control->evidence_folder);
	memset(control, 0, sizeof(*control));
}

/* A request is accepted in one look at the descriptors and read in the next. Whoever is just about
 * to ask is heard before the commit: one fsync for sixty of them instead of twenty. Nobody is
 * waited for. */
static void gather(struct control *control)
{
	size_t before = 0;
	int quiet = 0;

	for (int i = 0; i < GATHER_MAX && quiet < 2 && turn_noted(control->turn); i++) {
		before = turn_noted(control->turn);
		loop_turn_more(control->loop);
		quiet = turn_noted(control->turn) > before ? 0 : quiet + 1;
	}
}

void control_turn(struct control *control)
{
	loop_turn(control->loop);
	gather(control);
	if (control->templates)
		template_registry_begin_turn(control->templates);
	turn_run(control->turn);
	if (control->templates)
		template_registry_end_turn(control->templates);
}
