/*
 * update_view.h - what an operation changed, in words, as a diff: + made, - removed, ~ changed, and
 * below each the attributes that are different. Pure.
 */
#ifndef CLI_UPDATE_VIEW_H
#define CLI_UPDATE_VIEW_H

#include "base/json_read.h"
#include "base/text.h"
#include "cli/terminal.h"

/* `update` is one of GET .../updates. */
void update_words(const json_t *update, const struct terminal *terminal, struct text *into);

/* "3 made, 1 changed, 2 removed", "nothing". */
void update_summary(const json_t *update, struct text *into);

#endif
