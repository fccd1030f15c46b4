#include "control/target_reload.h"

#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "loop/timer.h"
#include "store/store_targets.h"

enum { LOOK_MS = 1000 };

struct target_reload {
	struct control *control;
	struct timer *look;
	struct stat seen;
};

static bool has_changed(struct target_reload *reload)
{
	struct stat now;

	/* While it is being replaced it may not be there: then it has not changed yet. */
	if (stat(reload->control->settings->targets_file, &now) != 0)
		return false;
	if (now.st_ino == reload->seen.st_ino && now.st_size == reload->seen.st_size &&
	    now.st_mtim.tv_sec == reload->seen.st_mtim.tv_sec &&
	    now.st_mtim.tv_nsec == reload->seen.st_mtim.tv_nsec)
		return false;
	reload->seen = now;
	return true;
}

/* What is on one that is not listed any more can neither be used nor removed. */
static void warn_of(struct target_reload *reload, const struct name_list *before)
{
	const struct control *control = reload->control;
	struct target_row row;
	struct error ignored; /* a warning less */

	for (size_t i = 0; i < before->count; i++)
		if (!settings_target_named(control->settings, before->items[i]) &&
		    store_target_read(control->store, before->items[i], &row, &ignored) &&
		    row.holders)
			log_warn("target \"%s\" is not listed any more, and %lld environments have "
				 "it: they can be destroyed when it is listed again",
				 before->items[i], (long long)row.holders);
}

static void note_names(const struct settings *settings, struct name_list *names)
{
	for (size_t i = 0; i < settings->target_count; i++) {
		names->items = xrealloc(names->items, names->count + 1, sizeof(*names->items));
		names->items[names->count++] = xstrdup(settings->targets[i].name);
	}
}

static void look(void *arg)
{
	struct target_reload *reload = arg;
	struct settings *settings = (struct settings *)(uintptr_t)reload->control->settings;
	AUTO(name_list_release) struct name_list before = { NULL, 0 };
	struct error err;

	timer_set_ms(reload->look, LOOK_MS);
	if (!has_changed(reload))
		return;
	note_names(settings, &before);
	if (!settings_reload_targets(settings, &err)) {
		log_error("the targets from before stay in use: %s", err.message);
		return;
	}
	log_info("the targets file was read again");
	warn_of(reload, &before);
	turn_want_pass(reload->control->turn);
}

struct target_reload *target_reload_new(struct control *control)
{
	struct target_reload *reload;

	if (!control->settings->targets_file)
		return NULL;
	reload = xcalloc(1, sizeof(*reload));
	reload->control = control;
	has_changed(reload);
	reload->look = timer_new(control->loop, look, reload);
	timer_set_ms(reload->look, LOOK_MS);
	return reload;
}

void target_reload_free(struct target_reload *reload)
{
	if (!reload)
		return;
	timer_free(reload->look);
	free(reload);
}
