#include "target_watch.h"

#include <string.h>

#include "base/clock.h"
#include "base/files.h"
#include "base/log.h"
#include "base/spawn.h"
#include "control/peer.h"
#include "loop/child.h"
#include "loop/timer.h"
#include "store/store_targets.h"

/* A look costs one small query of a table that is nearly always empty of such rows. */
enum { LOOK_MS = 1000, CLEANERS_MAX = 4, MARGIN_MS = 5 * 60000, GRACE_MS = 5000 };

struct cleaner {
	struct target_watch *watch;
	struct child *child; /* NULL: free */
	char target[64];
};

struct target_watch {
	struct control *control;
	struct timer *look;
	struct cleaner cleaners[CLEANERS_MAX];
};

bool target_watch_is_busy(const struct target_watch *watch)
{
	for (size_t i = 0; i < CLEANERS_MAX; i++)
		if (watch->cleaners[i].child)
			return true;
	return false;
}

static bool is_being_cleaned(const struct target_watch *watch, const char *name)
{
	for (size_t i = 0; i < CLEANERS_MAX; i++)
		if (watch->cleaners[i].child && strcmp(watch->cleaners[i].target, name) == 0)
			return true;
	return false;
}

static struct cleaner *find_free(struct target_watch *watch)
{
	for (size_t i = 0; i < CLEANERS_MAX; i++)
		if (!watch->cleaners[i].child)
			return &watch->cleaners[i];
	return NULL;
}

static void on_line(void *arg, int stream, const char *line, size_t length)
{
	(void)arg;
	(void)length;
	if (stream == 1)
		log_info("%s", line);
	else
		log_warn("%s", line);
}

/* envd gives it away when it hears of it. */
static void on_end(void *arg, const struct child_end *end)
{
	struct cleaner *cleaner = arg;

	(void)end;
	cleaner->child = NULL;
	peer_wake(cleaner->watch->control->other);
	timer_set_ms(cleaner->watch->look, 1);
}

static void start(struct target_watch *watch, struct cleaner *cleaner, const struct target *target)
{
	const struct settings *settings = watch->control->settings;
	AUTO(free) char *folder = path_of_program_folder();
	AUTO(free) char *program = path_join(folder, "envd-reaper");
	AUTO(free) char *data = xasprintf("--data=%s", settings->data);
	AUTO(free) char *file = xasprintf("--targets-file=%s", settings->targets_file);
	AUTO(free)
	char *retry = xasprintf("--destroy-retry=%lldms", (long long)settings->retry_first_ms);
	const char *argv[] = { program, "clean", "--scheduled", data,
			       file,    retry,   target->name,  NULL };
	struct child_spec spec = {
		.argv = argv,
		.variables = (const char *const *)environ,
		.time_limit_ms = target->clean_limit_ms + MARGIN_MS,
		.grace_ms = GRACE_MS,
		.on_line = on_line,
		.on_end = on_end,
		.arg = cleaner,
	};
	struct error err;

	snprintf(cleaner->target, sizeof(cleaner->target), "%s", target->name);
	if (!child_start(watch->control->loop, &spec, &cleaner->child, &err))
		log_error("target \"%s\" cannot be cleaned: %s", target->name, err.message);
}

/* Whoever was at it has died: before it is tried again it must say so. */
static bool abandon(void *arg, struct store_tx *tx, struct error *err)
{
	return store_target_clean_abandon(tx, arg, err);
}

static void on_abandoned(void *arg, const struct error *failure)
{
	if (failure)
		log_warn("target \"%s\": %s", (char *)arg, failure->message);
	free(arg);
}

static void consider(struct target_watch *watch, const char *name)
{
	const struct target *target = settings_target_named(watch->control->settings, name);
	struct cleaner *cleaner = find_free(watch);
	struct target_row row;
	struct error ignored; /* the next look is soon */

	if (!target || !target->is_listed || !target->inventory || !cleaner ||
	    is_being_cleaned(watch, name) ||
	    !store_target_read(watch->control->store, name, &row, &ignored))
		return;
	if (row.condition == TARGET_CLEANING)
		turn_add(watch->control->turn, &(struct turn_work){ .apply = abandon,
								    .settle = on_abandoned,
								    .arg = xstrdup(name) });
	else if (row.condition == TARGET_DIRTY && row.next_try_at_ms <= clock_wall_ms())
		start(watch, cleaner, target);
}

static void look(void *arg)
{
	struct target_watch *watch = arg;
	AUTO(name_list_release) struct name_list list = { NULL, 0 };
	struct error err;

	timer_set_ms(watch->look, LOOK_MS);
	if (!watch->control->settings->targets_file)
		return;
	if (!store_targets_unclean(watch->control->store, &list, &err)) {
		log_warn("dirty targets cannot be looked for: %s", err.message);
		return;
	}
	for (size_t i = 0; i < list.count; i++)
		consider(watch, list.items[i]);
}

struct target_watch *target_watch_new(struct control *control)
{
	struct target_watch *watch = xcalloc(1, sizeof(*watch));

	watch->control = control;
	for (size_t i = 0; i < CLEANERS_MAX; i++)
		watch->cleaners[i].watch = watch;
	watch->look = timer_new(control->loop, look, watch);
	timer_set_ms(watch->look, LOOK_MS);
	return watch;
}

void target_watch_free(struct target_watch *watch)
{
	for (size_t i = 0; i < CLEANERS_MAX; i++)
		if (watch->cleaners[i].child)
			child_drop(watch->cleaners[i].child);
	timer_free(watch->look);
	free(watch);
}
