/*
 * scheduler.h - every pass asks reconcile about every environment that is this program's to move,
 * and does what it says. Woken by commits, ends of jobs, the other program and timers; a scan every
 * 30 s makes lost wake-ups harmless.
 */
#ifndef ENVD_CONTROL_SCHEDULER_H
#define ENVD_CONTROL_SCHEDULER_H

#include "control/control.h"

struct scheduler;

struct scheduler *scheduler_new(struct control *control);
void scheduler_free(struct scheduler *scheduler);

/* At the last pass, every environment there ever was had been proved gone. */
bool scheduler_is_idle(const struct scheduler *scheduler);

#endif
