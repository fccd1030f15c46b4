/*
 * timeline_view.h - a timeline as a table; on a terminal with bars.
 */
#ifndef CLI_TIMELINE_VIEW_H
#define CLI_TIMELINE_VIEW_H

#include "base/json_read.h"
#include "cli/terminal.h"

/* `timeline` is of timeline_make(). */
void timeline_print(const json_t *timeline, const struct terminal *terminal, bool has_headers);

#endif
