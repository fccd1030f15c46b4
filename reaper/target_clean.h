/*
 * target_clean.h - `envd-reaper clean TARGET`: empty a target that is dirty, and prove it by two
 * listings with its settle time between them. Straight-line and blocking: a process of its own.
 *
 * It is clean only by those listings, never because a command said so. What cannot be proved stays
 * dirty, with the reason, and is tried again later.
 */
#ifndef REAPER_TARGET_CLEAN_H
#define REAPER_TARGET_CLEAN_H

#include "base/json_read.h"
#include "settings/settings.h"

/* What is on it, whosever it is: {"count","words"}. New reference. */
NODISCARD bool target_list(const char *instance, const struct target *target, json_t **found,
			   struct error *err);

/* argv[0] is "clean". The exit status of the program: 0 clean, 4 not, 2 usage. */
int target_clean_main(int argc, char **argv);

#endif
