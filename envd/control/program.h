/*
 * program.h - what both mains do alike: the signals that end them, and keeping the other one
 * running.
 */
#ifndef ENVD_CONTROL_PROGRAM_H
#define ENVD_CONTROL_PROGRAM_H

#include "control/control.h"

struct program;

/* SIGINT and SIGTERM end it politely, SIGPIPE is ignored (children get the default back). */
struct program *program_new(struct control *control);
void program_free(struct program *program);
bool program_is_ending(const struct program *program);

/* Start `envd-reaper` beside us whenever none runs on the data folder, looking once a second, in a
 * session of its own: it outlives us. `argv` (ends with NULL, copied) are its arguments. Returns
 * when it runs, or after 5 s. */
void program_keep_reaper(struct program *program, const char *const *argv);

#endif
