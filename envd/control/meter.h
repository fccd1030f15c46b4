/*
 * meter.h - what happened, as numbers: counted from history rows alone, so that what the reaper did
 * (which listens nowhere) is counted like everything else; the rest is looked up when somebody
 * asks. Counters begin when envd starts.
 */
#ifndef ENVD_CONTROL_METER_H
#define ENVD_CONTROL_METER_H

#include "control/control.h"
#include "control/metric_table.h"

struct meter;

/* After the history feed, before the first turn. */
struct meter *meter_new(struct control *control);
void meter_free(struct meter *meter);

/* To count into, for those who have something to count. */
struct metrics *meter_metrics(struct meter *meter);

/* Everything, as it is now. */
NODISCARD bool meter_text(struct meter *meter, struct text *into, struct error *err);

#endif
