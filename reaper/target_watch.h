/*
 * target_watch.h - targets that are dirty come back by themselves: each is cleaned by a process of
 * its own (target_clean.h), at most a few at the same time, when nobody has it and its pause is
 * over.
 */
#ifndef REAPER_TARGET_WATCH_H
#define REAPER_TARGET_WATCH_H

#include "control/control.h"

struct target_watch;

struct target_watch *target_watch_new(struct control *control);
/* Those under way are ended; the next one begins again. */
void target_watch_free(struct target_watch *watch);

/* Somebody is at it. */
bool target_watch_is_busy(const struct target_watch *watch);

#endif
