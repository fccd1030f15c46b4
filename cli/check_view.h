/*
 * check_view.h - a check run (kind "CheckRun") on a terminal.
 */
#ifndef CLI_CHECK_VIEW_H
#define CLI_CHECK_VIEW_H

#include "cli/command.h"

/* Every check with what was seen, every load check with its thresholds, and the verdict. */
void check_print(const struct cli *cli, const json_t *run);

/* True if it passed; else `err` says whose fault it is: check_failed or check_inconclusive. */
bool check_judge(const json_t *run, struct error *err);

#endif
