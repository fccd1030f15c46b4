/*
 * manual.h - manual pages from the table of commands: envctl(1) and envctl-COMMAND(1).
 */
#ifndef CLI_MANUAL_H
#define CLI_MANUAL_H

#include "base/error.h"

/* All of them, into this folder, which is made. */
NODISCARD bool manual_write(const char *folder, struct error *err);

#endif
