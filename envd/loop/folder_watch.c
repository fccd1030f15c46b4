#include "loop/folder_watch.h"

#include <limits.h>
#include <sys/inotify.h>

struct folder_watch {
	struct folder_watches *set;
	struct folder_watch *next;
	int number; /* inotify's; -1: none */
	bool has_changed;
	void (*on_change)(void *arg);
	void *arg;
};

struct folder_watches {
	int fd; /* -1: there is none to be had */
	struct loop_watch *readable;
	struct folder_watch *first;
};

static void note_events(struct folder_watches *set, const char *events, size_t length)
{
	for (size_t at = 0; at < length;) {
		const struct inotify_event *event = (const void *)(events + at);

		for (struct folder_watch *watch = set->first; watch; watch = watch->next)
			if (watch->number == event->wd)
				watch->has_changed = true;
		at += sizeof(*event) + event->len;
	}
}

static struct folder_watch *next_changed(struct folder_watches *set)
{
	struct folder_watch *watch = set->first;

	while (watch && !watch->has_changed)
		watch = watch->next;
	return watch;
}

static void on_readable(void *arg)
{
	_Alignas(
	    struct inotify_event) char events[16 * (sizeof(struct inotify_event) + NAME_MAX + 1)];
	struct folder_watches *set = arg;
	struct folder_watch *watch;
	ssize_t got;

	while ((got = read(set->fd, events, sizeof(events))) > 0)
		note_events(set, events, (size_t)got);
	/* From the start each time: a callback may end any of them. */
	while ((watch = next_changed(set))) {
		watch->has_changed = false;
		watch->on_change(watch->arg);
	}
}

struct folder_watches *folder_watches_new(struct loop *loop)
{
	struct folder_watches *set = xcalloc(1, sizeof(*set));

	set->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (set->fd >= 0)
		set->readable = loop_watch_fd(loop, set->fd, on_readable, set);
	return set;
}

void folder_watches_free(struct folder_watches *set)
{
	if (!set)
		return;
	loop_unwatch(set->readable);
	if (set->fd >= 0)
		close(set->fd);
	free(set);
}

struct folder_watch *folder_watch_new(struct folder_watches *set, const char *folder,
				      void (*on_change)(void *arg), void *arg)
{
	struct folder_watch *watch = xcalloc(1, sizeof(*watch));

	*watch = (struct folder_watch){
		.set = set, .next = set->first, .number = -1, .on_change = on_change, .arg = arg
	};
	if (set->fd >= 0)
		watch->number = inotify_add_watch(set->fd, folder, IN_CREATE | IN_MODIFY);
	set->first = watch;
	return watch;
}

void folder_watch_free(struct folder_watch *watch)
{
	struct folder_watch **at;

	if (!watch)
		return;
	for (at = &watch->set->first; *at != watch; at = &(*at)->next)
		;
	*at = watch->next;
	/* Gone already when the folder is. */
	if (watch->number >= 0)
		inotify_rm_watch(watch->set->fd, watch->number);
	free(watch);
}
