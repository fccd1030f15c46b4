/*
 * folder_watch.h - told when something in a folder is made or written to. One inotify instance for
 * all of a set: ending an instance waits for a grace period of the kernel's, some 12 ms in which a
 * loop does nothing else; ending a watch of one does not.
 *
 * A hint: where the machine has no inotify instance left, nothing is ever told.
 */
#ifndef ENVD_LOOP_FOLDER_WATCH_H
#define ENVD_LOOP_FOLDER_WATCH_H

#include "loop/loop.h"

struct folder_watches;
struct folder_watch;

struct folder_watches *folder_watches_new(struct loop *loop);
/* After every watch of it. */
void folder_watches_free(struct folder_watches *watches);
DEFINE_AUTO(struct folder_watches *, folder_watches_free)

/* `on_change` is called from turns of the loop, once for however much has changed. Each folder at
 * most once in a set. */
struct folder_watch *folder_watch_new(struct folder_watches *watches, const char *folder,
				      void (*on_change)(void *arg), void *arg);
/* Also from on_change. NULL is fine. */
void folder_watch_free(struct folder_watch *watch);

#endif
